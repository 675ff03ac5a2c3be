"""The scripts for Vivado, which is not there to run them: what they refer to exists, and their steps are in order."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.nets import chain_net, random_mapping
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from hw.generate.emit import generate
from hw.generate.parts import PARTS
from hw.generate.vivado import SCRIPTS, write_project
from hw.streams.manifest import load_manifest


@pytest.fixture(scope="module")
def design(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("vivado") / "design"
    rng = np.random.default_rng(0)
    graph = chain_net(rng)
    generate(graph, random_mapping(rng, graph), folder)
    return folder


@pytest.fixture(params=PARTS)
def project(request: pytest.FixtureRequest, design: Path, tmp_path: Path) -> tuple[str, Path]:
    name = request.param
    write_project(design, DEVICES[name], tmp_path / "project")
    return name, tmp_path / "project"


def joined(folder: Path, name: str) -> str:
    """A script with those it sources in their places, without comments, a command a line."""
    text = re.sub(r"\\\n\s*", " ", (folder / name).read_text())
    lines = []
    for line in text.splitlines():
        if found := re.fullmatch(r"source (\S+)", line):
            lines.append(joined(folder, found[1]))
        elif line.strip() and not line.lstrip().startswith("#"):
            lines.append(line)
    return "\n".join(lines)


def test_every_file_that_is_read_is_there(project: tuple[str, Path]) -> None:
    name, folder = project
    assert f"set part {{{PARTS[name].name}}}\n" in (folder / "settings.tcl").read_text()
    for script in folder.glob("*.tcl"):
        for source in re.findall(r"^source (\S+)", script.read_text(), re.M):
            assert (folder / source).is_file()
    sources = re.findall(r"^set sources \{(.*)\}", (folder / "settings.tcl").read_text(), re.M)[0].split()
    assert all((folder / source).is_file() for source in sources)
    makefile = (folder / "Makefile").read_text()
    assert all((folder / script).is_file() for script in re.findall(r"-source (\S+)", makefile))
    assert (folder / "design.tcl").exists() == (PARTS[name].processor is not None)


def test_every_variable_is_set_before_it_is_read(project: tuple[str, Path]) -> None:
    _, folder = project
    for script in ("synth.tcl", "package.tcl", *(["design.tcl"] if (folder / "design.tcl").exists() else [])):
        known: set[str] = set()
        for line in joined(folder, script).splitlines():
            if found := re.match(r"\s*foreach (\{.*?\}|\S+) ", line):
                known |= set(found[1].strip("{}").split())
            assert set(re.findall(r"\$(\w+)", line)) <= known, line
            if found := re.match(r"\s*set (\w+) ", line):
                known.add(found[1])
        text = joined(folder, script)
        assert all(text.count(a) == text.count(b) for a, b in ("{}", "[]"))


def test_widths_and_clock_are_the_design_s(design: Path, project: tuple[str, Path]) -> None:
    manifest = load_manifest(design)
    settings = dict(re.findall(r"^set (\w+) \{(.*)\}$", (project[1] / "settings.tcl").read_text(), re.M))
    axi = (design / "netweave_axi.v").read_text()
    for way, port in (("in", "s_axis"), ("out", "m_axis")):
        (high,) = re.findall(rf"^  (?:input|output) \[(\d+):0\] {port}_tdata;", axi, re.M)
        assert int(settings[f"{way}_bits"]) == int(high) + 1
        assert int(settings[f"{way}_memory_bits"]) >= 32
    assert float(settings["clock_mhz"]) == manifest.clock_mhz
    assert round(float(settings["period_ns"]) * manifest.clock_mhz) == 1000


def test_the_core_s_ports_make_the_interfaces_that_are_named(design: Path) -> None:
    """Vivado infers an interface from ports of one prefix."""
    axi = (design / "netweave_axi.v").read_text()
    (top,) = re.findall(r"^module netweave_axi\((.*?)\);", axi, re.M | re.S)
    ports = [port.strip() for port in top.split(",")]
    assert {re.sub(r"_[a-z]+$", "", port) for port in ports} == {"aclk", "aresetn", "s_axis", "m_axis", "s_axi"}
    for script in ("package.tcl", "design_common.tcl"):
        text = (SCRIPTS / script).read_text()
        assert all(bus in text for bus in ("s_axis", "m_axis", "s_axi", "aclk"))
    # a DMA engine writes as wide as the stream it is given
    assert "CONFIG.c_m_axis_mm2s_tdata_width $in_bits" in (SCRIPTS / "design_common.tcl").read_text()


@pytest.mark.parametrize("name", ["design_xcup.tcl", "design_xc7.tcl"])
def test_the_block_design_connects_what_it_made(name: str) -> None:
    text = "\n".join((SCRIPTS / part).read_text() for part in ("design_begin.tcl", name, "design_common.tcl"))
    cells = set(re.findall(r"^create_bd_cell -type ip -vlnv \S+ (\w+)$", text, re.M))
    assert cells == {"ps", "netweave_axi_0", "axi_dma_0", "control", "memory", "reset"}
    assert set(re.findall(r"\b(\w+)/(?:\w+)", re.sub(r"\S*system\S*|and/or|ip/", "", text))) <= cells
    # the driver's own example names the same cells
    driver = (Path(__file__).resolve().parents[3] / "hw" / "interface" / "driver.py").read_text()
    assert "overlay.axi_dma_0, overlay.netweave_axi_0" in driver


def test_a_design_for_another_clock(design: Path, tmp_path: Path) -> None:
    """The clock is the mapping's, not the device's default."""
    rng = np.random.default_rng(1)
    graph = chain_net(rng)
    mapping = random_mapping(rng, graph)
    generate(graph, Mapping("zcu102", 187.5, mapping.ops, mapping.queues), tmp_path / "design")
    write_project(tmp_path / "design", DEVICES["zcu102"], tmp_path / "project")
    settings = (tmp_path / "project" / "settings.tcl").read_text()
    assert "set clock_mhz {187.5}\nset period_ns {5.333}\n" in settings
