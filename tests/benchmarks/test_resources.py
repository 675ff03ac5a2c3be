from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.__main__ import RESULTS
from benchmarks.resources import FIT, HELD_OUT, summary
from benchmarks.resources.fit import GROUP, fit
from benchmarks.resources.made import DEVICE, Made
from benchmarks.resources.netlist import CONTROL, luts_by_group
from benchmarks.resources.ops import draw
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.fpga.formulas import luts

VERILOG = r"""
module \netweave.sums (clk, sum0);
  input clk;
  output [1:0] sum0;
  reg [1:0] sum0 = 2'h0;
  always @(posedge clk)
    sum0 <= \$1 ;
endmodule
module netweave(clk, o__valid);
  \netweave.sums  sums (
    .clk(clk),
    .sum0(\drain.sum )
  );
endmodule
"""


def cell(kind: str, out: list[int], **ins: list[int]) -> dict[str, Any]:
    directions = {"O": "output", **dict.fromkeys(ins, "input")}
    return {"type": kind, "connections": {"O": out, **ins}, "port_directions": directions}


def test_a_lut_belongs_to_the_register_it_drives_through_others() -> None:
    """The register's name is found though the netlist knows it by its parent's name alone."""
    module = {
        "ports": {"o__valid": {"direction": "output", "bits": [9]}},
        "cells": {
            "first": cell("LUT2", [3], I0=[1], I1=[2]),
            "second": cell("LUT1", [4], I0=[3]),
            "register": cell("FDRE", [5], D=[4]),
            "out": cell("LUT3", [9], I0=[5]),
            "unknown": {"type": "$scopeinfo", "connections": {}, "port_directions": {}},
        },
        "netnames": {"drain.sum": {"bits": [5]}, "$1": {"bits": [4]}},
    }
    assert luts_by_group(module, VERILOG) == {"accumulators": 2, "queue": 1}


def test_the_fit_finds_the_factors_that_made_the_luts() -> None:
    """Ops whose fitted LUTs are twice what the present factors say."""
    f, device = FAMILIES["xcup"], DEVICES["zu3eg"]
    ops = []
    for seed in range(60):
        _, op = draw(seed, device)
        groups: Counter[str] = Counter()
        for part in op.parts(f):
            groups[GROUP.get(part.kind, CONTROL)] += round(2 * luts(f, part) - part.lut)
        ops.append((op, Made(Resources(lut=groups.total()), dict(groups))))
    found = fit(f, ops, f.coefficients, pull=0.01)
    for op, made in ops:
        said = sum(part.lut + np.dot(found[part.kind], part.terms) for part in op.parts(f))
        assert said == pytest.approx(made.resources.lut, rel=0.02, abs=4)


def test_ops_are_the_same_at_every_call_and_no_seed_is_in_both_sets() -> None:
    for family, seeds in FIT.items():
        assert not set(seeds) & set(HELD_OUT[family])
        device = DEVICES[DEVICE[family]]
        for seed in range(15):
            (title, op), (again, other) = draw(seed, device), draw(seed, device)
            assert title == again
            assert op.resources(device) == other.resources(device)


def results() -> dict[str, Any]:
    return json.loads(Path(RESULTS, "resources.json").read_text())["figures"]["held_out"]


@pytest.mark.parametrize("family", ["xcup", "ecp5"])
def test_estimates_of_the_ops_held_back_stay_within_what_was_measured(family: str) -> None:
    """Against what Yosys made of them, as kept: a change of formulas shows here, one of hardware in the benchmark."""
    device, pairs = DEVICES[DEVICE[family]], []
    for seed, (title, *made) in zip(HELD_OUT[family], results()[family]["ops"], strict=True):
        drawn, op = draw(seed, device)
        assert drawn == title
        pairs.append((op.resources(device), Resources(*made)))
    figures = summary(pairs)
    assert figures["bram_exact_percent"] == 100
    assert figures["dsp_exact_percent"] > 98
    assert figures["ff_p95_error_percent"] <= 6
    assert figures["lut_median_error_percent"] <= 5
    assert figures["lut_p95_error_percent"] <= 11
