"""LUTs per term of each kind of part, as ``benchmarks.resources`` fits them to what Yosys makes.

The terms of a kind are named where ``hw.resources`` makes the part; the first is often 1, for what every such part has.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (0.0, 0.87),
    "token_source": (30.53, 0.1),
    "window_source": (0.0, 2.38, 1.88, 0.48, 0.0, 1.3),
    "sparse_source": (0.0, 1.69, 0.88, 1.49, 0.53, 0.85, 0.42),
    "queue": (1.35, 0.81, 0.32, 1.29),
    "output": (0.0, 1.75, 1.56),
    "sequencer": (3.4, 1.68, 0.11, 3.73),
    "operands": (1.02, 1.09, 1.3),
    "products": (1.75, 0.52, 7.37, 1.0, 0.81),
    "adders": (1.06, 2.67, 3.05),
    "accumulators": (1.06, 0.54),
    "maxima": (1.71, 0.23),
    "requantizer": (0.0, 0.91, 0.88, 0.11, 0.34, 1.68),
    "drain": (12.46, 1.59, 0.99, 0.39, 1.08),
    "frame_sums": (0.0, 0.65, 1.02, 1.2),
    "collect": (0.0, 3.11, 0.0),
    "elementwise": (8.5, 0.0, 2.12, 1.16),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (3.9, 1.77),
    "token_source": (0.0, 1.88),
    "window_source": (0.0, 1.92, 2.62, 0.64, 0.0, 0.79),
    "sparse_source": (0.0, 1.68, 2.92, 1.19, 0.3, 0.87, 0.64),
    "queue": (0.0, 1.32, 1.08, 1.57),
    "output": (0.0, 0.0, 1.61),
    "sequencer": (7.79, 0.52, 0.73, 6.4),
    "operands": (0.97, 7.8, 1.86),
    "products": (3.35, 0.78, 5.66, 1.0, 1.15),
    "adders": (1.02, 2.59, 3.36),
    "accumulators": (2.1, 0.0),
    "maxima": (2.77, 0.23),
    "requantizer": (9.54, 0.63, 1.35, 0.07, 1.54, 1.66),
    "drain": (17.17, 1.75, 0.95, 0.0, 1.9),
    "frame_sums": (0.0, 1.13, 0.0, 3.4),
    "collect": (2.72, 3.06, 0.0),
    "elementwise": (29.62, 0.0, 2.86, 2.18),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
