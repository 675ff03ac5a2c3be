"""Arrays whose weights never change: estimated resources against what Yosys makes."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from benchmarks.inputs.ops import one_op
from benchmarks.resources import CONSTANTS, constant_samples
from benchmarks.resources.made import DEVICE
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.ops.registry import build, inputs_of
from models.ir.formats.registry import parse_dtype

LARGE = 200
"""LUTs from which an estimate has to be near."""
SAMPLES = 5
"""Of those of a family: making their Verilog, by whose digest syntheses are kept, takes a second each."""
OUTLIERS = {("ecp5", 12), ("xcup", 12), ("xcup", 9)}
"""Seeds off by more: tapered features that say how far a product is shifted (12); another, by 10 to 13 % (9)."""


@pytest.mark.whole
@pytest.mark.parametrize("family", CONSTANTS)
def test_arrays_of_constants_that_no_factor_has_seen_are_near_what_yosys_makes(family: str) -> None:
    """Kept in benchmarks/resources/made by ``python -m benchmarks.resources synthesize FAMILY``."""
    far = set()
    for sample in islice(constant_samples(family, held_out=True), SAMPLES):
        estimated, made = sample.op.resources(DEVICES[DEVICE[family]]), sample.made.resources
        assert estimated.ff == pytest.approx(made.ff, rel=0.13)
        if made.lut >= LARGE and abs(estimated.lut - made.lut) > 0.1 * made.lut:
            far.add((family, sample.seed))
    assert far == {seed for seed in OUTLIERS if seed[0] == family}


# What Yosys 0.70 makes of whole ops on ECP5, of 6 x 6 sites: features, weights, kernel, channels, LUTs.
OPS = [
    ("uint8", "int8", 3, 2, 4, 5807), ("uint8", "dybit4", 3, 3, 4, 5200), ("udybit4", "int3", 1, 8, 8, 1927),
    ("uint4", "int4", 5, 4, 4, 12304),
]  # fmt: skip


def estimate(x: str, w: str, kernel: int, c_in: int, c_out: int) -> Resources:
    x_type, w_type = parse_dtype(x), parse_dtype(w)
    graph = one_op(
        np.random.default_rng(0), "conv", (6, 6, c_in), out=c_out, kernel=kernel, padding=kernel // 2, x=x_type,
        w=w_type, y=x_type,
    )  # fmt: skip
    node = graph["op"]
    mapping = OpMapping(c_out, c_in, kernel**2, Memory.LUT, Multiplier.LUT)
    return build(node, inputs_of(graph, node), mapping).resources(DEVICES["ecp5-85k"])


@pytest.mark.parametrize(("x", "w", "kernel", "c_in", "c_out", "luts"), OPS)
def test_ops_that_are_unrolled_whole_are_near_what_yosys_makes(
    x: str, w: str, kernel: int, c_in: int, c_out: int, luts: int
) -> None:
    assert estimate(x, w, kernel, c_in, c_out).lut == pytest.approx(luts, rel=0.1)
