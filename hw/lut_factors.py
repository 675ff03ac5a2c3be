"""LUTs per term of each kind of part, as ``benchmarks.resources`` fits them to what Yosys makes.

The terms of a kind are named where ``hw.resources`` makes the part; the first is often 1, for what every such part has.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (1.29, 0.55),
    "token_source": (15.67, 1.33),
    "window_source": (8.23, 1.76, 1.75, 0.81, 0.07, 1.23),
    "sparse_source": (20.04, 1.69, 0.4, 0.73, 1.72, 0.44),
    "queue": (0.42, 0.89, 0.22, 1.74),
    "output": (0.0, 1.95, 1.34),
    "sequencer": (0.0, 0.71, 0.67, 3.07),
    "operands": (1.1, 0.18, 1.32),
    "products": (2.36, 0.58, 0.0, 1.0, 0.76),
    "adders": (1.09, 2.17, 3.21),
    "accumulators": (1.1,),
    "maxima": (2.89, 0.5),
    "requantizer": (0.0, 0.62, 1.11, 0.25, 0.25, 1.0, 1.42),
    "drain": (6.78, 0.96, 1.12, 0.0, 0.04),
    "frame_sums": (0.0, 1.64, 0.0),
    "collect": (17.35, 2.95, 3.76),
    "elementwise": (7.4, 0.0, 3.28, 0.66),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (2.53, 0.96),
    "token_source": (2.22, 1.05),
    "window_source": (0.0, 1.64, 2.71, 0.85, 0.0, 0.74),
    "sparse_source": (21.47, 2.12, 1.42, 0.0, 1.47, 0.76),
    "queue": (0.22, 1.14, 0.41, 2.5),
    "output": (0.0, 0.55, 1.78),
    "sequencer": (0.0, 1.78, 1.34, 5.43),
    "operands": (0.78, 16.15, 1.92),
    "products": (3.32, 1.68, 6.94, 1.0, 1.1),
    "adders": (1.07, 2.17, 3.54),
    "accumulators": (2.22,),
    "maxima": (4.14, 1.0),
    "requantizer": (0.0, 1.28, 1.29, 0.74, 0.79, 1.65, 0.84),
    "drain": (16.11, 0.29, 1.46, 1.31, 0.11),
    "frame_sums": (0.0, 0.43, 0.0),
    "collect": (7.15, 0.0, 0.0),
    "elementwise": (21.45, 0.0, 5.13, 0.52),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
