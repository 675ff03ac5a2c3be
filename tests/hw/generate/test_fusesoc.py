"""The core file as FuseSoC itself reads it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from benchmarks.inputs.nets import chain_net, random_mapping
from hw.generate.emit import generate
from hw.generate.fusesoc import vlnv


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fusesoc") / "design"
    rng = np.random.default_rng(0)
    graph = chain_net(rng)
    generate(graph, random_mapping(rng, graph), folder)
    return folder


def fusesoc(design: Path, work: Path, *arguments: str) -> str:
    # settings and caches of whoever runs this stay out of it
    home = {"HOME": str(work), "XDG_CONFIG_HOME": str(work), "XDG_CACHE_HOME": str(work), "XDG_DATA_HOME": str(work)}
    command = [sys.executable, "-m", "fusesoc.main", "--cores-root", str(design), *arguments]
    done = subprocess.run(
        command, cwd=work, capture_output=True, text=True, check=False, env={"PATH": os.environ["PATH"], **home}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_fusesoc_knows_the_core_and_its_targets(design: Path, tmp_path: Path) -> None:
    shown = fusesoc(design, tmp_path, "core", "show", vlnv("net"))
    assert "netweave:accelerator:net:1.0.0" in shown
    assert all(target in shown for target in ("default", "lint", "synth"))


@pytest.mark.parametrize("target, tool", [("lint", "verilator"), ("synth", "vivado")])
def test_a_target_is_set_up_with_files_that_are_there(design: Path, tmp_path: Path, target: str, tool: str) -> None:
    fusesoc(
        design, tmp_path, "run", "--setup", "--target", target, "--build-root", str(tmp_path / "build"), vlnv("net")
    )
    (described,) = (tmp_path / "build").rglob("*.eda.yml")
    project = yaml.safe_load(described.read_text())
    assert project["toplevel"] == "netweave_axi"
    files = [described.parent / file["name"] for file in project["files"]]
    assert {file.name for file in files} == {"netweave.v", "netweave_axi.v"}
    assert all(file.is_file() for file in files)
    if tool == "vivado":
        assert "xczu3eg-sbva484-1-e" in described.read_text()


def test_a_network_s_name_becomes_one_that_fusesoc_takes() -> None:
    assert vlnv("my net-2.0") == "netweave:accelerator:my_net_2_0:1.0.0"
