"""An exploration killed half-way, or robbed of a worker, gives the front that an undisturbed one gives."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import highspy
import pytest

from cosim.cycle.simulator import simulate
from dse.estimate import estimate
from dse.explore import SearchSettings
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from models.ir.serialize import load
from netweave.config import Config, Explore
from netweave.exploration import Exploration

ROOT = Path(__file__).resolve().parents[2]
CONFIG = f"""
model = "{ROOT}/examples/own_network.py:build"
[train]
epochs = 2
[quantize]
formats = ["int4", "dybit4"]
epochs = 0
[explore]
budgets = 2
points = 1
error_step = 0.5
[[device]]
name = "ecp5-25k"
"""


@pytest.fixture(scope="module")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is ready to be explored."""
    folder = tmp_path_factory.mktemp("quantized")
    (folder / "own.toml").write_text(CONFIG)
    for stage in ("train", "quantize"):
        subprocess.run([*_command(folder, stage)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    return folder


@pytest.fixture(scope="module")
def explored(quantized: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was explored without disturbance."""
    folder = _copy(quantized, tmp_path_factory.mktemp("explored"))
    _explored(folder)
    return folder


@pytest.fixture(scope="module")
def undisturbed(explored: Path) -> dict[str, Any]:
    return _front(explored)


def _command(folder: Path, stage: str, *options: str) -> list[str]:
    place = ["-o", str(folder / "run")]
    return [sys.executable, "-m", "netweave", stage, str(folder / "own.toml"), *place, *options]


def _copy(quantized: Path, folder: Path) -> Path:
    return Path(shutil.copytree(quantized, folder, dirs_exist_ok=True))


def _explored(folder: Path, *options: str) -> dict[str, Any]:
    """The front of the run, once it is explored to the end; how long the solver took is no part of it."""
    subprocess.run(_command(folder, "explore", *(options or ("--workers", "1"))), check=True, cwd=ROOT)
    return _front(folder)


def _front(folder: Path) -> dict[str, Any]:
    front = json.loads((folder / "run" / "explore" / "ecp5-25k" / "front.json").read_text())
    for point in front["points"]:
        del point["solver"]["seconds"]
    return front


def _verified(front: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "netweave", "verify", str(front), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.whole
def test_a_front_is_verified_and_a_changed_one_refused(explored: Path, tmp_path: Path) -> None:
    folder = _copy(explored, tmp_path)
    points = _front(folder)["points"]
    front = folder / "run" / "explore" / "ecp5-25k" / "front.json"
    shown = _verified(front)
    assert shown.returncode == 0, shown.stderr
    assert [line.split(":")[0] for line in shown.stdout.splitlines()] == [f"✓ {point['name']}" for point in points]
    entry = json.loads(front.read_text())
    entry["points"][-1]["solver"]["bound"] += 0.5
    entry["points"][-1]["solver"]["objective"] += 0.5
    front.write_text(json.dumps(entry))
    refused = _verified(front)
    assert refused.returncode == 2
    assert "front.json: was changed since" in " ".join(refused.stderr.split())
    refused = _verified(front, "--force")
    assert refused.returncode == 2
    assert f"point {points[-1]['name']!r}: its proof says" in " ".join(refused.stderr.split())


@pytest.mark.whole
def test_each_designs_program_is_written_for_other_solvers(explored: Path, tmp_path: Path) -> None:
    folder = _copy(explored, tmp_path)
    points = _explored(folder, "--workers", "1", "--write-lp")["points"]
    written = folder / "run" / "lp" / "ecp5-25k"
    assert {path.name for path in written.iterdir()} == {f"{point['name']}.lp" for point in points}
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    for point in points:
        assert highs.readModel(str(written / f"{point['name']}.lp")) == highspy.HighsStatus.kOk
        highs.run()
        # the program does not round latencies up to whole cycles
        assert highs.getInfo().objective_function_value <= point["solver"]["objective"] * (1 + 1e-6)


def _results(folder: Path, what: str) -> list[dict[str, Any]]:
    """Inputs and result of each evaluation of a kind."""
    return [json.loads(path.read_text()) for path in (folder / "run" / "evaluations" / what).glob("[!.]*.json")]


@pytest.mark.whole
def test_a_design_is_the_best_simulated_of_those_near_the_programs(explored: Path) -> None:
    device = DEVICES["ecp5-25k"]
    found = {}
    for group in _results(explored, "designs"):
        inputs = group["inputs"]
        for design in group["result"]["designs"]:
            found[inputs["family"], inputs["budget_fraction"], str(design["choice"])] = design
    networks = [(entry["inputs"]["assignment"], entry) for entry in _results(explored, "cycles")]
    polished = _results(explored, "improved")
    assert polished
    for near in polished:
        inputs, result = near["inputs"], near["result"]
        design = found[inputs["family"], inputs["budget_fraction"], str(inputs["choice"])]
        assert any(
            assignment == inputs["assignment"] and entry["inputs"]["mapping"] == result["mapping"]
            for assignment, entry in networks
        )
        graph = load(explored / "run" / "explore" / "ecp5-25k" / design["name"])
        before, after = (
            simulate(graph, Mapping.of(mapping)).first_latency for mapping in (design["mapping"], result["mapping"])
        )
        assert result["tried"] > 0
        assert after == pytest.approx((1 - result["gained"]) * before)
        assert after <= before
        # as counted from the mapping, not by the program
        taken = estimate(graph, Mapping.of(result["mapping"]), device).resources
        assert all(taken[kind] <= limit for kind, limit in design["solver"]["limits"].items() if kind in taken)


def _finished(folder: Path) -> dict[Path, int]:
    """When each finished evaluation was written."""
    return {path: path.stat().st_mtime_ns for path in (folder / "run" / "evaluations").glob("*/[!.]*.json")}


def _wait(folder: Path, run: subprocess.Popen[bytes], count: int) -> None:
    while len(_finished(folder)) < count:
        assert run.poll() is None, "the exploration ended before it could be disturbed"
        time.sleep(0.02)


@pytest.mark.whole
def test_a_killed_exploration_goes_on_where_it_was(
    quantized: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    folder = _copy(quantized, tmp_path)
    run = subprocess.Popen(_command(folder, "explore", "--workers", "1"), cwd=ROOT, stdout=subprocess.DEVNULL)
    _wait(folder, run, 6)
    run.send_signal(signal.SIGKILL)
    run.wait()
    finished = _finished(folder)
    assert not (folder / "run" / "explore" / "ecp5-25k").exists()
    assert _explored(folder) == undisturbed
    again = _finished(folder)
    assert len(finished) < len(again)
    assert {path: again[path] for path in finished} == finished


@pytest.mark.whole
def test_a_lost_worker_changes_nothing(quantized: Path, undisturbed: dict[str, Any], tmp_path: Path) -> None:
    folder = _copy(quantized, tmp_path)
    run = subprocess.Popen(_command(folder, "explore", "--workers", "2"), cwd=ROOT, stdout=subprocess.DEVNULL)
    _wait(folder, run, 2)
    os.kill(_workers(run.pid)[0], signal.SIGKILL)
    assert run.wait() == 0
    finished = _finished(folder)
    assert _explored(folder) == undisturbed
    assert _finished(folder) == finished


def _workers(pid: int) -> list[int]:
    """The worker processes that it has started, from whichever of its threads."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
    return [child for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


@pytest.mark.whole
def test_no_design_takes_more_than_its_limits(explored: Path) -> None:
    whole = json.loads((explored / "run" / "explore" / "ecp5-25k" / "designs.json").read_text())
    for point in whole["points"]:
        budget_fraction = float(point["name"].rpartition("-")[2]) / 100
        part = {kind: budget_fraction * getattr(DEVICES["ecp5-25k"], kind) for kind in point["resources"]}
        assert all(taken <= part[kind] + 1 for kind, taken in point["resources"].items()), point["name"]


def test_limits_are_counted_in_cycles_of_the_clock() -> None:
    table = {"frame_rate": 1000.0, "max_latency_ms": 0.25}
    config = Config.model_validate({"name": "x", "device": [{"name": "zu3eg", "clock_mhz": 100}], "explore": table})
    search = Exploration(config, config.device[0], Path(), Path(), Path()).search
    assert (search.max_cycles, search.max_latency) == (100_000, 25_000)


def test_what_a_configuration_leaves_out_is_what_a_search_leaves_out() -> None:
    explore, search = Explore(), SearchSettings()
    assert search.whole == 1
    assert (explore.budgets, explore.gap, explore.error_step) == (search.budgets, search.gap, search.error_step)
    assert (explore.objective, explore.speedups, explore.max_errors) == (search.objective, [], [])
    assert (search.speedups, search.max_errors, search.max_cycles, search.max_latency) == ((), (), None, None)
