"""ONNX files: what is read, and what is refused before anything of it is computed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from models.frontend import onnx_file
from models.frontend.onnx_file import QONNX, OnnxError, clean, load, records
from models.frontend.onnx_network import check_onnx, import_onnx
from tests.models.frontend.onnx_files import FLOAT, File

Change = Callable[[onnx.ModelProto], object]


def simple() -> File:
    """A convolution between two quantizers."""
    file = File((1, 2, 4, 4))
    w = file.quant(file.constant(np.random.default_rng(0).normal(size=(3, 2, 3, 3))), 0.5, 4)
    file.quant(file.node("Conv", file.quant("x", 0.1, 8), w, kernel_shape=[3, 3]), 0.5, 4)
    return file


def changed(path: Path, change: Change) -> Path:
    model = simple().model("t3")
    change(model)
    onnx.save(model, path)
    return path


def test_tensors_keep_their_names_and_quantizers_of_constants_stay(tmp_path: Path) -> None:
    path = simple().save(tmp_path / "net.onnx")
    file = clean(path, load(path))
    assert [node.kind for node in file.nodes] == ["Quant", "Quant", "Conv", "Quant"]
    assert file.shapes["t2"] == (1, 3, 2, 2)
    assert (file.inputs, file.outputs) == (("x",), ("t3",))
    assert str(file.nodes[2]) == "node 2 (Conv 't2')"
    assert file.nodes[2].attributes == {"kernel_shape": [3, 3]}


def test_shapes_that_are_computed_are_folded(tmp_path: Path) -> None:
    file = File((1, 2, 4, 4))
    shape = file.node("Shape", "x")
    first = file.node("Gather", shape, file.constant(0, np.int64), axis=0)
    first = file.node("Unsqueeze", first, file.constant([0], np.int64))
    file.node("Reshape", "x", file.node("Concat", first, file.constant([-1], np.int64), axis=0))
    path = file.save(tmp_path / "net.onnx")
    assert [node.kind for node in clean(path, load(path)).nodes] == ["Reshape"]


@pytest.mark.parametrize("old", ["onnx.brevitas", "finn.custom_op.general"])
def test_domains_have_their_names_of_today(tmp_path: Path, old: str) -> None:
    def change(model: onnx.ModelProto) -> None:
        for node in model.graph.node:
            node.domain = old if node.domain else ""
        model.opset_import[1].domain = old

    model = load(changed(tmp_path / "net.onnx", change))
    assert [node.domain for node in records(model)] == [QONNX, QONNX, "", QONNX]


def test_a_part_is_what_the_file_computes_in_between(tmp_path: Path) -> None:
    path = simple().save(tmp_path / "net.onnx")
    file = clean(path, load(path))
    x = np.random.default_rng(0).normal(size=(1, 3, 2, 2)).astype(np.float32)
    assert np.array_equal(file.part("t2", "t3")(x), np.clip(np.round(x / 0.5), -8, 7) * np.float32(0.5))


def outside(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "../../etc/passwd"), ("length", "64")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value


def enormous(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_value = 1 << 40


def promised(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [1 << 20, 1 << 20]


def expanded(model: onnx.ModelProto) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.array([1 << 15, 1 << 15, 9]), "sides"))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["sides"], ["many"]))


def expanded_by_an_unknown_shape(model: onnx.ModelProto) -> None:
    """A shape of 10^15 numbers by functions that shape inference does not compute."""
    model.graph.initializer.append(numpy_helper.from_array(np.array([1e15], np.float32), "many"))
    model.graph.node.append(helper.make_node("Sqrt", ["many"], ["root"]))
    model.graph.node.append(helper.make_node("Cast", ["root"], ["side"], to=onnx.TensorProto.INT64))
    model.graph.node.append(helper.make_node("ConstantOfShape", ["side"], ["zeros"], "zeros"))


def looped(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["x"], ["y"], "again", body=body))


def with_function(model: onnx.ModelProto) -> None:
    model.functions.append(helper.make_function("own", "f", ["a"], ["b"], [], []))


def unnumbered(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"


def batched(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 8


def turned(model: onnx.ModelProto) -> None:
    model.graph.node[0].input[0] = "t3"


def twice(model: onnx.ModelProto) -> None:
    model.graph.node[3].output[0] = "t0"


def lost(model: onnx.ModelProto) -> None:
    model.graph.output[0].name = "nowhere"


def without_nodes(model: onnx.ModelProto) -> None:
    model.graph.ClearField("node")


def without_shape(model: onnx.ModelProto) -> None:
    model.graph.input[0].type.tensor_type.ClearField("shape")


def no_number(model: onnx.ModelProto) -> None:
    tensor = model.graph.initializer[0]
    numbers = numpy_helper.to_array(tensor).copy()
    numbers[0, 0, 0, 0] = np.nan
    tensor.raw_data = numbers.tobytes()


def other_shape(model: onnx.ModelProto) -> None:
    model.graph.node[2].attribute[0].ints[:] = [5, 5]


@pytest.mark.parametrize(
    "change, why",
    [
        (outside, r"tensor 'c0': lies in '../../etc/passwd'; must be the name of a file beside the model"),
        (enormous, r"tensor 'x': shape \[1, 2, 1099511627776, 4\] has more than"),
        (promised, r"tensor 'c0': shape \[1048576, 1048576\] has more than"),
        (expanded, r"tensor 'many': shape \[32768, 32768, 9\] has more than"),
        (expanded_by_an_unknown_shape, "ConstantOfShape 'zeros': gives a shape that is not known beforehand"),
        (looped, "Loop 'again': has a graph of its own, which is not read"),
        (with_function, "function 'f': local functions are not read; inline them"),
        (unnumbered, "input 'x': side 2, 'height', must be a number of 1 or more"),
        (batched, "input 'x': its batch is 8; must be 1, or a name that stands for any number"),
        (turned, "Quant 't0': takes 't3', which nothing before it gives"),
        (twice, "Quant 't3': gives 't0', which is given already"),
        (lost, "output 'nowhere': nothing gives it"),
        (without_nodes, "has no node"),
        (without_shape, "input 'x': has no shape; give it one, with a batch of 1"),
        (no_number, "tensor 'c0': has numbers that are not finite"),
        (other_shape, r"node 2 \(Conv 't2'\): kernel_shape \[5, 5\] must be that of its weights, \[3, 3\]"),
    ],
)
def test_what_is_not_read_is_named(tmp_path: Path, change: Change, why: str) -> None:
    path = changed(tmp_path / "net.onnx", change)
    with pytest.raises(OnnxError, match=f"^{path}: {why}"):
        import_onnx(path)


@pytest.mark.parametrize("content, why", [(b"", "has no node"), (b"\xff" * 64, "is no ONNX file"), (None, "cannot be")])
def test_what_is_no_file_is_named(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "net.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OnnxError, match=f"{path}: {why}"):
        load(path)


@pytest.mark.parametrize("name, limit", [("MOST_BYTES", 16), ("MOST_NODES", 2)])
def test_files_beyond_a_bound_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, limit: int) -> None:
    path = simple().save(tmp_path / "net.onnx")
    monkeypatch.setattr(onnx_file, name, limit)
    with pytest.raises(OnnxError, match=rf"has \d+ (bytes|nodes); at most {limit} are read"):
        load(path)


def test_no_module_of_a_domain_s_name_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``qonnx`` would import it."""
    (tmp_path / "evil.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    def change(model: onnx.ModelProto) -> None:
        model.graph.node[3].domain = "evil"
        model.opset_import.append(helper.make_opsetid("evil", 1))

    path = changed(tmp_path / "net.onnx", change)
    with pytest.raises(OnnxError, match=r"node 3 \(Quant 't3'\): domain 'evil' is not supported; supported are"):
        import_onnx(path)
    assert [verdict.refused for verdict in check_onnx(path)] == [False, False, False, True]


def test_data_in_a_file_beside_it_are_read(tmp_path: Path) -> None:
    """As PyTorch writes them."""
    given = import_onnx(simple().save(tmp_path / "net.onnx")).graph
    path = tmp_path / "apart.onnx"
    onnx.save(simple().model("t3"), path, save_as_external_data=True, location="apart.data", size_threshold=0)
    found = import_onnx(path).graph
    assert np.array_equal(found.nodes[-1].weight, given.nodes[-1].weight)  # type: ignore[attr-defined]
    (tmp_path / "apart.data").write_bytes(b"")
    with pytest.raises(OnnxError, match=r"apart\.onnx: (cannot be cleaned up|its data beside it cannot be read): "):
        import_onnx(path)
    (tmp_path / "apart.data").unlink()
    (tmp_path / "apart.data").symlink_to("/etc/passwd")
    with pytest.raises(OnnxError, match=r"lies in 'apart\.data'; must be the name of a file beside the model"):
        import_onnx(path)


def test_a_batch_of_any_size_is_one(tmp_path: Path) -> None:
    model = simple().model("t3")
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("x", FLOAT, ["batch", 2, 4, 4]))
    onnx.save(model, tmp_path / "net.onnx")
    assert import_onnx(tmp_path / "net.onnx").graph.input.shape == (4, 4, 2)


def test_damaged_files_are_refused_with_one_error(tmp_path: Path) -> None:
    """Two hundred files with some bytes changed: each is imported, or refused by name; nothing else happens."""
    content = simple().save(tmp_path / "net.onnx").read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for number in range(200):
        own = bytearray(content)
        if number % 4 == 0:
            own = own[: rng.integers(len(own))]
        else:
            for place in rng.integers(len(own), size=rng.integers(1, 6)):
                own[place] = rng.integers(256)
        path = tmp_path / "damaged.onnx"
        path.write_bytes(own)
        try:
            import_onnx(path)
        except OnnxError as error:
            refused += str(error).startswith(f"{path}: ")
    assert 100 < refused < 200
