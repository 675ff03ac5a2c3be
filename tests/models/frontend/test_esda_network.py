"""Published networks against the arrays published with them, and files that do not hold together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.frontend.esda_network import EsdaFileError, load_esda, with_classifier
from models.ir import golden
from models.ir.frame import Frame
from models.ir.node import GraphError, Shape
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from tests.models.frontend.esda_files import write_network

FOLDER = DATA / "esda_golden"
published = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the published networks are not in {FOLDER}")


@published
@pytest.mark.parametrize("name", ["SEE-A", "SEE-D"])
def test_golden_gives_every_published_array(name: str) -> None:
    graph, frame = load_esda(FOLDER / f"{name}.json")
    with np.load(FOLDER / f"{name}.npz") as archive:
        arrays = {key: archive[key] for key in archive.files}
    assert graph.name == name
    assert graph.input.sparse
    frames = golden.run(graph, frame)
    closed_by = {node.inputs[0]: node.name for node in graph.nodes if isinstance(node, Add)}
    compared = {"input/mask", "input/features"}
    for node in graph.nodes:
        if isinstance(node, Conv):
            source = frames[node.inputs[0]]
            psum = node.accumulate(source).features
            assert np.array_equal(psum, arrays[f"{node.name}/psum"])
            compared |= {f"{node.name}/{field}" for field in ("weight", "bias", "scale", "psum")}
            # the output published for a block's last layer is that after its residual sum
            made_by = closed_by.get(node.name, node.name)
            assert np.array_equal(frames[made_by].features, arrays[f"{node.name}/output"])
            compared.add(f"{node.name}/output")
        elif isinstance(node, Add):
            assert np.array_equal(frames[node.name].features, arrays[f"{node.name}/output"])
            compared.add(f"{node.name}/output")
    assert np.array_equal(frames["sum"].features[0], arrays["output/sum_over_tokens"])
    compared.add("output/sum_over_tokens")
    assert compared == set(arrays), "every published array is compared"


@published
def test_shapes_of_see_d() -> None:
    graph, frame = load_esda(FOLDER / "SEE-D.json")
    assert graph.shapes["input"] == Shape(60, 80, 3)
    assert graph.shapes["conv8"] == Shape(4, 5, 64)
    assert graph.shapes["sum"] == Shape(1, 1, 64)
    assert len(frame.sites) == 76
    assert sum(isinstance(node, Add) for node in graph.nodes) == 4


def published_rules(path: Path) -> np.ndarray:
    """The sum over tokens by the published rules, one site, one tap at a time."""
    layers = json.loads(path.read_text())["layers"]
    arrays = {key: value.astype(int) for key, value in np.load(path.with_suffix(".npz")).items()}
    sites = [tuple(site) for site in np.argwhere(arrays["input/mask"]).tolist()]
    features = dict(zip(sites, arrays["input/features"], strict=True))
    block: dict[tuple[int, ...], np.ndarray] = {}
    for layer in layers:
        name, stride = layer["name"], layer["stride"]
        if name.endswith("_0"):
            block = features
        weight, bias, scale = (arrays[f"{name}/{field}"] for field in ("weight", "bias", "scale"))
        out = {}
        for y, x in sorted({(y // stride, x // stride) for y, x in features}):
            psum = np.zeros(layer["out_channels"], int)
            if layer["op"] == "pointwise":
                psum += weight @ features[y, x]
            else:
                for tap in range(9):
                    at = stride * y + tap // 3 - 1, stride * x + tap % 3 - 1
                    if at in features:
                        psum += features[at] @ weight[tap] if layer["op"] == "conv3x3" else features[at] * weight[tap]
            value = ((psum + bias) * scale + 2**15) >> 16
            if "identity_scale" in layer:
                value = np.clip(value, -256, 255) + ((block[y, x] * layer["identity_scale"] + 2**15) >> 16)
            value = np.clip(value, -127, 127)
            out[y, x] = np.maximum(value, 0) if layer["relu"] else value
        features = out
    return sum(features.values(), np.zeros(layers[-1]["out_channels"], int))


@pytest.mark.parametrize("seed", range(5))
def test_a_network_follows_the_published_rules(tmp_path: Path, seed: int) -> None:
    path = write_network(tmp_path, np.random.default_rng(seed))
    graph, frame = load_esda(path)
    assert np.array_equal(golden.run(graph, frame)["sum"].features[0], published_rules(path))


@pytest.mark.parametrize("seed", range(3))
def test_the_linear_layer_multiplies_the_sum(tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    path = write_network(tmp_path, rng)
    graph, frame = load_esda(path)
    weight = rng.integers(-128, 128, (10, 4))
    logits = golden.run(with_classifier(graph, weight.astype(np.float32)), frame)["fc"].features[0]
    assert np.array_equal(logits, weight @ published_rules(path))


@pytest.mark.parametrize(
    ("weight", "says"),
    [
        (np.full((10, 4), 0.5), r"node 'fc', field 'weight': 0.5 must be an integer"),
        (np.full((10, 4), 128), r"node 'fc', field 'weight': 128 is no value of int8"),
        (np.ones((10, 5)), r"node 'fc', field 'weight': \(10, 1, 1, 5\) must have shape \(10, 1, 1, 4\)"),
    ],
)
def test_weights_that_are_none_of_the_linear_layer(tmp_path: Path, weight: np.ndarray, says: str) -> None:
    graph, _ = load_esda(write_network(tmp_path, np.random.default_rng(0)))
    with pytest.raises(GraphError, match=says):
        with_classifier(graph, weight)


def test_an_empty_frame_sums_to_zero(tmp_path: Path) -> None:
    graph, _ = load_esda(write_network(tmp_path, np.random.default_rng(0)))
    empty = Frame(5, 7, np.zeros((0, 2), int), np.zeros((0, 2), int))
    assert np.array_equal(golden.run(graph, empty)["sum"].features, np.zeros((1, 4), int))


def set_layer(number: int, field: str, value: object) -> Callable[[dict, dict], None]:
    def change(document: dict, _: dict) -> None:
        document["layers"][number][field] = value

    return change


def set_array(name: str, change_of: Callable[[np.ndarray], np.ndarray] | None) -> Callable[[dict, dict], None]:
    def change(_: dict, arrays: dict) -> None:
        array = arrays.pop(name)
        if change_of is not None:
            arrays[name] = change_of(array)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_layer(1, "op", "conv5x5"), r"net.json: layer 'block_0_0', field 'op': 'conv5x5' must be one of conv3x3"),
        (set_layer(1, "stride", "1"), r"net.json: layer 'block_0_0', field 'stride': '1' must be of type int"),
        (set_layer(1, "stride", 5), r"net.json: graph node 'block_0_0', field 'stride': 5 must be 1 to 4"),
        (set_layer(1, "groups", 2), r"net.json: layer 'block_0_0', field 'groups': 2 is unknown; valid are name, op, "),
        (set_layer(0, "identity_scale", 9), r"net.json: layer 'stem', field 'residual_from': None must be of type str"),
        (
            set_layer(3, "residual_from", "block_7/input"),
            r"net.json: layer 'block_0_2', field 'residual_from': 'block_7/input' must be one of block_0/input",
        ),
        (set_layer(3, "identity_scale", 1 << 36), r"net.json: graph node 'block_0', field 'b.mult': .*0 to 6871"),
        (set_array("stem/bias", None), r"net.npz: layer 'stem', field 'bias': None is missing"),
        (set_array("stem/bias", lambda a: a[1:]), r"net.npz: layer 'stem', field 'bias': \(3,\) must have shape"),
        (set_array("stem/scale", lambda a: a / 2), r"net.npz: layer 'stem', field 'scale': 'float64' must be"),
        (set_array("block_0_1/weight", lambda a: a * 2), r"net.json: graph node 'block_0_1', field 'weight'"),
        (set_array("input/mask", lambda a: a * 2), r"net.npz: layer 'input', field 'mask': 2 must be 0 or 1"),
        (set_array("input/mask", lambda a: a.T), r"field 'mask': \(7, 5\) must have shape \(5, 7\)"),
        (set_array("input/features", lambda a: a[1:]), r"field 'features': \(\d+, 2\) must have shape \(\d+, "),
    ],
)  # fmt: skip
def test_files_that_do_not_hold_together_are_named(tmp_path: Path, change: Callable, message: str) -> None:
    path = write_network(tmp_path, np.random.default_rng(1))
    document = json.loads(path.read_text())
    arrays = {key: value.astype(np.int64) for key, value in np.load(path.with_suffix(".npz")).items()}
    change(document, arrays)
    path.write_text(json.dumps(document))
    np.savez(path.with_suffix(".npz"), **arrays)
    with pytest.raises(EsdaFileError, match=message):
        load_esda(path)


def test_files_that_are_not_there_or_no_network_are_named(tmp_path: Path) -> None:
    with pytest.raises(EsdaFileError, match=r"none.json: cannot be read as JSON"):
        load_esda(tmp_path / "none.json")
    path = write_network(tmp_path, np.random.default_rng(2))
    path.with_suffix(".npz").write_bytes(b"no archive")
    with pytest.raises(EsdaFileError, match=r"net.npz: cannot be read as an npz file"):
        load_esda(path)
    path.write_text('{"name": "net", "input_hw": [5, 7]}')
    with pytest.raises(EsdaFileError, match=r"net.json: field 'layers': None must be a list"):
        load_esda(path)
