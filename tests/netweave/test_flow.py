"""The order and resuming of stages, with stages that write a file instead of training and building."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from netweave import designs, flow, front_search, networks
from netweave.config import Config
from netweave.listener import Listener
from netweave.stamp import STAMP
from reports.artifact import ArtifactError
from reports.collect import StageFolders

BASE: dict[str, Any] = {"name": "net", "device": [{"name": "zu3eg"}]}
ORDER = ["train", "quantize", "explore", "generate", "cosim", "report"]


class Stages:
    """Replaces what the stages do; counts how often each did it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[str] = []
        self.reported: dict[str, StageFolders] = {}
        self.failing = ""
        modules = {networks: ["train", "quantize"], front_search: ["explore"]}
        modules[designs] = ["generate", "cosim", "build", "report"]
        for module, name in ((module, name) for module, names in modules.items() for name in names):
            monkeypatch.setattr(module, name, self._stage(name))

    def _stage(self, name: str) -> Any:
        def write(config: Any, *rest: Any) -> None:
            folder: Path = rest[-1]
            self.calls.append(name)
            if name == "report":
                self.reported = rest[2]
            (folder / "made.json").write_text(json.dumps([name, config.train.epochs if name == "train" else 0]))
            if name == self.failing:
                raise KeyboardInterrupt

        return write


class Warned(Listener):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> Stages:
    return Stages(monkeypatch)


def config(**changes: Any) -> Config:
    return Config.model_validate(BASE | changes)


def files(run: Path) -> set[str]:
    return {path.relative_to(run).as_posix() for path in run.rglob("made.json")}


EVERYTHING = {
    "train/made.json",
    "quantize/made.json",
    "explore/zu3eg/made.json",
    "generate/zu3eg/made.json",
    "cosim/zu3eg/made.json",
    "report/made.json",
}


def test_all_stages_in_order_and_once(stages: Stages, tmp_path: Path) -> None:
    flow.run(config(), tmp_path)
    assert stages.calls == ORDER
    assert files(tmp_path) == EVERYTHING
    flow.run(config(), tmp_path)
    assert stages.calls == ORDER


@pytest.mark.parametrize(
    "changes, again",
    [
        ({"train": {"epochs": 7}}, ORDER),
        ({"quantize": {"epochs": 7}}, ["quantize", "explore"]),
        ({"explore": {"budgets": 7}}, ["explore"]),
        ({"device": [{"name": "zu3eg", "max_loss": 7.0}]}, ["explore", "generate"]),
        ({"cosim": {"images": 7}}, ["cosim"]),
        ({"cosim": {"probes": True}}, ["generate", "cosim"]),
        ({"name": "other"}, ["report"]),
    ],
)
def test_what_changed_is_made_again(stages: Stages, tmp_path: Path, changes: dict[str, Any], again: list[str]) -> None:
    """The stand-ins write the same whatever they read, so only what reads a setting itself is made again."""
    flow.run(config(), tmp_path)
    stages.calls.clear()
    flow.run(config(**changes), tmp_path)
    if again == ORDER:
        # train.json differs, and so does the hash of all that follows from it
        assert stages.calls[:2] == ORDER[:2]
    else:
        assert stages.calls == again


def test_a_bitstream_is_built_where_a_board_is_named(stages: Stages, tmp_path: Path) -> None:
    wanted = config(device=[{"board": "ulx3s-85f"}])
    flow.run(config(device=[{"name": "ecp5-85k"}]), tmp_path)
    assert "build" not in stages.calls
    stages.calls.clear()
    flow.run(wanted, tmp_path)
    assert stages.calls == ["generate", "build", "report"]
    assert "build/ecp5-85k/made.json" in files(tmp_path)
    stages.calls.clear()
    flow.run(config(device=[{"board": "ulx3s-85f", "seeds": 3}]), tmp_path)
    assert stages.calls == ["build"]
    (tmp_path / "generate" / "ecp5-85k" / "made.json").write_text("edited by hand")
    stages.calls.clear()
    flow.build(wanted, tmp_path, force=True)
    assert stages.calls == ["build"]


def test_changed_artifact_is_noticed_downstream(stages: Stages, tmp_path: Path) -> None:
    flow.run(config(), tmp_path)
    stages.calls.clear()
    (tmp_path / "generate" / "zu3eg" / "made.json").write_text("edited by hand")
    with pytest.raises(ArtifactError, match=r"made.json: was changed since `netweave generate`"):
        flow.cosim(config(), tmp_path)
    assert not stages.calls
    flow.cosim(config(), tmp_path, force=True)
    assert stages.calls == ["cosim"]
    flow.run(config(), tmp_path)
    assert stages.calls == ["cosim", "generate", "cosim"], "a run restores what a stage made"


READS = {
    "quantize": ["train"],
    "explore": ["train", "quantize"],
    "generate": ["train", "explore/zu3eg"],
    "cosim": ["generate/zu3eg"],
    "report": ["train", "quantize", "explore/zu3eg", "generate/zu3eg", "cosim/zu3eg"],
}


@pytest.mark.parametrize("stage, folder", [(stage, folder) for stage, folders in READS.items() for folder in folders])
@pytest.mark.parametrize("how", ["changed", "removed", "added", "stamp"])
def test_a_stage_refuses_a_folder_that_is_not_as_it_was_written(
    stages: Stages, tmp_path: Path, stage: str, folder: str, how: str
) -> None:
    flow.run(config(), tmp_path)
    made, maker = tmp_path / folder / "made.json", folder.partition("/")[0]
    match how:
        case "changed":
            content = bytearray(made.read_bytes())
            content[3] ^= 1
            made.write_bytes(content)
        case "removed":
            made.unlink()
        case "added":
            made = made.with_name("other.json")
            made.touch()
        case "stamp":
            made, how = made.with_name(STAMP), "removed"
            made.unlink()
    stages.calls.clear()
    said = f"{made}: was {how} since `netweave {maker}` made the folder; `netweave {maker} CONFIG.toml` makes it again"
    with pytest.raises(ArtifactError, match=re.escape(said)):
        flow.STAGES[stage](config(), tmp_path)
    assert not stages.calls
    heard = Warned()
    flow.STAGES[stage](config(), tmp_path, heard, force=True)
    assert heard.warnings == [f"{made}: was {how} since `netweave {maker}` made the folder; it is taken as it is"]


@pytest.mark.parametrize("stage", ORDER)
def test_interrupted_stage_leaves_nothing_and_is_resumed(stages: Stages, tmp_path: Path, stage: str) -> None:
    stages.failing = stage
    with pytest.raises(KeyboardInterrupt):
        flow.run(config(), tmp_path)
    assert len(files(tmp_path)) == ORDER.index(stage)
    assert not list(tmp_path.rglob(".*"))
    stages.failing = ""
    stages.calls.clear()
    flow.run(config(), tmp_path)
    assert stages.calls == ORDER[ORDER.index(stage) :]
    assert files(tmp_path) == EVERYTHING


@pytest.mark.parametrize("stage", ORDER[1:])
def test_missing_input_names_the_command_that_makes_it(stages: Stages, tmp_path: Path, stage: str) -> None:
    with pytest.raises(ArtifactError, match=r"is not there; `netweave \w+ CONFIG.toml` makes it"):
        flow.STAGES[stage](config(), tmp_path, Listener())
    assert not stages.calls


def reported(stages: Stages, config: Config, run: Path) -> list[str]:
    """The stages that a report misses, made now; what it has is there."""
    flow.report(config, run)
    ((device, made),) = stages.reported.items()
    folders = {"generate": made.generated, "cosim": made.cosim, "build": made.build}
    missing = [own.stage for own in made.missing]
    assert {stage for stage, folder in folders.items() if folder} & {*missing} == set()
    assert all(folder == run / stage / device for stage, folder in folders.items() if folder)
    return missing


def test_a_report_is_made_from_the_front_on_and_says_what_is_missing(stages: Stages, tmp_path: Path) -> None:
    wanted = config(device=[{"board": "ulx3s-85f"}])
    flow.train(wanted, tmp_path)
    flow.quantize(wanted, tmp_path)
    with pytest.raises(ArtifactError, match=r"ecp5-85k: is not there; `netweave explore CONFIG.toml` makes it"):
        flow.report(wanted, tmp_path)
    flow.explore(wanted, tmp_path)
    assert reported(stages, wanted, tmp_path) == ["generate", "cosim", "build"]
    flow.generate(wanted, tmp_path)
    assert reported(stages, wanted, tmp_path) == ["cosim", "build"]
    flow.cosim(wanted, tmp_path)
    assert reported(stages, wanted, tmp_path) == ["build"]
    flow.build(wanted, tmp_path)
    assert reported(stages, wanted, tmp_path) == []
    calls = list(stages.calls)
    flow.run(wanted, tmp_path)
    assert stages.calls == calls, "the last report has all"


def test_a_report_leaves_out_what_was_made_from_another_design(stages: Stages, tmp_path: Path) -> None:
    flow.run(config(), tmp_path)
    other = config(device=[{"name": "zu3eg", "pick": "knee"}])
    flow.explore(other, tmp_path)
    assert reported(stages, other, tmp_path) == ["generate", "cosim"]
    flow.generate(other, tmp_path)
    assert reported(stages, other, tmp_path) == [], "the stand-ins make the same design again"
    flow.generate(config(cosim={"probes": True}, device=[{"name": "zu3eg", "pick": "knee"}]), tmp_path)
    assert reported(stages, other, tmp_path) == ["generate", "cosim"]


def test_a_report_of_no_more_than_a_front_follows_what_it_reckons_with(stages: Stages, tmp_path: Path) -> None:
    for stage in ORDER[:3]:
        flow.STAGES[stage](config(), tmp_path)
    for changes, again in (
        ({}, True),
        ({}, False),
        ({"cosim": {"images": 7}}, True),
        ({"cosim": {"images": 7}}, False),
    ):
        stages.calls.clear()
        flow.report(config(**changes), tmp_path)
        assert stages.calls == ["report"] * again
