"""LUTs per term of each kind of part, as ``benchmarks.resources`` fits them to what Yosys makes.

The terms of a kind are named where ``hw.resources`` makes the part; the first is often 1, for what every such part has.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (0.0, 0.97),
    "token_source": (17.4, 1.29),
    "window_source": (0.77, 1.93, 2.58, 0.7, 0.0, 1.39),
    "sparse_source": (30.24, 1.75, 0.74, 0.97, 1.21, 0.44),
    "queue": (0.0, 0.83, 0.29, 1.45),
    "output": (0.0, 2.0, 1.54),
    "sequencer": (0.0, 1.42, 0.52, 2.99),
    "operands": (1.01, 3.21, 1.41),
    "products": (1.78, 0.62, 5.36, 1.0, 0.76),
    "adders": (1.13, 2.98, 2.88),
    "accumulators": (1.1,),
    "maxima": (2.4, 0.94),
    "requantizer": (0.0, 0.94, 0.85, 0.1, 0.33, 1.41),
    "drain": (15.0, 0.85, 0.91, 0.59, 2.09),
    "frame_sums": (0.0, 0.53, 1.27, 4.22),
    "collect": (0.0, 3.17, 0.0),
    "elementwise": (8.29, 0.0, 2.12, 1.2),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (4.35, 1.62),
    "token_source": (0.0, 1.79),
    "window_source": (0.0, 1.85, 2.8, 0.6, 0.0, 0.79),
    "sparse_source": (23.49, 2.09, 2.65, 0.23, 1.03, 0.73),
    "queue": (0.0, 1.1, 0.49, 2.2),
    "output": (0.0, 0.0, 1.88),
    "sequencer": (0.0, 1.31, 1.24, 6.17),
    "operands": (0.95, 9.39, 1.72),
    "products": (3.5, 0.93, 3.08, 1.0, 1.14),
    "adders": (0.99, 2.51, 3.47),
    "accumulators": (2.13,),
    "maxima": (3.32, 0.0),
    "requantizer": (7.44, 0.72, 1.37, 0.11, 1.56, 1.94),
    "drain": (21.38, 1.28, 0.91, 0.0, 2.43),
    "frame_sums": (0.0, 0.87, 0.18, 4.18),
    "collect": (0.4, 3.7, 0.0),
    "elementwise": (32.42, 0.0, 2.96, 2.04),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
