"""SEE-D whole: the RTL of the published network against its published arrays, on the frame published with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.see_d import CLOCK_MHZ, DSP, LUT, NETWORK, SEARCH
from cosim.cycle.simulator import simulate
from cosim.rtl.design import cosim
from hw.fpga.families.registry import DEVICES
from hw.generate.emit import generate
from models.frontend.esda_network import load_esda
from models.ir import golden
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from netweave.min_latency_mapping import min_latency_mapping


@pytest.mark.slow
@pytest.mark.skipif(not NETWORK.is_file(), reason=f"the published network {NETWORK} is not there")
def test_every_stream_of_see_d_is_the_published_one(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    """Of no more DSP blocks than the published accelerator; and in exactly the cycles that are simulated."""
    graph, frame = load_esda(NETWORK)
    device = replace(DEVICES["zcu102"], dsp=DSP, lut=LUT)
    found = min_latency_mapping(graph, [frame.mask], device, CLOCK_MHZ, replace(SEARCH, max_evaluations=0))
    assert found.evaluation.resources["dsp"] <= DSP
    mapping = found.mapping
    generate(graph, mapping, tmp_path / "design", probes=True)
    run = cosim(tmp_path / "design", [frame], simulator=verilator, probes=True, build_dir=build_dir)
    assert run.equal, str(run.check)
    # each stream equals golden's frame of its producer, and that the published array
    assert set(run.check.streams) == {f"edge_{a}__{b}_{n}" for a, b, n in graph.edges} | {"o"}
    frames = golden.run(graph, frame)
    closed_by = {node.inputs[0]: node.name for node in graph.nodes if isinstance(node, Add)}
    with np.load(NETWORK.with_suffix(".npz")) as published:
        for node in graph.nodes:
            if isinstance(node, Conv):
                made_by = closed_by.get(node.name, node.name)
                assert np.array_equal(frames[made_by].features, published[f"{node.name}/output"])
        assert np.array_equal(frames[graph.output].features[0], published["output/sum_over_tokens"])
    assert run.first_latency == simulate(graph, mapping, [frame.mask]).first_latency
