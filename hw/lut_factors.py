"""LUTs per term of each kind of part, as ``benchmarks.resources`` fits them to what Yosys makes.

The terms of a kind are named where ``hw.resources`` makes the part; the first is often 1, for what every such part has.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (0.0, 0.83),
    "token_source": (27.84, 0.31),
    "window_source": (0.0, 2.33, 1.96, 0.52, 0.0, 1.28),
    "sparse_source": (29.27, 1.67, 1.34, 1.55, 0.6, 0.48),
    "queue": (1.16, 0.75, 0.34, 1.17),
    "output": (0.0, 1.99, 1.56),
    "sequencer": (2.56, 1.55, 0.27, 3.45),
    "operands": (1.02, 0.84, 1.32),
    "products": (1.75, 0.53, 7.2, 1.0, 0.81),
    "adders": (1.06, 2.75, 3.06),
    "accumulators": (1.06, 0.54),
    "maxima": (1.59, 0.86),
    "requantizer": (0.0, 0.91, 0.89, 0.12, 0.33, 1.67),
    "drain": (12.62, 1.51, 1.0, 0.48, 1.13),
    "frame_sums": (0.0, 0.64, 1.05, 1.22),
    "collect": (0.0, 3.07, 0.0),
    "elementwise": (8.45, 0.0, 2.11, 1.19),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (4.32, 1.62),
    "token_source": (0.0, 1.89),
    "window_source": (0.0, 1.93, 2.6, 0.63, 0.0, 0.8),
    "sparse_source": (21.59, 1.84, 3.89, 0.77, 0.65, 0.64),
    "queue": (0.0, 1.11, 1.01, 1.51),
    "output": (0.0, 0.0, 1.83),
    "sequencer": (5.61, 0.36, 0.98, 6.15),
    "operands": (0.97, 7.93, 1.9),
    "products": (3.36, 0.7, 6.18, 1.0, 1.16),
    "adders": (0.99, 2.45, 3.39),
    "accumulators": (2.11, 0.0),
    "maxima": (3.22, 0.36),
    "requantizer": (9.58, 0.62, 1.33, 0.05, 1.49, 1.68),
    "drain": (17.98, 1.7, 0.95, 0.0, 2.02),
    "frame_sums": (0.0, 1.09, 0.0, 3.42),
    "collect": (2.67, 3.07, 0.0),
    "elementwise": (30.72, 0.0, 2.87, 2.14),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
