"""LUTs per term of each kind of part, as ``benchmarks/resources.py`` fits them to what Yosys makes.

The terms of a kind are named where ``hw.resources`` makes the part; the first is often 1, for what every such part has.
"""

from __future__ import annotations

LUT6: dict[str, tuple[float, ...]] = {
    "steps": (2.51, 1.09),
    "token_source": (0.0, 2.15),
    "window_source": (0.0, 2.13, 2.3, 0.0, 0.0, 1.49),
    "queue": (0.0, 0.79, 0.0, 3.13),
    "output": (0.0, 1.91),
    "sequencer": (0.0, 2.0, 0.37, 4.84),
    "weights": (),
    "products": (2.26, 0.0, -29.37),
    "adders": (0.67, 0.0, 3.03),
    "accumulators": (1.07,),
    "maxima": (2.25, 0.5),
    "requantizer": (1.36, 0.05, 0.0),
    "drain": (1.1, 0.95, 1.51, 0.33),
    "frame_sums": (0.0, 1.71, 6.04),
    "collect": (3.51, 0.6, 0.79),
    "elementwise": (1.84, 1.98, 1.18),
    "fork": (0.0, 2.0),
    "widen": (4.0, 0.7, 2.0),
    "narrow": (4.0, 1.0, 2.0),
}
LUT4: dict[str, tuple[float, ...]] = {
    "steps": (3.03, 2.85),
    "token_source": (30.77, 0.0),
    "window_source": (0.0, 2.27, 2.36, 0.0, 7.39, 0.64),
    "queue": (2.4, 0.0, 0.0, 6.6),
    "output": (3.5, 2.54),
    "sequencer": (0.0, 1.71, 4.3, 5.95),
    "weights": (),
    "products": (3.71, 0.0, -34.05),
    "adders": (0.95, 2.69, 5.39),
    "accumulators": (1.73,),
    "maxima": (3.87, 1.0),
    "requantizer": (1.51, 1.42, 0.0),
    "drain": (0.81, 0.98, 1.47, 0.69),
    "frame_sums": (0.0, 3.1, 0.0),
    "collect": (6.32, 1.22, 1.23),
    "elementwise": (0.0, 0.0, 0.0),
    "fork": (0.0, 3.0),
    "widen": (6.0, 1.0, 3.0),
    "narrow": (6.0, 1.5, 3.0),
}
