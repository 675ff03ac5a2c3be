"""Builds and runs of a testbench: what is built again, what is missing, and what a failure says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cosim.rtl import simulator as module
from cosim.rtl.run import simulate
from cosim.rtl.simulator import Build, SimulationError, SimulatorKind, build, environment, patched, run
from cosim.rtl.testbench_runner import Stalls
from tests.cosim.rtl.designs import FRAMES, LAYOUT, run_plus_one, write_verilog

SOURCES = [("netweave.v", "module netweave; endmodule"), ("testbench.v", "module testbench; endmodule")]


class Runner:
    """Stands for cocotb's runner of Icarus: a build is a file, a run writes what it is told to."""

    def __init__(self) -> None:
        self.builds: list[dict[str, Any]] = []
        self.runs: list[dict[str, Any]] = []
        self.result: dict[str, float] | None = {"cycles": 9, "timed_out": 0, "wall_seconds": 0.5}
        self.error: Exception | None = None

    def build(self, **options: Any) -> None:
        assert all(source.is_file() for source in options["sources"])
        options["log_file"].write_text("".join(f"line {n}\n" for n in range(40)))
        self.builds.append(options)
        if self.error:
            raise self.error
        options["build_dir"].mkdir()
        (options["build_dir"] / "sim.vvp").write_text("built")

    def test(self, **options: Any) -> None:
        self.runs.append({**options, "suffix": os.environ.get("SIM_CMD_SUFFIX")})
        if self.error:
            raise self.error
        if self.result is not None:
            (options["test_dir"] / "result.json").write_text(json.dumps(self.result))


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Runner:
    result = Runner()
    monkeypatch.setattr(module, "get_runner", lambda kind: {"icarus": result}[kind])
    monkeypatch.setattr(module, "environment", lambda kind, waveform: {})
    monkeypatch.setattr(module, "_version", lambda kind: "12.0")
    return result


def test_equal_sources_and_options_are_built_once(runner: Runner, tmp_path: Path) -> None:
    first = build(SimulatorKind.ICARUS, SOURCES, tmp_path)
    assert first == build(SimulatorKind.ICARUS, list(SOURCES), tmp_path)
    assert len(runner.builds) == 1
    assert (first.folder / "sim.vvp").read_text() == "built"
    others = [
        build(SimulatorKind.ICARUS, [SOURCES[0], ("testbench.v", "")], tmp_path),
        build(SimulatorKind.ICARUS, [SOURCES[0], ("bench.v", SOURCES[1][1])], tmp_path),
        build(SimulatorKind.ICARUS, SOURCES, tmp_path, waveform="waveform.vcd"),
    ]
    assert len({first.folder, *(other.folder for other in others)}) == len(runner.builds) == 4
    assert runner.builds[-1]["defines"] == {"WAVEFORM": '"waveform.vcd"'}
    # no scratch folder is left
    assert {path.name for path in tmp_path.iterdir()} == {first.folder.name, *(other.folder.name for other in others)}


def test_a_build_that_fails_is_not_stored_and_shows_the_end_of_its_log(runner: Runner, tmp_path: Path) -> None:
    runner.error = RuntimeError("exit 1")
    with pytest.raises(SimulationError) as error:
        build(SimulatorKind.ICARUS, SOURCES, tmp_path)
    tail = "\n".join(f"line {n}" for n in range(10, 40))
    assert str(error.value) == f"icarus could not build the design: exit 1\n{tail}"
    assert list(tmp_path.iterdir()) == []
    runner.error = None
    build(SimulatorKind.ICARUS, SOURCES, tmp_path)
    assert len(runner.builds) == 2


def test_a_run_gives_its_arguments_and_returns_its_counts(runner: Runner, tmp_path: Path) -> None:
    built = Build(SimulatorKind.ICARUS, tmp_path / "build", "waveform.fst")
    assert run(built, tmp_path, {"ends": 3, "limit": 100}) == runner.result
    (options,) = runner.runs
    assert options["plusargs"] == ["+ends=3", "+limit=100"]
    assert (options["build_dir"], options["test_dir"], options["suffix"]) == (built.folder, tmp_path, "-fst")
    assert "SIM_CMD_SUFFIX" not in os.environ


def test_a_run_that_fails_or_stops_early_is_an_error(runner: Runner, tmp_path: Path) -> None:
    built = Build(SimulatorKind.ICARUS, tmp_path / "build", None)
    runner.result = None
    with pytest.raises(SimulationError, match=r"^icarus stopped before the testbench was done"):
        run(built, tmp_path, {})
    runner.error = RuntimeError("exit 2")
    with pytest.raises(SimulationError, match=r"^icarus failed: exit 2"):
        run(built, tmp_path, {})


def test_environment_variables_are_put_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETWEAVE_OLD", "before")
    monkeypatch.delenv("NETWEAVE_NEW", raising=False)
    inside = {"NETWEAVE_OLD": "inside", "NETWEAVE_NEW": "inside"}

    def fail() -> None:
        with patched(inside):
            assert {name: os.environ[name] for name in inside} == inside
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert os.environ["NETWEAVE_OLD"] == "before"
    assert "NETWEAVE_NEW" not in os.environ


def test_headers_of_a_waveform_are_asked_for_where_it_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda program: program)
    monkeypatch.setattr(module.subprocess, "run", lambda command, **_: SimpleNamespace(returncode="lz4.h" in command))
    environment(SimulatorKind.VERILATOR, "waveform.vcd")
    assert environment(SimulatorKind.ICARUS, "waveform.fst") == {}
    with pytest.raises(SimulationError) as error:
        environment(SimulatorKind.VERILATOR, "waveform.fst")
    assert str(error.value) == (
        "an FST waveform from Verilator needs lz4.h; install by: sudo apt-get install liblz4-dev, or ask for .vcd"
    )


@pytest.mark.whole
def test_a_build_is_kept(tmp_path: Path, simulator: str) -> None:
    builds = tmp_path / "builds"
    run_plus_one(tmp_path, builds, simulator)
    before = {path: path.stat().st_mtime_ns for path in builds.iterdir()}
    run_plus_one(tmp_path, builds, simulator, stalls=Stalls(0.1))
    assert {path: path.stat().st_mtime_ns for path in builds.iterdir()} == before
    run_plus_one(tmp_path, builds, simulator, fault="wrong")
    assert len(list(builds.iterdir())) == len(before) + 1


def test_verilog_that_does_not_build(tmp_path: Path, build_dir: Path, simulator: str) -> None:
    verilog = tmp_path / "netweave.v"
    verilog.write_text("module netweave(input clk; endmodule")
    with pytest.raises(SimulationError, match=r"could not build the design: (.|\n)*netweave\.v"):
        simulate(verilog, LAYOUT, LAYOUT, FRAMES, simulator=simulator, build_dir=build_dir)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("verilator", r"Verilator needs g\+\+, make, perl, .* install by: sudo apt-get install g\+\+ make perl"),
        ("icarus", r"Icarus Verilog needs iverilog, vvp, .* install by: sudo apt-get install iverilog"),
    ],
)
def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    verilog = write_verilog(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulationError, match=message):
        simulate(verilog, LAYOUT, LAYOUT, FRAMES, simulator=name, build_dir=tmp_path / "builds")


def test_a_folder_that_make_cannot_take(tmp_path: Path, verilator: str) -> None:
    with pytest.raises(SimulationError, match=r"no folder with a space in its name: .*/my builds"):
        run_plus_one(tmp_path, tmp_path / "my builds", verilator)
