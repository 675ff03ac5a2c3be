"""Ops whose resources are estimated, and what Yosys makes of a component to compare them with."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import verilog
from amaranth.lib import wiring

from benchmarks.inputs.ops import one_op
from hw.fpga.device import Device, Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import OpMapping
from hw.tools.yosys import synthesize
from models.ir.formats.registry import parse_dtype
from models.ir.graph import Graph
from tests.support.ops import build_op


def conv(formats: tuple[str, str, str] = ("uint8", "int8", "uint8"), channels: int = 8) -> Graph:
    """A convolution of 3 x 3 over 8 x 8 sites, dense; its formats are the input's, the weights' and the output's."""
    x, w, y = (parse_dtype(name) for name in formats)
    rng = np.random.default_rng(0)
    return one_op(rng, "conv", (8, 8, channels), out=channels, kernel=3, padding=1, x=x, w=w, y=y)


def sparse(graph: Graph) -> Graph:
    """The same network on frames in which only some sites are active."""
    return graph.replace(nodes=(dataclasses.replace(graph.input, sparse=True), *graph.nodes[1:]))


def estimate(graph: Graph, mapping: OpMapping, device: str) -> Resources:
    """The estimated resources of the graph's op."""
    return build_op(graph, mapping).resources(DEVICES[device])


def synthesized(component: wiring.Component, device: Device, folder: Path) -> Resources:
    """What Yosys makes of a component."""
    source = folder / "part.v"
    source.write_text(verilog.convert(component, name="netweave", emit_src=False, strip_internal_attrs=True))
    return synthesize(source, device.synth, log=folder / "yosys.log").resources


def assert_near(estimated: Resources, actual: Resources) -> None:
    """Blocks are exact, flip-flops and LUTs near."""
    assert (estimated.bram, estimated.dsp) == (actual.bram, actual.dsp)
    assert estimated.ff == pytest.approx(actual.ff, rel=0.08, abs=4)
    assert estimated.lut == pytest.approx(actual.lut, rel=0.1, abs=12)
