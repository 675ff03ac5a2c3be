"""Cosimulation of a design folder: every edge and layer, stalls, ``cosim.json``, and designs that are refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.nets import Builder, random_mapping
from benchmarks.inputs.ops import random_frame
from cosim.rtl.design import Cosim, CosimFileError, cosim, default_build_dir
from cosim.rtl.testbench_runner import Stalls
from hw.generate.emit import generate
from hw.ops.registry import build_all
from hw.streams.manifest import DesignError
from models.ir.activity import activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.serialize import save


def small_net(rng: np.random.Generator) -> Graph:
    """Two ways to an add, then linear: every kind of edge there is."""
    net = Builder(rng, (4, 4, 1), IntType(8, signed=False))
    stem = net.conv(2, 3, "int4")
    net.add(net.conv(2, 1, "int4"), stem, "int4")
    return net.linear(3, "int4")


@pytest.fixture(scope="module")
def graph() -> Graph:
    return small_net(np.random.default_rng(5))


@pytest.fixture(scope="module")
def design(graph: Graph, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "design"
    generate(graph, random_mapping(np.random.default_rng(6), graph), folder, probes=True)
    return folder


@pytest.mark.whole
def test_every_edge_and_layer_equals_golden(design: Path, graph: Graph, build_dir: Path, verilator: str) -> None:
    rng = np.random.default_rng(7)
    frames = [random_frame(rng, graph) for _ in range(5)]
    told: list[str] = []
    result = cosim(
        design, frames, simulator=verilator, probes=True, layers=True, build_dir=build_dir, progress=told.append
    )
    assert result.equal, str(result.check)
    assert set(result.check.streams) == {f"edge_{a}__{b}_{n}" for a, b, n in graph.edges} | {"o"}
    sizes = {name: np.prod(shape) for name, shape in graph.shapes.items()}
    assert result.check.values == 5 * (sum(sizes[a] for a, _, _ in graph.edges) + sizes[graph.output])
    assert (result.label, result.simulator, result.check.frames) == ("rtl", "verilator", 5)
    assert result.verilog == hashlib.sha256((design / "netweave_probes.v").read_bytes()).hexdigest()
    assert len(result.latency) == 5
    assert result.streams["o"].end == tuple(np.cumsum([result.streams["o"].end[0], *result.intervals]))
    assert result.first_latency == result.latency[0] < result.streams["o"].end[0]

    mapping = random_mapping(np.random.default_rng(6), graph)
    estimated = {
        name: op.cycles(activity(graph, None)[name]) for name, op in build_all(graph, dict(mapping.ops)).items()
    }
    assert set(result.layers) == set(estimated)
    # a frame in the whole takes as long as its slowest layer, which takes what its op says
    slowest = max(estimated, key=lambda name: estimated[name])
    assert result.layers[slowest].intervals[-1] == estimated[slowest]
    assert result.interval is not None
    assert result.interval >= max(layer.intervals[-1] for layer in result.layers.values())
    assert any("layer" in line for line in told)


@pytest.mark.whole
def test_stalls_change_no_integer(design: Path, graph: Graph, build_dir: Path, verilator: str) -> None:
    frames = [random_frame(np.random.default_rng(8), graph)]
    stalls = Stalls(0.5, 0.5, 9)
    result = cosim(design, frames, simulator=verilator, probes=True, stalls=stalls, build_dir=build_dir)
    assert result.equal, str(result.check)
    assert result.interval is None


@pytest.mark.whole
def test_cosim_json_holds_everything(
    design: Path, graph: Graph, build_dir: Path, verilator: str, tmp_path: Path
) -> None:
    other = small_net(np.random.default_rng(99))
    wrong = tmp_path / "design"
    generate(graph, random_mapping(np.random.default_rng(6), graph), wrong, probes=True)
    manifest = json.loads((wrong / "manifest.json").read_text())
    # the graph of other weights: the RTL must differ from its golden, and say where
    save(other, wrong)
    (wrong / "manifest.json").write_text(json.dumps(manifest))
    frames = [random_frame(np.random.default_rng(8), graph) for _ in range(2)]
    result = cosim(wrong, frames, simulator=verilator, probes=True, build_dir=build_dir)
    assert not result.equal
    first = result.check.mismatches[0]
    assert (first.layer, first.kind, first.frame) == (graph.nodes[1].name, "wrong value", 0)
    path = tmp_path / "cosim.json"
    result.save(path)
    assert Cosim.load(path) == result
    document = json.loads(path.read_text())
    assert (document["format"], document["version"], document["label"]) == ("netweave cosim", 1, "rtl")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "cosim.json"
    with pytest.raises(CosimFileError, match=r"cosim.json: does not exist"):
        Cosim.load(path)
    for text, message in [
        ("{", "is no readable JSON"),
        ("[]", "field 'format': must be 'netweave cosim'"),
        ('{"format": "netweave cosim", "version": 2}', "field 'version': 2; this netweave reads version 1"),
        ('{"format": "netweave cosim", "version": 1}', "a field is missing"),
    ]:
        path.write_text(text)
        with pytest.raises(CosimFileError, match=message):
            Cosim.load(path)


def test_wrong_designs_are_named(design: Path, graph: Graph, tmp_path: Path) -> None:
    frames = [random_frame(np.random.default_rng(8), graph)]
    with pytest.raises(DesignError, match=r"manifest.json: does not exist"):
        cosim(tmp_path, frames)
    with pytest.raises(ValueError, match="frames: there must be at least one"):
        cosim(design, [])
    plain = tmp_path / "plain"
    generate(graph, random_mapping(np.random.default_rng(6), graph), plain)
    with pytest.raises(DesignError, match=r"field 'probes': is empty; generate the design with probes"):
        cosim(plain, frames, probes=True)
    verilog = plain / "netweave.v"
    verilog.write_text(verilog.read_text() + "\n")
    with pytest.raises(DesignError, match=r"netweave.v: its SHA-256 is [0-9a-f]{64}, the manifest's [0-9a-f]{64}"):
        cosim(plain, frames)


def test_builds_go_to_the_users_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_build_dir() == tmp_path / "netweave" / "simulators"
