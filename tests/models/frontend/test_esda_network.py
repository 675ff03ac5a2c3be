"""Published networks against the arrays published with them, and files that do not hold together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.frontend.esda_network import EsdaFileError, classified, load_esda
from models.frontend.esda_text import load_esda_text
from models.ir import golden
from models.ir.frame import Frame
from models.ir.node import GraphError, Shape
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from models.ir.serialize import graphs_equal

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


def write_network(folder: Path, rng: np.random.Generator) -> Path:
    """A small network with a layer of each kind and a residual block."""
    layers = [
        ("stem", "conv3x3", 2, 4, 2, True, None),
        ("block_0_0", "pointwise", 4, 8, 1, True, None),
        ("block_0_1", "depthwise3x3", 8, 8, 1, True, None),
        ("block_0_2", "pointwise", 8, 4, 1, False, 50_000),
        ("head", "pointwise", 4, 4, 1, True, None),
    ]
    shapes = {
        "conv3x3": lambda i, o: (9, i, o),
        "depthwise3x3": lambda _, o: (9, o),
        "pointwise": lambda i, o: (o, i),
    }
    records: list[dict[str, Any]] = []
    mask = rng.random((5, 7)) < 0.4
    arrays: dict[str, np.ndarray] = {
        "input/mask": mask.astype(np.uint8),
        "input/features": rng.integers(-1, 2, (mask.sum(), 2)),
    }
    for name, op, i, o, stride, relu, identity in layers:
        record = {"name": name, "op": op, "in_channels": i, "out_channels": o, "stride": stride, "relu": relu}
        if identity:
            record |= {"residual_from": "block_0/input", "identity_scale": identity}
        records.append(record)
        arrays[f"{name}/weight"] = rng.integers(-127, 128, shapes[op](i, o), dtype=np.int8)
        arrays[f"{name}/bias"] = rng.integers(-500, 500, o, dtype=np.int16)
        arrays[f"{name}/scale"] = rng.integers(100, 20_000, o, dtype=np.int16)
    folder.mkdir(exist_ok=True)
    (folder / "net.json").write_text(json.dumps({"name": "net", "input_hw": [5, 7], "layers": records}))
    np.savez(folder / "net.npz", **arrays)  # type: ignore[arg-type]
    return folder / "net.json"


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
    logits = golden.run(classified(graph, weight.astype(np.float32)), frame)["fc"].features[0]
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
        classified(graph, weight)


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
        (set_layer(1, "stride", 3), r"net.json: graph node 'block_0_0', field 'stride': 3 must be one of \(1, 2\)"),
        (set_layer(1, "groups", 2), r"net.json: layer 'block_0_0', field 'groups': 2 is unknown; valid are name, op, "),
        (set_layer(0, "identity_scale", 9), r"net.json: layer 'stem', field 'residual_from': None must be of type str"),
        (
            set_layer(3, "residual_from", "block_7/input"),
            r"net.json: layer 'block_0_2', field 'residual_from': 'block_7/input' must be one of block_0/input",
        ),
        (set_layer(3, "identity_scale", 70_000), r"net.json: graph node 'block_0', field 'b.mult': .*0 to 65535"),
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


def as_published(path: Path, folder: Path) -> Path:
    """The network of ``load_esda`` in text files, each written as ESDA's ``gen_data.py`` has them."""
    document = json.loads(path.read_text())
    arrays = {key: value.astype(int) for key, value in np.load(path.with_suffix(".npz")).items()}
    data = folder / "data"
    data.mkdir(parents=True)
    layers: list[dict[str, Any]] = []
    for record in document["layers"]:
        name, channels = record["name"], [record["in_channels"], record["out_channels"]]
        for field in ("weight", "bias", "scale"):
            np.savetxt(data / f"{name}_{field}.txt", arrays[f"{name}/{field}"].flatten(), fmt="%d")
        block, _, part = name.rpartition("_")
        if part == "0":
            layers.append({"name": block, "type": "block", "residual": False, "stride": 1, "channels": channels})
        elif part in ("1", "2"):
            layers[-1]["stride"] *= record["stride"]
            layers[-1]["residual"] = "identity_scale" in record
            layers[-1]["channels"] += channels[1:] if part == "2" else []
        else:
            stride = record["stride"]
            layers.append({"name": name, "type": "conv", "residual": False, "stride": stride, "channels": channels})
        if "identity_scale" in record:
            (data / f"{block}_i.txt").write_text(f'"{record["identity_scale"]}"')
    layers.append({"name": "fc", "type": "linear", "residual": False, "stride": 1, "channels": [4, 2]})
    np.savetxt(data / "tb_spatial_mask.txt", arrays["input/mask"].flatten(), fmt="%d")
    np.savetxt(data / "tb_input_feature.txt", arrays["input/features"].flatten(), fmt="%d")
    shape = [float(side) for side in document["input_hw"]]
    (folder / "cfg.json").write_text(json.dumps({"input_shape": shape, "CFG_EXP": 16, "layers": layers}))
    return folder


def same_network(path: Path, folder: Path) -> None:
    """Node for node, with frame and results."""
    wanted, frame = load_esda(path)
    found, other = load_esda_text(folder)
    assert found.name == folder.name
    assert other == frame
    assert graphs_equal(found.replace(name=wanted.name), wanted)
    results = golden.run(found, frame)
    assert all(results[name] == result for name, result in golden.run(wanted, frame).items())


@pytest.mark.parametrize("seed", range(3))
def test_text_files_give_the_same_network(tmp_path: Path, seed: int) -> None:
    path = write_network(tmp_path, np.random.default_rng(seed))
    same_network(path, as_published(path, tmp_path / "NET"))


@published
@pytest.mark.parametrize("name", ["SEE-A", "SEE-D"])
def test_published_networks_as_text_files(tmp_path: Path, name: str) -> None:
    same_network(FOLDER / f"{name}.json", as_published(FOLDER / f"{name}.json", tmp_path / name))


SEE_D_FILES = {
    "conv1_weight": {
        0: "-26 -47 117 -7 19 44",
        64: "-20 9 -73 32 -13 -53 -34 0 -2 -116 55 1 -33",
        643: "23 -15 20 -67 20",
    },
    "block_0_0_weight": {0: "-127 54 -78 -6 -37 4", 19: "37 -65 76 -75 -126 11 -125 1 4 -92"},
    "block_0_1_weight": {0: "-73 -19 -30 -120 41", 184: "-13 -74 -65 -4 63 -4 72 5 -7 -33 -41 -70 72"},
    "block_0_0_bias": {0: "20750 12665 -11983 -5179", 189: "-1895 4917 24709"},
    "block_0_0_scale": {0: "96 120 170 169 121 105", 189: "298 177 123"},
    "block_2_i": {0: '"47836"'},
}
"""Excerpts of files in CASR-HKU/ESDA, eventNet/archived_hw/SEE-D/data, commit ba478df, by the place of their first."""


@published
@pytest.mark.parametrize("file", SEE_D_FILES)
def test_text_files_are_laid_out_as_those_of_the_repository(tmp_path: Path, file: str) -> None:
    lines = (as_published(FOLDER / "SEE-D.json", tmp_path / "SEE-D") / "data" / f"{file}.txt").read_text().split()
    for first, excerpt in SEE_D_FILES[file].items():
        wanted = excerpt.split()
        assert lines[first : first + len(wanted)] == wanted


def set_cfg(change: Callable[[dict], None]) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        document = json.loads((folder / "cfg.json").read_text())
        change(document)
        (folder / "cfg.json").write_text(json.dumps(document))

    return apply


def set_text(file: str, text: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        (folder / "data" / file).write_text(text)

    return apply


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_cfg(lambda d: d.update(CFG_EXP=32)), r"cfg.json: field 'CFG_EXP': 32 must be 16, the shift of scales"),
        (set_cfg(lambda d: d.pop("CFG_EXP")), r"cfg.json: field 'CFG_EXP': None must be 16"),
        (set_cfg(lambda d: d.update(input_shape=[5])), r"field 'input_shape': \[5\] must be a height and a width"),
        (set_cfg(lambda d: d.pop("layers")), r"cfg.json: field 'layers': None must be a list"),
        (set_cfg(lambda d: d.update(layers=[])), r"cfg.json: field 'layers' has no conv and no block"),
        (set_cfg(lambda d: d["layers"][0].pop("stride")), r"layer 'stem', field 'stride': None must be of type int"),
        (set_cfg(lambda d: d["layers"][0].update(type="pool")), r"field 'type': 'pool' must be one of conv, block, "),
        (set_cfg(lambda d: d["layers"][1].update(channels=[4, 8])), r"field 'channels': \[4, 8\] must be 3 counts"),
        (set_cfg(lambda d: d["layers"].append(3)), r"layer 'layers\[4\]', field 'name': None must be of type str"),
        (lambda folder: (folder / "cfg.json").unlink(), r"cfg.json: cannot be read as JSON"),
        (lambda folder: (folder / "data" / "stem_bias.txt").unlink(), r"stem_bias.txt: cannot be read as text"),
        (set_text("stem_bias.txt", "1\n2\n3\n"), r"stem_bias.txt: 3 numbers must be 4, 4"),
        (set_text("stem_bias.txt", "1\n2.5\n3\n4\n"), r"stem_bias.txt: line 2: '2.5' must be an integer"),
        (set_text("block_0_i.txt", '"70000"'), r"cfg.json: graph node 'block_0', field 'b.mult': .*0 to 65535"),
        (set_text("tb_input_feature.txt", "1\n"), r"tb_input_feature.txt: 1 numbers must be \d+, \d+ x 2"),
        (set_text("tb_spatial_mask.txt", "1\n"), r"tb_spatial_mask.txt: 1 numbers must be 35, 5 x 7"),
    ],
)  # fmt: skip
def test_text_files_that_do_not_hold_together_are_named(tmp_path: Path, change: Callable, message: str) -> None:
    folder = as_published(write_network(tmp_path, np.random.default_rng(1)), tmp_path / "NET")
    change(folder)
    with pytest.raises(EsdaFileError, match=message):
        load_esda_text(folder)


def test_a_text_frame_without_active_sites_is_read(tmp_path: Path) -> None:
    folder = as_published(write_network(tmp_path, np.random.default_rng(1)), tmp_path / "NET")
    (folder / "data" / "tb_spatial_mask.txt").write_text("0\n" * 35)
    (folder / "data" / "tb_input_feature.txt").write_text("")
    _, frame = load_esda_text(folder)
    assert (len(frame.sites), frame.channels) == (0, 2)
