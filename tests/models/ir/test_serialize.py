"""Graphs come back from disk as they were, and wrong files say what is wrong with them."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.ir import golden
from models.ir.graph import Graph
from models.ir.serialize import GraphFileError, graphs_equal, load, save
from tests.models.ir.builders import UINT8, every_op, random_frame


@pytest.fixture
def graph() -> Graph:
    return every_op(np.random.default_rng(0))


@pytest.fixture
def folder(graph: Graph, tmp_path: Path) -> Path:
    save(graph, tmp_path / "graph")
    return tmp_path / "graph"


def test_round_trip_loses_nothing(graph: Graph, folder: Path) -> None:
    back = load(folder)
    assert graphs_equal(graph, back)
    for old, new in zip(graph.nodes, back.nodes, strict=True):
        assert type(old) is type(new)
        for field in dataclasses.fields(old):
            before, after = getattr(old, field.name), getattr(new, field.name)
            assert type(before) is type(after)
            if field.name in ("dtype", "weight_dtype", "inputs", "scale", "shape"):
                assert before == after
    assert back.stats == graph.stats
    frame = random_frame(np.random.default_rng(1), graph.input.shape, UINT8, 0.5)
    assert golden.run(graph, frame) == golden.run(back, frame)


def test_the_arrays_have_the_promised_names(folder: Path) -> None:
    with np.load(folder / "weights.npz") as archive:
        names = set(archive.files)
    assert {"stem/weight", "stem/requant.bias", "cast/requant.mult", "join/a.bias", "join/b.mult", "fc/weight"} < names
    assert sorted(path.name for path in folder.iterdir()) == ["graph.json", "weights.npz"]


def test_the_same_graph_gives_the_same_bytes(
    graph: Graph, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 2e9)
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(2e9))
    save(load(folder), tmp_path / "again")
    for name in ("graph.json", "weights.npz"):
        first, second = ((path / name).read_bytes() for path in (folder, tmp_path / "again"))
        assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()


def test_graphs_equal_sees_every_kind_of_difference(graph: Graph) -> None:
    def with_node(**changes: Any) -> Graph:
        return graph.replace(nodes=(graph.nodes[0], dataclasses.replace(graph.nodes[1], **changes), *graph.nodes[2:]))

    stem = graph["stem"]
    weight = stem.weight.copy()  # type: ignore[attr-defined]
    weight.flat[5] ^= 1
    requant = stem.requant  # type: ignore[attr-defined]
    others = [
        graph.replace(name="other"),
        graph.replace(stats={}),
        with_node(scale=0.25),
        with_node(weight=weight),
        with_node(requant=dataclasses.replace(requant, bias=requant.bias + 1)),
        with_node(requant=dataclasses.replace(requant, shift=requant.shift + 1)),
    ]
    assert graphs_equal(graph, every_op(np.random.default_rng(0)))
    assert [graphs_equal(graph, other) for other in others] == [False] * len(others)


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "graph.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda d: d.update(version=6), "field 'version': 6 was written by a newer netweave; this one reads 5"),
        (lambda d: d.update(version="1"), "field 'version': '1' must be 5"),
        (lambda d: d.update(format="onnx"), "field 'format': 'onnx' must be 'netweave graph'"),
        (lambda d: d.update(extra=1), "field 'extra' is unknown; valid are format, version"),
        (lambda d: d.pop("nodes"), "field 'nodes': None must be a JSON list"),
        (lambda d: d["nodes"].append(7), r"field 'nodes\[10\]': 7 must be an object"),
        (lambda d: d["nodes"][1].update(op="softmax"), "node 'stem', field 'op': 'softmax' must be one of input, conv"),
        (lambda d: d["nodes"][1].pop("name"), r"field 'nodes\[1\].name': None must be a text"),
        (lambda d: d["nodes"][1].update(offset=2), "node 'stem', field 'offset': 2 is unknown; valid are name"),
        (lambda d: d["nodes"][1].pop("kernel"), "node 'stem', field 'kernel': None is missing"),
        (lambda d: d["nodes"][1].update(kernel="3"), "node 'stem', field 'kernel': '3' must be an integer or a list"),
        (lambda d: d["nodes"][1].update(kernel=True), "node 'stem', field 'kernel': True must be an integer or a list"),
        (lambda d: d["nodes"][1].update(kernel=17), "graph node 'stem', field 'kernel': 17 must be 1 to 15"),
        (lambda d: d["nodes"][1].update(dtype="fp16"), "node 'stem', field 'dtype': 'fp16' is no number format"),
        (lambda d: d["nodes"][1].update(dtype="int99"), "node 'stem', field 'dtype': 'int99' is no number format"),
        (lambda d: d["nodes"][1].update(inputs="input"), "field 'inputs': 'input' must be a list of type str"),
        (lambda d: d["nodes"][0].update(shape=[1, 2]), r"node 'input', field 'shape': \[1, 2\] must be 3 values"),
        (lambda d: d["nodes"][1].update(requant=3), "node 'stem', field 'requant': 3 must be an object"),
        (lambda d: d["nodes"][1]["requant"].pop("lo"), "node 'stem', field 'requant.lo': None is missing"),
        (lambda d: d["nodes"][1]["requant"].update(zero=0), "node 'stem', field 'requant.zero': 0 is unknown"),
        (lambda d: d["nodes"][1].update(weight=[1]), r"node 'stem', field 'weight': \[1\] must be"),
        (lambda d: d["nodes"][1]["weight"].update(shape=[4, 3, 9]), r"shape \(4, 3, 3, 3\) must be \(4, 3, 9\)"),
        (lambda d: d["nodes"][1]["weight"].update(shape=[4.0]), "node 'stem', field 'weight'"),
        (lambda d: d["nodes"].pop(), "array 'fc/requant.bias' belongs to no field in graph.json"),
        (lambda d: d["nodes"].reverse(), "field 'op': 'linear' must be 'input': it comes first"),
    ],
)  # fmt: skip
def test_wrong_json_is_named(folder: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    edit(folder, change)
    with pytest.raises(GraphFileError, match=message) as error:
        load(folder)
    assert str(folder) in str(error.value)


@pytest.mark.parametrize("name", ["graph.json", "weights.npz"])
def test_missing_files_are_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(GraphFileError, match=f"{name}: does not exist"):
        load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '"graph"', "\xff"])
def test_json_that_is_none_is_refused(folder: Path, text: str) -> None:
    (folder / "graph.json").write_bytes(text.encode("latin1"))
    with pytest.raises(GraphFileError, match=r"graph\.json: (is no readable JSON|field 'format')"):
        load(folder)


def test_every_truncation_of_the_weights_is_refused(folder: Path) -> None:
    path = folder / "weights.npz"
    whole = path.read_bytes()
    for length in [*range(0, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(GraphFileError, match=r"weights\.npz: is truncated or no npz file"):
            load(folder)


def test_a_flipped_byte_never_passes_as_another_graph(graph: Graph, folder: Path) -> None:
    path = folder / "weights.npz"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for position in rng.choice(len(whole), 150, replace=False).tolist():
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x55]) + whole[position + 1 :])
        # the flip may hit a byte that means nothing, such as a time stamp
        with contextlib.suppress(GraphFileError):
            assert graphs_equal(load(folder), graph)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda a: a.pop("deep/weight"), "weights.npz: array 'deep/weight' of node 'deep' is missing"),
        (
            lambda a: a.update({"fc/weight": a["fc/weight"][:3]}),
            r"array 'fc/weight': shape \(3, 1, 1, 6\) must be \(5, ",
        ),
        (lambda a: a.update({"fc/weight": a["fc/weight"] + 0.5}), "array 'fc/weight': type float64 must be an integer"),
        (lambda a: a.update({"old/weight": np.zeros(1)}), "array 'old/weight' belongs to no field"),
    ],
)
def test_wrong_arrays_are_named(folder: Path, change: Callable[[dict[str, Any]], object], message: str) -> None:
    path = folder / "weights.npz"
    with np.load(path) as archive:
        arrays = dict(archive)
    change(arrays)
    np.savez(path, **arrays)
    with pytest.raises(GraphFileError, match=message):
        load(folder)


def test_arrays_that_need_pickle_are_refused(folder: Path) -> None:
    np.savez(folder / "weights.npz", evil=np.array([{}], dtype=object))
    with pytest.raises(GraphFileError, match=r"weights\.npz: is truncated or no npz file"):
        load(folder)
