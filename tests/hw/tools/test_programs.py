"""Programs are what their packages install, and each runs to its end with its output in a log."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from hw.tools import programs
from hw.tools.programs import command, program, run
from hw.tools.toolchains.registry import TOOLCHAINS

NAMES = ["yosys", *(name for toolchain in TOOLCHAINS.values() for name in toolchain.programs)]
SCRIPTS = {script.name: script.value for script in entry_points(group="console_scripts")}


@pytest.mark.parametrize("name", NAMES)
def test_a_program_is_the_one_that_its_package_installs(name: str) -> None:
    """What the Makefile of a board calls is on the PATH; a package's script calls the function that netweave calls."""
    module, _, function = SCRIPTS[command(name)].partition(":")
    _, option, called = program(name)
    if option == "-m":
        assert called == module
    else:
        own = function.removeprefix("_").removesuffix("_argv")
        assert called == f"import sys, {module}; sys.exit({module}.{own}(sys.argv[1:]))"


@pytest.fixture
def _python(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is Python itself, without what it would load."""
    monkeypatch.setattr(programs, "program", lambda name: [sys.executable, "-I", "-S", "-u"])


@pytest.mark.usefixtures("_python")
def test_output_and_errors_are_in_the_log_and_its_lines_are_reported(tmp_path: Path) -> None:
    log, lines = tmp_path / "logs" / "run.log", []
    code = "import os, sys; print(os.getcwd()); print('short', file=sys.stderr); print('end', end=''); sys.exit(3)"
    assert run("yosys", ["-c", code], tmp_path, log, lines.append) == 3
    assert lines == [str(tmp_path), "short", "end"]
    assert log.read_text() == f"{tmp_path}\nshort\nend"


@pytest.mark.usefixtures("_python")
def test_a_listener_that_fails_ends_the_program(tmp_path: Path) -> None:
    """The program would wait for ten minutes; its process is gone when the error is out."""

    def stop(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt) as error:
        run("yosys", ["-c", "import os, time; print(os.getpid()); time.sleep(600)"], tmp_path, tmp_path / "log", stop)
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(error.value)), 0)


@pytest.mark.usefixtures("_python")
def test_bytes_that_are_no_text_stop_nothing(tmp_path: Path) -> None:
    code = r"import sys; sys.stdout.buffer.write(b'\xff\n')"
    assert run("yosys", ["-c", code], tmp_path, tmp_path / "log") == 0
    assert (tmp_path / "log").read_text() == "�\n"
