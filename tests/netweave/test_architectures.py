"""The search that a configuration asks for: which networks, what is kept of them, and what is written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.inputs.sparse_nets import few_sites, random_sparse_net
from cosim.cycle.simulator import Simulator
from dse.candidates import Table
from dse.explore import SearchSettings, best
from dse.hypervolume import latency_and_error
from dse.problem import Objective
from hw.fpga.families.registry import DEVICES
from models.data import DatasetError
from models.ir.activity import with_activity
from netweave import architectures, flow
from netweave.architectures import Recipe, costs, evaluate, network, space_of
from netweave.cli import app
from netweave.config import Config, UnsuitableError, load
from netweave.workers import Pool
from reports.artifact import read_json

SEARCH = """
data = "digits_dvs"
[quantize]
formats = ["int4", "int8"]
[search]
width = [0.25, 0.5]
depth = ["1.1", "2.1"]
kernel = [3]
expansion = [1, 2]
resolution = [8, 16]
evaluations = {evaluations}
min_accuracy = 0
[[device]]
name = "zu3eg"
"""


def configured(folder: Path, evaluations: int = 12, **changes: str) -> Config:
    text = SEARCH.format(evaluations=evaluations)
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "own.toml").write_text(text, encoding="utf-8")
    return load(folder / "own.toml")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[tuple[str, str, str]]:
    """Networks that were evaluated, by a law in place of training."""
    counts: Counter[tuple[str, str, str]] = Counter()

    def law(recipe: Recipe, model: str, data: str, format_name: str) -> dict[str, Any]:
        counts[model, data, format_name] += 1
        size = sum(map(ord, model)) % 37 + (data[-2:] == "16") * 20 + (format_name == "int8") * 7
        return {"correct": size, "total": 100, "cycles": None if size < 5 else 100.0 + size**2}

    monkeypatch.setattr(architectures, "evaluate", law)
    return counts


def test_what_is_found_is_written_and_nothing_is_done_twice(tmp_path: Path, asked: Counter) -> None:
    config = configured(tmp_path)
    flow.search(config, tmp_path / "run", pool=Pool(count=1))
    found = flow.load_search(tmp_path / "run", "zu3eg")
    rows = found["networks"]
    assert (found["space"], found["device"], found["clock_mhz"]) == (32, "zu3eg", 200)
    assert set(asked.values()) == {1}
    assert {(row["model"], row["data"], row["format"]) for row in rows} == set(asked)
    assert len(rows) == 12
    points = [(row["cycles"], -row["correct"]) for row in rows if row["cycles"]]
    for row in rows:
        own = (row["cycles"], -row["correct"])
        beaten = row["cycles"] is None or any(p[0] <= own[0] and p[1] <= own[1] and p != own for p in points)
        assert row["front"] is not beaten or points.count(own) > 1
    assert (tmp_path / "run" / "search" / "zu3eg" / "search.png").read_bytes()[:4] == b"\x89PNG"
    flow.search(config, tmp_path / "run", pool=Pool(count=1))
    flow.search(configured(tmp_path, 14), tmp_path / "run", pool=Pool(count=1))
    assert set(asked.values()) == {1}
    assert len(asked) == 14


def test_networks_are_named_so_that_a_configuration_takes_them() -> None:
    values = {"width": 0.5, "depth": "2.1", "kernel": 5, "expansion": 3, "format": "int4"}
    assert network(values, "digits_dvs", 2, 10) == ("backbone:w0.5-d2.1-k5-e3", "digits_dvs", "int4")
    smaller = {**values, "width": 1.0, "resolution": 16}
    assert network(smaller, "own.npz", 1, 4) == ("backbone:w1-d2.1-k5-e3-i1-c4", "own.npz@16", "int4")


def test_costs_are_octaves_and_missing_points() -> None:
    assert costs({"correct": 3, "total": 4, "cycles": 1024.0}) == latency_and_error(1024.0, 0.75) == (10.0, 25.0)
    assert costs({"correct": 3, "total": 4, "cycles": None}) is None


def test_without_resolutions_images_stay_as_they_are(tmp_path: Path) -> None:
    config = configured(tmp_path, **{"resolution = [8, 16]\n": ""})
    assert list(space_of(config).decisions) == ["width", "format", "depth", "expansion", "kernel"]


@pytest.mark.parametrize(
    ("old", "new", "error", "why"),
    [
        ("[8, 16]", "[8, 33]", DatasetError, "side: 33 must be 1 to 32"),
        ('"digits_dvs"', '"digits"', DatasetError, "'digits': is dense"),
        (
            "[search]",
            '[explore]\nobjective = "utilisation"\nframe_rate = 10\n[search]',
            UnsuitableError,
            "explore.objective: 'utilisation' must be 'latency' or 'bottleneck'",
        ),
        (
            "[search]",
            "[explore]\nactivity = 3\n[search]",
            UnsuitableError,
            "explore.activity: 3 must be 'mean' or 'p99'",
        ),
    ],
)
def test_what_cannot_be_searched_is_named(
    old: str, new: str, error: type[Exception], why: str, tmp_path: Path, asked: Callable
) -> None:
    with pytest.raises(error, match=why):
        flow.search(configured(tmp_path, **{old: new}), tmp_path / "run", pool=Pool(count=1))
    assert not asked


@pytest.mark.whole
def test_the_command_trains_measures_and_folds(tmp_path: Path) -> None:
    changes = {"[0.25, 0.5]": "[0.125]", "[8, 16]": "[8]", '["1.1", "2.1"]': '["1.1"]', '["int4", "int8"]': '["int4"]'}
    config = configured(tmp_path, 2, **changes, **{"[quantize]": "[train]\nepochs = 1\n[quantize]\nepochs = 0"})
    done = CliRunner().invoke(
        app, ["search", str(tmp_path / "own.toml"), "-o", str(tmp_path / "run"), "--workers", "1"]
    )
    assert done.exit_code == 0, done.output
    assert "that no other of 2 of 2 networks beats" in done.output
    rows = flow.load_search(tmp_path / "run", "zu3eg")["networks"]
    assert {row["model"] for row in rows} == {"backbone:w0.125-d1.1-k3-e1", "backbone:w0.125-d1.1-k3-e2"}
    recipe = architectures.recipe_of(config, config.device[0])
    kept = [json.loads(path.read_text()) for path in (tmp_path / "run" / "evaluations").rglob("*.json")]
    assert len(kept) == 2
    for row in rows:
        again = evaluate(recipe, row["model"], row["data"], row["format"])
        assert again == {key: row[key] for key in ("correct", "total", "cycles")}
        assert 0 < row["correct"] <= row["total"] == 248
    assert read_json(tmp_path / "run" / "search" / "zu3eg" / "search.json", "search", "search")["space"] == 2


@pytest.mark.whole
def test_the_cycles_of_sparse_frames_in_a_row_are_those_between_them() -> None:
    rng = np.random.default_rng(7)
    graph = random_sparse_net(rng, side=8)
    masks = few_sites(rng, graph.input.shape[:2], 16, 8)
    graph = with_activity(graph, masks)
    device, recipe = DEVICES["zu3eg"], Recipe(1, 0, utilisation=1.0, objective="bottleneck", gap=0.0)
    found = best(Table({"int4": graph}, device), SearchSettings(Objective.BOTTLENECK, 1.0, gap=0.0))
    run = Simulator(graph, found.mapping).run(masks * 20)
    simulated = mean(run.intervals[-160:])
    assert found.solver.objective < 0.8 * simulated
    assert architectures.cycles(graph, "int4", recipe) == pytest.approx(simulated, rel=0.03)
