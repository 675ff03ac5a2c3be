"""A run's files become a report: figures of the stages that have run, and errors that name file and field."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.nets import chain_net
from models.ir.serialize import save
from reports.artifact import ArtifactError, write_json
from reports.collect import COSIM_VERSION, StageFolders, TargetDevice, collect
from reports.schema import AccuracyEntry, Label, Missing, Report, ResourcesEntry

ABOUT = {"name": "net", "model": "digits_cnn", "data": "digits", "netweave": "0.1.0"}
USED = {"lut": 17000, "ff": 8000, "bram": 3, "dsp": 42}
LAYER = {
    "op": "conv", "shape": "8x8x16", "weights": "int8", "activations": "uint8", "pe": 4, "simd": 2, "taps": 9,
    "memory": "lut", "multiplier": "dsp", "resources": {"lut": 900}, "density": 1.0, "occupancy": [],
}  # fmt: skip
FIGURES: dict[str, Any] = {
    "point": "p2",
    "estimated": {"latency": 6000, "bottleneck": 3000, "resources": USED},
    "simulated": {
        "latency": 6050, "bottleneck": 3010, "first": 6040,
        "edges": {"stem__a": [500, 3500], "stem__b": [520], "head__output": [6050], "idle__c": []},
    },
    "layers": [{**LAYER, "name": "stem", "cycles": 1000}, {**LAYER, "name": "head", "cycles": 3000}],
    "queues": [{"producer": "stem", "consumer": "head", "width": 23, "depth": 7, "why": "room"}],
    "test": [3, 4],
    "confusion": [[1, 1], [0, 2]],
    "density": None,
}  # fmt: skip
COSIM = {
    "format": "netweave cosim", "version": COSIM_VERSION, "latency": [6060, 6100], "intervals": [3000, 3020, 3100],
    "streams": {"i": {"first": [100, 3100]}, "edge_stem__a": {"end": [620, 3600]}, "edge_stem__b": {"end": [610]},
                "o": {"end": [6160]}},
    "layers": {"stem": {"intervals": [990, 1010, 1000], "mismatch": None},
               "head": {"intervals": [3000], "mismatch": {"beat": 3, "expected": 1, "actual": 2, "lane": None}}},
    "check": {"frames": 2, "streams": ["edge_stem__a", "edge_stem__b", "o"], "mismatches": []},
    "simulator": "verilator", "cycles": 9000, "wall_seconds": 3,
}  # fmt: skip
BUILD = {"board": "ulx3s-25f", "clock_mhz": 80, "fmax_mhz": 93.75, "bitstream": "board.bit", "resources": USED}


@pytest.fixture
def run(explored: Path) -> Path:
    """A run that has explored: its graph is saved with the design that is picked."""
    (explored / "train").mkdir()
    (explored / "quantize").mkdir()
    write_json(explored / "train" / "train.json", "train", {"validation": [533, 540], "test": [528, 539]})
    entry = {"post_training": [520, 540], "trained": [530, 540]}
    write_json(explored / "quantize" / "quantize.json", "quantize", {"uniform": {"int8": entry}})
    save(chain_net(np.random.default_rng(0)), explored / "p2")
    return explored


def collected(run: Path, figures: dict[str, Any] = FIGURES, **made: Any) -> Report:
    progress = StageFolders(**{"explored": run, "generated": None, "cosim": None, "build": None, "missing": [], **made})
    return collect(run, {"zu3eg": TargetDevice("A device", 0.7, USED, figures, progress)}, ABOUT)


def test_an_explored_run_has_estimates_alone(run: Path) -> None:
    missing = [Missing(stage="cosim", gives="RTL against golden")]
    report = collected(run, missing=missing)
    assert (report.accuracy, report.test) == (
        AccuracyEntry(correct=533, total=540),
        AccuracyEntry(correct=528, total=539),
    )
    assert [own.name for own in report.graph] == [node.name for node in chain_net(np.random.default_rng(0)).nodes]
    (target,) = report.targets
    assert [point.name for point in target.points] == [f"p{n}" for n in range(8)]
    assert (target.clock_mhz, target.missing) == (200, missing)
    design = target.design
    assert design.latency == {Label.ESTIMATED: 6000, Label.SIMULATED: 6050}
    assert design.resources == {Label.ESTIMATED: ResourcesEntry(**USED)}
    assert (design.check, design.built) == (None, None)
    # the last of the streams that leave a layer counts
    assert [layer.done for layer in design.layers] == [{Label.SIMULATED: 520}, {Label.SIMULATED: 6050}]


def test_each_stage_that_has_run_adds_its_figures(run: Path) -> None:
    for name in ("generate", "cosim", "ecp5-25k"):
        (run / name).mkdir()
    synthesis = {"resources": USED | {"lut": 16012}, "warnings": ["Resizing cell port"]}
    write_json(run / "generate" / "synthesis.json", "synthesis", synthesis)
    (run / "cosim" / "cosim.json").write_text(json.dumps(COSIM))
    write_json(run / "ecp5-25k" / "build.json", "build", BUILD)
    report = collected(run, generated=run / "generate", cosim=run / "cosim", build=run / "ecp5-25k")
    design = report.targets[0].design
    assert {label: own.lut for label, own in design.resources.items()} == {
        Label.ESTIMATED: 17000, Label.SYNTHESIZED: 16012, Label.ROUTED: 17000,
    }  # fmt: skip
    assert design.warnings == ["Resizing cell port"]
    # the first frame's latency, and the median of the intervals
    assert (design.latency[Label.RTL], design.bottleneck[Label.RTL]) == (6060, 3020)
    stem, head = design.layers
    # counted from the first beat that went in, at cycle 100
    assert stem.done == {Label.SIMULATED: 520, Label.RTL: 620 - 100}
    assert head.done == {Label.SIMULATED: 6050}
    assert (stem.cycles, head.cycles[Label.RTL]) == ({Label.ESTIMATED: 1000, Label.RTL: 1000}, 3000)
    check = design.check
    assert check is not None
    assert (check.images, check.edges, check.layers, check.mismatches, check.cycles_per_second) == (2, 2, 2, 1, 3000)
    assert check.first_mismatch == "beat 3, expected 1, actual 2"
    assert design.built is not None
    assert design.built.bitstream == "build/ecp5-25k/board.bit"


@pytest.mark.parametrize(
    "change, says",
    [
        ({"point": "p9"}, "estimate.json, field 'point': 'p9' is no design of the front; designs are p0, p1, p2"),
        ({"confusion": None}, "estimate.json, field 'confusion': None: Input should be a valid list"),
        ({"estimated": {"latency": 1}}, "estimate.json, field 'bottleneck': is missing"),
    ],
)
def test_wrong_figures_are_named(run: Path, change: dict[str, Any], says: str) -> None:
    if change.get("point"):
        save(chain_net(np.random.default_rng(0)), run / "p9")
    with pytest.raises(ArtifactError) as error:
        collected(run, {**FIGURES, **change})
    assert str(error.value).startswith(f"{run}/{says}")


def test_a_simulation_without_time_is_refused(run: Path) -> None:
    (run / "cosim.json").write_text(json.dumps(COSIM | {"latency": [0]}))
    with pytest.raises(ArtifactError, match=r"cosim\.json: a field is of the wrong kind or size: cycles of"):
        collected(run, cosim=run)


def test_a_stage_that_is_yet_to_run_is_named(run: Path) -> None:
    (run / "quantize" / "quantize.json").unlink()
    with pytest.raises(ArtifactError) as error:
        collected(run)
    path = run / "quantize" / "quantize.json"
    assert str(error.value) == f"{path}: is not there; `netweave quantize` makes it"
