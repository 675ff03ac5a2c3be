"""LUTs per term of each kind of part (regression coefficients), as ``benchmarks.resources`` fits them to Yosys.

The terms of a kind are named where ``hw.resources`` makes the part. The first term is often 1, the constant that each
such part takes.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (0.0, 0.88),
    "token_source": (30.67, 0.09),
    "window_source": (0.0, 2.39, 1.87, 0.48),
    "banks": (0.95, 0.95),
    "sparse_source": (0.0, 1.7, 0.81, 1.48, 0.53, 0.86, 0.42),
    "queue": (1.31, 0.83, 0.31, 1.31),
    "output": (0.0, 1.73, 1.56),
    "sequencer": (4.1, 1.68, 0.04, 3.85),
    "operands": (1.02, 1.19, 1.3),
    "products": (1.62, 0.36, 1.1, 1.0, 0.95),
    "chosen": (0.22, 1.02, 6.07, 2.84),
    "shifted": (2.18, 0.37, 0.0),
    "adders": (1.06, 2.66, 3.05),
    "constants": (0.43, 0.4, 0.88, 0.5),
    "trees": (0.95, 0.0),
    "accumulators": (1.06, 0.55),
    "maxima": (1.72, 0.24),
    "requantizer": (0.0, 0.92, 0.88, 0.11, 0.34, 1.68),
    "drain": (12.44, 1.59, 0.99, 0.39, 1.07),
    "frame_sums": (0.0, 0.65, 1.02, 1.2),
    "collect": (0.0, 3.11, 0.0),
    "elementwise": (8.52, 0.0, 2.12, 1.15),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "weights": (),
    "steps": (3.82, 1.8),
    "token_source": (0.0, 1.87),
    "window_source": (0.0, 1.93, 2.59, 0.64),
    "banks": (1.95, 0.98),
    "sparse_source": (0.0, 1.68, 2.75, 1.4, 0.17, 0.86, 0.66),
    "queue": (0.0, 1.43, 1.05, 1.45),
    "output": (0.0, 0.0, 1.6),
    "sequencer": (8.97, 0.49, 0.64, 6.57),
    "operands": (0.97, 1.03, 1.86),
    "products": (3.34, 0.81, 5.47, 1.0, 1.16),
    "chosen": (0.33, 1.93, 5.98, 5.78),
    "shifted": (2.98, 0.57, 15.4),
    "adders": (1.02, 2.6, 3.36),
    "constants": (0.95, 0.81, 1.12, 0.5),
    "trees": (1.09, 0.44),
    "accumulators": (2.1, 0.0),
    "maxima": (2.75, 0.25),
    "requantizer": (9.51, 0.63, 1.35, 0.07, 1.55, 1.66),
    "drain": (17.12, 1.76, 0.94, 0.0, 1.9),
    "frame_sums": (0.0, 1.13, 0.0, 3.38),
    "collect": (2.79, 3.06, 0.0),
    "elementwise": (29.57, 0.0, 2.86, 2.19),
    "fork": (1.0, 2.0),
    "widen": (1.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
