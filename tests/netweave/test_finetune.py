"""Points of a front that are trained for longer, on a network of two layers in two bits."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch

from dse.front import Front, FrontError
from models.evaluate import accuracy
from models.ir.golden import run as run_golden
from models.ir.serialize import load
from netweave import flow
from netweave.config import Config
from netweave.finetune import select_points
from netweave.networks import Networks
from netweave.workers import Pool
from tests.dse.test_front import point

ROOT = Path(__file__).resolve().parents[2]
DEVICE, EPOCHS = "ecp5-25k", 4
CONFIG = Config.model_validate(
    {
        "name": "tiny",
        "model": f"{ROOT}/examples/tiny_network.py:build",
        "train": {"epochs": 20},
        "quantize": {"formats": ["int2"], "epochs": 0},
        "explore": {"budgets": 2, "points": 1},
        "device": [{"name": DEVICE}],
    }
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    for stage in ("train", "quantize"):
        flow.STAGES[stage](CONFIG, folder, flow.SILENT)
    flow.explore(CONFIG, folder, pool=Pool(None, 1))
    return folder


def points(folder: Path) -> dict[str, dict]:
    return {entry["name"]: entry for entry in json.loads((folder / "designs.json").read_text())["points"]}


def test_kept_points_are_trained_and_measured_again(run: Path) -> None:
    explored, tuned = run / "explore" / DEVICE, run / "finetune" / DEVICE
    before = points(explored)
    kept, other = list(before)[:2]
    found = flow.finetune(CONFIG, run, [kept], EPOCHS)
    after = points(tuned)
    assert found == {DEVICE: {kept: {"before": before[kept]["correct"], "after": after[kept]["correct"], "total": 248}}}
    assert after[kept]["correct"] > before[kept]["correct"], "two bits lose much, and training gets it back"
    assert after[other] == before[other]
    # the same hardware
    for field in ("assignment", "simulated", "bottleneck", "solver"):
        assert after[kept][field] == before[kept][field]
    mappings = [(folder / kept / "mapping.json").read_bytes() for folder in (explored, tuned)]
    assert mappings[0] == mappings[1]
    # what is written is what was measured
    networks = Networks(CONFIG, run / "train", run / "networks", lambda *_: None)
    network = networks.quantized(after[kept]["assignment"], EPOCHS)
    assert after[kept]["correct"] == accuracy(network, networks.data, "validation").correct
    graph = load(tuned / kept)
    frames = networks.data.frames("test", 60)
    logits = [run_golden(graph, frame)[graph.output].features.flatten() for frame in frames]
    wanted = network.logits(torch.from_numpy(networks.data.test_x[:60])).argmax(dim=1).tolist()
    assert [int(own.argmax()) for own in logits] == wanted


def test_the_stages_after_take_what_was_fine_tuned_of_this_exploration_alone(run: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(run, tmp_path / "run"))
    flow.finetune(CONFIG, folder, ["knee"], EPOCHS)
    assert flow._front(folder, DEVICE) == folder / "finetune" / DEVICE
    (folder / "explore" / DEVICE / "designs.json").write_text("another")
    assert flow._front(folder, DEVICE) == folder / "explore" / DEVICE


def test_points_are_named_or_picked_by_rule() -> None:
    fronts = {
        "big": Front("big", 100.0, (point("a", 10, 500), point("b", 20, 520))),
        "small": Front("small", 100.0, (point("a", 30, 500),)),
    }
    assert select_points(fronts, ["b"]) == {"big": ["b"]}
    assert select_points(fronts, ["a", "fastest-above 80"]) == {"big": ["a"], "small": ["a"]}
    assert select_points(fronts, ["fastest-above 95", "a"]) == {"big": ["b", "a"], "small": ["a"]}
    with pytest.raises(FrontError, match="pick 'c': is no point and no rule; points are a, b"):
        select_points(fronts, ["a", "c"])
