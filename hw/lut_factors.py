"""LUTs per term of each kind of part, as ``benchmarks/resources.py`` fits them to what Yosys makes.

The terms of a kind are named where ``hw.resources`` makes the part; the first is often 1, for what every such part has.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "steps": (2.68, 1.93),
    "token_source": (14.18, 0.95),
    "window_source": (0.0, 2.47, 1.49, 0.0, 0.0, 1.42),
    "sparse_source": (0.0, 2.78, 0.74, 0.36),
    "queue": (2.16, 0.0, 0.32, 3.4),
    "output": (0.0, 1.92),
    "sequencer": (0.0, 1.61, 0.98, 4.89),
    "weights": (),
    "products": (1.0, 1.75),
    "adders": (1.0, 2.0, 3.05),
    "accumulators": (1.06,),
    "maxima": (2.04, 0.0),
    "requantizer": (0.83, 0.55, 0.0),
    "drain": (1.85, 0.92, 1.38, 0.75),
    "frame_sums": (26.1, 0.43, 4.23),
    "collect": (0.95, 1.06, 1.23),
    "elementwise": (2.12, 0.91, 1.38),
    "fork": (1.0, 2.0),
    "widen": (0.0, 0.93, 7.13),
    "narrow": (1.0, 3.25, 0.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "steps": (4.85, 2.28),
    "token_source": (18.37, 1.09),
    "window_source": (0.0, 0.36, 2.99, 4.39, 0.25, 0.75),
    "sparse_source": (177.1, 0.0, 0.64, 0.8),
    "queue": (3.21, 0.0, 0.0, 6.39),
    "output": (2.24, 2.79),
    "sequencer": (0.0, 1.5, 4.0, 6.34),
    "weights": (),
    "products": (2.75, 2.5),
    "adders": (1.1, 2.2, 3.25),
    "accumulators": (1.81,),
    "maxima": (2.62, 0.0),
    "requantizer": (1.43, 1.66, 0.0),
    "drain": (0.83, 0.99, 1.39, 0.85),
    "frame_sums": (30.54, 0.98, 0.0),
    "collect": (0.0, 3.64, 0.0),
    "elementwise": (0.0, 0.21, 0.0),
    "fork": (1.0, 2.0),
    "widen": (0.0, 0.93, 7.0),
    "narrow": (1.0, 3.25, 0.0),
}
