"""LUTs per term of each kind of part, as ``benchmarks/resources.py`` fits them to what Yosys makes.

The terms of a kind are named where ``hw.resources`` makes the part; the first is often 1, for what every such part has.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "steps": (2.96, 1.95),
    "token_source": (0.43, 2.08),
    "window_source": (0.0, 2.41, 1.48, 0.0, 0.0, 1.42),
    "queue": (0.97, 0.0, 0.28, 3.84),
    "output": (0.0, 1.92),
    "sequencer": (0.0, 1.58, 0.99, 4.86),
    "weights": (),
    "products": (1.87, 0.02, -13.69),
    "adders": (0.97, 1.48, 3.1),
    "accumulators": (1.03,),
    "maxima": (2.04, 0.0),
    "requantizer": (0.83, 0.53, 0.0),
    "drain": (1.8, 0.92, 1.39, 0.7),
    "frame_sums": (17.94, 0.51, 6.79),
    "collect": (4.67, 0.51, 0.89),
    "elementwise": (2.13, 0.92, 1.39),
    "fork": (0.0, 2.0),
    "widen": (4.0, 0.7, 2.0),
    "narrow": (4.0, 1.0, 2.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "steps": (4.58, 2.89),
    "token_source": (12.18, 1.63),
    "window_source": (0.0, 1.19, 2.57, 2.88, 0.0, 0.78),
    "queue": (3.16, 0.0, 0.0, 6.32),
    "output": (2.04, 2.8),
    "sequencer": (0.0, 1.6, 3.96, 6.17),
    "weights": (),
    "products": (3.38, 0.0, -23.25),
    "adders": (1.07, 3.67, 5.02),
    "accumulators": (1.84,),
    "maxima": (2.62, 0.0),
    "requantizer": (1.72, 1.46, 0.0),
    "drain": (1.16, 0.97, 1.38, 0.84),
    "frame_sums": (18.55, 1.07, 4.7),
    "collect": (1.22, 3.23, 0.04),
    "elementwise": (0.0, 0.25, 0.0),
    "fork": (0.0, 3.0),
    "widen": (6.0, 1.0, 3.0),
    "narrow": (6.0, 1.5, 3.0),
}
