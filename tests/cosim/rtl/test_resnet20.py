"""ResNet-20 whole, in DyBit of 4 bits: explored for two devices, and one photograph through the RTL."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.inputs.data import DATA as FOLDER
from benchmarks.resnet20 import DATA, DEVICE, SHARE
from benchmarks.resnet20_rtl import DEVICES_EXPLORED, RTL_FORMAT, designed, quantized
from cosim.cycle.simulator import simulate, size_queues
from cosim.rtl.design import cosim
from dse.estimate import estimate
from hw.fpga.families.registry import DEVICES
from hw.generate.emit import generate
from models import data


@pytest.mark.slow
@pytest.mark.skipif(not (FOLDER / DATA).is_dir(), reason=f"CIFAR-10 is not in {FOLDER}")
def test_a_photograph_through_resnet20(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    """Every output and every edge inside equals golden's, in exactly the cycles that are simulated."""
    graph = quantized()
    frames = data.load(DATA).frames("test", 1)
    assert {str(node.dtype) for node in graph.nodes} >= {f"u{RTL_FORMAT}"}
    for name in DEVICES_EXPLORED:
        design = designed(graph, name)
        used = estimate(graph, design.mapping, DEVICES[name]).resources
        assert all(amount <= SHARE * getattr(DEVICES[name], kind) for kind, amount in used.items())
        if name == DEVICE:
            mapping = size_queues(graph, design.mapping, len(frames) + 1)
            generate(graph, mapping, tmp_path / "design", probes=True)
            run = cosim(tmp_path / "design", frames, simulator=verilator, probes=True, build_dir=build_dir)
            assert run.equal, str(run.check)
            assert set(run.check.streams) == {f"edge_{a}__{b}_{n}" for a, b, n in graph.edges} | {"o"}
            assert run.first_latency == simulate(graph, mapping).first_latency
