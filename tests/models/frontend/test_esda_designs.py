"""The published designs: shapes, weights and token counts against what was published with them, and broken files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.inputs.data import DATA
from models.frontend.esda_designs import load_design
from models.frontend.esda_network import EsdaFileError
from models.ir.activity import frame_activity
from models.ir.graph import Graph
from models.ir.ops.add import Add
from models.ir.ops.conv import Conv
from models.ir.ops.linear import Linear

FOLDER = DATA / "esda_designs"
# NCal_2751's shares were published without a frame: it serves the model of ``benchmarks/esda_model.py`` alone
FRAMED = [path.with_suffix("").with_suffix(".json") for path in sorted(FOLDER.glob("*.tb_spatial_mask.npy"))]
published = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the published designs are not in {FOLDER}")
CLASSES = {"ASL_0p5": 25, "DVS_1890": 10, "NCal_w0p5": 101, "NMNIST": 10}


def weights(graph: Graph) -> int:
    return sum(node.weight.size for node in graph.nodes if isinstance(node, Conv | Linear))


@published
@pytest.mark.parametrize("path", FRAMED, ids=lambda path: path.name.split("_shift")[0])
def test_published_designs(path: Path) -> None:
    design, document = load_design(path), json.loads(path.read_text())
    graph = design.graph
    # every layer's shape; a linear layer padded beyond the classes of its data set has weights of its own
    for layer in document["layers"]:
        last = layer["name"] + ("_2" if layer["type"] == "block" and not layer["residual"] else "")
        first = graph[layer["name"] + ("_0" if layer["type"] == "block" else "")].inputs[0]
        if layer["type"] != "linear":
            assert graph.shapes[first] == (*layer["in_hw"], layer["channels"][0])
        assert graph.shapes[last].channels == layer["channels"][-1]
        assert isinstance(graph[last], Add) == layer["residual"]
    padding = graph.shapes["fc"].channels - CLASSES[design.name]
    assert weights(graph) - padding * graph.shapes["pool"].channels == design.parameters
    # the real frame: near the mean activity of its data set wherever that was published
    work = frame_activity(graph, design.frame.mask)
    assert graph.input.dtype.min <= design.frame.features.min() <= design.frame.features.max() <= graph.input.dtype.max
    convolutions = [(layer, graph[layer["name"] + "_1"]) for layer in document["layers"] if layer["type"] == "block"]
    for layer, node in convolutions:
        shape = graph.shapes[node.name]
        assert 0.5 < work[node.name].tokens_out / (shape.height * shape.width) / layer["sparsity"][-1] < 1.3
    strided = [layer for layer in document["layers"] if layer["stride"] == 2]
    assert len(design.densities) == 1 + len(strided)
    assert design.densities[0] == document["input_sparsity"]


def write_design(folder: Path) -> tuple[Path, dict[str, Any]]:
    def layer(name: str, kind: str, channels: list[int], side: list[int], stride: int = 1) -> dict[str, Any]:
        shares = {"sparsity": [0.3, 0.5, 0.5] if kind == "block" else 0.4, "kernel_sparsity": [0.5, 0.5] + [0] * 7}
        return {
            "name": name, "type": kind, "residual": channels[0] == channels[-1], "stride": stride, "in_hw": side,
            "channels": channels, **shares,
        }  # fmt: skip

    document = {
        "dataset": "tiny", "input_shape": [6, 7], "input_sparsity": 0.2, "param": 1, "lat_max": 2, "total_dsp": 3,
        "total_bram": 4,
        "layers": [
            layer("conv1", "conv", [2, 4], [6, 7], 2),
            layer("block_0", "block", [4, 8, 4], [3, 4]),
            layer("block_1", "block", [4, 8, 6], [3, 4], 2),
            layer("conv8", "conv", [6, 10], [2, 2]),
            layer("fc", "linear", [10, 3], [2, 2]),
        ],
    }  # fmt: skip
    path = folder / "tiny_shift16-zcu102.json"
    path.write_text(json.dumps(document))
    mask = np.random.default_rng(0).random(42) < 0.4
    np.save(folder / f"{path.stem}.tb_spatial_mask.npy", mask.astype(float))
    np.save(folder / f"{path.stem}.tb_input_feature.npy", np.arange(2.0 * mask.sum()))
    return path, document


def test_a_small_design(tmp_path: Path) -> None:
    path, _ = write_design(tmp_path)
    design = load_design(path)
    names = ["input", "conv1", "block_0_0", "block_0_1", "block_0_2", "block_0", "block_1_0", "block_1_1", "block_1_2"]
    assert [node.name for node in design.graph.nodes] == [*names, "conv8", "pool", "fc"]
    assert (design.name, design.data, design.densities, design.taps) == ("tiny", "tiny", (0.2, 0.4, 0.5), 1.5)
    assert (design.parameters, design.bottleneck, design.dsp, design.bram) == (1, 2, 3, 4)
    assert design.frame.features[:, 0].tolist() == list(range(0, 2 * len(design.frame.sites), 2))
    again = load_design(path).graph["conv8"]
    assert isinstance(again, Conv)
    assert np.array_equal(again.weight, design.graph["conv8"].weight), "weights are the same in every call"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("channels", [5, 8, 4], r"layer 'block_0', field 'channels': \[5, 8, 4\] must be 3 counts, the first 4"),
        ("channels", [4, 8], r"layer 'block_0', field 'channels': \[4, 8\] must be 3 counts, the first 4"),
        (
            "in_hw",
            [3, 5],
            r"layer 'block_0', field 'in_hw': \[3, 5\] must be \[3, 4\], what the layers before it leave",
        ),
        ("type", "pool", r"layer 'block_0', field 'type': 'pool' must be one of conv, block, linear"),
    ],
)
def test_layers_that_do_not_fit_are_named(tmp_path: Path, field: str, value: object, message: str) -> None:
    path, document = write_design(tmp_path)
    document["layers"][1][field] = value
    path.write_text(json.dumps(document))
    with pytest.raises(EsdaFileError, match=message):
        load_design(path)


def test_files_that_are_not_there_or_too_short_are_named(tmp_path: Path) -> None:
    path, document = write_design(tmp_path)
    with pytest.raises(EsdaFileError, match=r"none.json: cannot be read as JSON"):
        load_design(tmp_path / "none.json")
    np.save(tmp_path / f"{path.stem}.tb_spatial_mask.npy", np.ones(41))
    with pytest.raises(EsdaFileError, match=r"the frame's mask has 41 numbers, not 42"):
        load_design(path)
    del document["layers"][2]["stride"]
    path.write_text(json.dumps(document))
    with pytest.raises(EsdaFileError, match=r"layer 2: field 'stride' is missing"):
        load_design(path)
    del document["total_dsp"]
    path.write_text(json.dumps(document))
    with pytest.raises(EsdaFileError, match=r"field 'total_dsp' is missing or empty"):
        load_design(path)
