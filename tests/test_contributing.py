"""docs/contributing.md is right: its files are all that a toy operation needs on its way from PyTorch to RTL."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from benchmarks.inputs.nets import random_mapping
from benchmarks.inputs.ops import random_frame
from cosim.cycle.simulator import simulate, size_queues
from dse.estimate import estimate
from hw.accelerator.composition import AcceleratorTop
from hw.fpga.families.registry import DEVICES
from hw.ops.op import Tensor
from hw.ops.registry import OPS, build
from models.frontend.operations import FUNCTIONS
from models.frontend.trace import trace
from models.ir import golden
from models.ir.activity import with_activity
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.ops.registry import NODES
from models.ir.serialize import graphs_equal, load, save
from models.quant.calibrate import Calibration
from models.quant.formats import resolve
from models.quant.network import QuantizedNetwork
from models.sparse import functions as sparse
from tests.models.nets import CLASSES, random_data
from tests.support import toy_op
from tests.support.streams import run_op

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
MOST = {"A new operation": 7, "A new number format": 5, "A new family of FPGAs": 4, "A new kind of multiplier": 3}
"""The most files of each change, from the project's own rules."""

PARTS = {
    "models/ir/ops/NAME.py": toy_op.Flip,
    "models/layers/NAME.py": toy_op.FlipLayer,
    "hw/ops/NAME.py": toy_op.FlipOp,
}
"""What the toy has in each new file."""
LISTS = {
    "models/ir/ops/registry.py": (NODES, "flip", toy_op.Flip),
    "hw/ops/registry.py": (OPS, toy_op.Flip, toy_op.FlipOp),
    "models/frontend/operations.py": (FUNCTIONS, torch.flip, toy_op.flip),
    "models/sparse/functions.py": (sparse.FUNCTIONS, torch.flip, toy_op.flip_sparse),
}
"""The list in each file that is there already, and what the toy adds to it."""


def files(heading: str) -> list[str]:
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| `([^`]+)`", section, re.M)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    for own, key, value in LISTS.values():
        monkeypatch.setitem(own, key, value)  # type: ignore[misc]


class Flipped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3, padding=1)
        self.fc = nn.Linear(3, CLASSES)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.flip(torch.relu(self.conv(x)), (1,))
        return self.fc(x.mean(dim=(2, 3)))


@pytest.mark.parametrize("heading", MOST)
def test_a_change_touches_few_files_and_they_are_there(heading: str) -> None:
    listed = files(heading)
    assert 0 < len(listed) <= MOST[heading]
    for name in listed:
        assert len(list(ROOT.glob(name.replace("NAME", "*")))) >= 1, name


def test_the_page_lists_what_the_toy_is_made_of() -> None:
    assert sorted(files("A new operation")) == sorted([*PARTS, *LISTS])


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("sparse_frames", [False, True])
def test_the_toy_goes_from_pytorch_to_rtl(sparse_frames: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    data = random_data(2, 5, sparse=sparse_frames)
    plan = trace(Flipped().eval(), data.shape, "toy", sparse=sparse_frames)
    formats = resolve(plan, data.input_dtype, "int4")
    network = QuantizedNetwork(plan, formats, Calibration(plan, data, "mse")).eval()
    graph = network.export()
    save(graph, tmp_path)
    assert graphs_equal(load(tmp_path), graph)
    rng = np.random.default_rng(1)
    frames = [random_frame(rng, graph) for _ in range(2)]
    mapping = size_queues(graph, random_mapping(rng, graph), 2)
    top = AcceleratorTop(graph, mapping)
    beats = [beat for frame in frames for beat in top.plan.input_layout.beats(frame)]
    run = run_op(top, [beats], len(frames))
    expected = [golden.run(graph, frame)[graph.output] for frame in frames]
    assert list(top.plan.output.frames(run.payloads)) == expected
    simulated = simulate(graph, mapping, 2)
    assert simulated.output == [cycle for cycle, _ in run.outputs]
    known = with_activity(graph, [frame.mask for frame in frames])
    assert estimate(known, mapping, DEVICES["zu3eg"]).latency == pytest.approx(simulated.first_latency, rel=0.05)


def test_an_op_without_latency_raises_as_it_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OPS, toy_op.Flip, toy_op.WithoutLatency)
    node = toy_op.Flip(name="op", inputs=("input",), dtype=IntType(4))
    whole = Tensor(Shape(2, 2, 3), IntType(4))
    (mapping,) = toy_op.FlipOp.mappings(node, (whole,), DEVICES["zu3eg"])
    with pytest.raises(TypeError, match="latency"):
        build(node, (whole,), mapping)
