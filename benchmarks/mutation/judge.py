"""Whether tests notice a fault: a child process runs them over a copy of the repository that has it.

Children are forked from a process that has loaded the libraries and nothing of the repository, so that a fault costs
the time of its tests and not of loading PyTorch.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

LIBRARIES = (
    "numpy", "torch", "numba", "pandas", "amaranth.sim", "pulp", "highspy", "ortools.sat.python.cp_model", "hypothesis",
    "sklearn.datasets", "scipy.stats", "networkx", "pydantic", "matplotlib.pyplot", "rich.console", "typer",
)  # fmt: skip


class Noticed:
    """A plugin of pytest that writes down the first test that fails."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.path.write_text(report.nodeid, encoding="utf-8")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.path.write_text(f"{report.nodeid} (collection)", encoding="utf-8")


def copied(root: Path, folder: Path) -> Path:
    """A fresh copy of the files that git knows or does not ignore, and of the way to the data beside the repository."""
    shutil.rmtree(folder, ignore_errors=True)
    tree = folder / "tree"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (root / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, tree / name)
    (folder / "shared").symlink_to(root.resolve().parent / "shared")
    return tree


def load() -> None:
    """Load what every test needs, once."""
    for name in LIBRARIES:
        importlib.import_module(name)


def noticed(tree: Path, tests: Sequence[str], limit: float) -> str | None:
    """The first test that fails in a copy of the repository; None where all of them pass.

    ``tests``: paths below the copy, in the order in which they are run.
    ``limit``: seconds after which a fault counts as noticed, since tests that end otherwise do not end with it.
    """
    word = tree.parent / "noticed"
    word.unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        os.setsid()
        _run(tree, tests, word)
    begin, status = time.monotonic(), None
    while time.monotonic() - begin < limit:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            break
        time.sleep(0.05)
    else:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return f"no end within {limit:.0f} s"
    code = os.waitstatus_to_exitcode(status)
    if code == 0:
        return None
    return word.read_text(encoding="utf-8") if word.is_file() else f"pytest ended with {code}"


def _run(tree: Path, tests: Sequence[str], word: Path) -> None:
    """In a child: run tests in the copy and end with pytest's status."""
    os.chdir(tree)
    os.environ["PYTHONPATH"] = str(tree)
    sys.path[:] = [str(tree), *(place for place in sys.path if place and not (Path(place) / "netweave").is_dir())]
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if "__editable__" not in str(getattr(finder, "__module__", ""))
    ]
    for name in [name for name in sys.modules if name.partition(".")[0] in ("benchmarks", "tests")]:
        del sys.modules[name]
    out = os.open(tree.parent / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    code = 70
    try:
        options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist"]
        code = pytest.main([*options, *tests], plugins=[Noticed(word)])
    finally:
        os._exit(int(code))
