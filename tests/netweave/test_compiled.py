"""What the environment is made with: after it, no simulation and no small exploration compiles anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.nets import random_mapping, residual_net
from benchmarks.inputs.sparse_nets import random_masks, random_sparse_net
from cosim.cycle.simulator import simulate
from dse.candidates import Table
from dse.explore import SearchSettings, best
from hw.fpga.families.registry import DEVICES

ROOT = Path(__file__).resolve().parents[2]


def later_commands() -> None:
    """A dense and a sparse simulation and an exploration, as a process of its own runs them."""
    rng = np.random.default_rng(0)
    dense, sparse = residual_net(rng, "int8"), random_sparse_net(rng)
    simulate(dense, random_mapping(rng, dense), 2)
    simulate(sparse, random_mapping(rng, sparse), random_masks(rng, sparse.input.shape[:2], 2))
    best(Table({"int8": dense}, DEVICES["zu3eg"]), SearchSettings(limit=0.5))


def compiled(folder: Path, *arguments: str) -> set[str]:
    """What Numba has kept in a folder once Python has run."""
    variables = {**os.environ, "NUMBA_CACHE_DIR": str(folder), "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=variables, check=True)
    return {str(path.relative_to(folder)) for path in folder.rglob("*.nbi")}


@pytest.mark.whole
def test_later_commands_compile_nothing(tmp_path: Path) -> None:
    first = compiled(tmp_path, "-m", "netweave.compiled")
    assert len(first) > 10
    assert compiled(tmp_path, "-c", f"from {__name__} import later_commands; later_commands()") == first
