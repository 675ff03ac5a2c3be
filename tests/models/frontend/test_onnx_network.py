"""ONNX networks whole: published ones, ones that ONNX Runtime quantized, ones that Brevitas made, and verdicts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from benchmarks.inputs.data import DATA
from models.frontend.onnx_file import OnnxError
from models.frontend.onnx_network import check_onnx, import_onnx
from tests.models.frontend.brevitas_nets import BREVITAS, exported
from tests.models.frontend.onnx_files import File, assert_same, by_qonnx, by_runtime, random_inputs

FOLDER = DATA / "onnx"
real = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the published networks are not in {FOLDER}")


@real
def test_a_published_network_of_one_bit_gives_the_published_classes() -> None:
    network = import_onnx(FOLDER / "tfc_w1a1.onnx")
    found = network.run(np.load(FOLDER / "tfc_w1a1_input.npy"))
    assert np.array_equal(found[:, 0], np.load(FOLDER / "tfc_w1a1_expected.npy"))
    x = np.random.default_rng(0).integers(0, 256, (40, 1, 28, 28)).astype(np.float32)
    assert_same(network, by_qonnx(FOLDER / "tfc_w1a1.onnx"), x)
    assert [str(node.dtype) for node in network.graph.nodes[:3]] == ["uint8", "int2", "int2"]


class Inputs(CalibrationDataReader):
    """Random images, by which ONNX Runtime finds its scales."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.left = iter([{name: x[None]} for x in random_inputs(shape, 8)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.left, None)


def quantized(path: Path, source: Path, form: QuantFormat, kind: QuantType, per_channel: bool) -> Path:
    """A network of real numbers, quantized by ONNX Runtime."""
    name = onnx.load(source).graph.input[0].name
    shape = tuple(max(1, side.dim_value) for side in onnx.load(source).graph.input[0].type.tensor_type.shape.dim)
    quantize_static(
        source, path, Inputs(name, shape), quant_format=form, activation_type=kind, weight_type=QuantType.QInt8,
        per_channel=per_channel, reduce_range=True,
    )  # fmt: skip
    return path


@pytest.mark.parametrize(
    "form, kind, per_channel",
    [
        (QuantFormat.QDQ, QuantType.QUInt8, False),
        (QuantFormat.QDQ, QuantType.QInt8, True),
        # of int8 it makes files that it cannot run
        (QuantFormat.QOperator, QuantType.QUInt8, False),
    ],
)
def test_networks_that_the_runtime_quantized(
    tmp_path: Path, form: QuantFormat, kind: QuantType, per_channel: bool
) -> None:
    """A residual network of images: convolution, depthwise convolution, an add, a mean."""
    rng, file = np.random.default_rng(0), File((1, 3, 12, 12))

    def conv(x: str, shape: tuple[int, ...], **attributes: object) -> str:
        taken = file.constant(rng.normal(size=shape) * 0.4), file.constant(rng.normal(size=shape[0]))
        return file.node("Conv", x, *taken, kernel_shape=shape[2:], **attributes)

    x = file.node("Relu", conv("x", (6, 3, 3, 3), pads=[1, 1, 1, 1], strides=[2, 2]))
    y = file.node("Relu", conv(x, (6, 1, 3, 3), pads=[1, 1, 1, 1], group=6))
    y = file.node("Relu", file.node("Add", conv(y, (6, 6, 1, 1)), x))
    y = file.node("Flatten", file.node("GlobalAveragePool", file.node("MaxPool", y, kernel_shape=[2, 2])))
    y = file.node("Gemm", y, file.constant(rng.normal(size=(6, 4))), file.constant(rng.normal(size=4)))
    path = quantized(tmp_path / "net.onnx", file.save(tmp_path / "real.onnx", y), form, kind, per_channel)
    network = import_onnx(path)
    assert "add" in {node.op for node in network.graph.nodes}
    assert_same(network, by_runtime(path), random_inputs(file.shape, 24))


@real
@pytest.mark.parametrize("name", ["ad_float", "mnist_conv_float", pytest.param("vww_float", marks=pytest.mark.whole)])
def test_published_networks_that_the_runtime_quantized(tmp_path: Path, name: str) -> None:
    source = tmp_path / "real.onnx"
    model = onnx.load(FOLDER / f"{name}.onnx")
    given = {own.name for own in model.graph.initializer}
    inputs = [own for own in model.graph.input if own.name not in given]
    model.graph.ClearField("input")
    model.graph.input.extend(inputs)
    model.ir_version = max(4, model.ir_version)
    onnx.save(onnx.version_converter.convert_version(model, 13), source)
    quant_pre_process(source, source)
    path = quantized(tmp_path / "net.onnx", source, QuantFormat.QDQ, QuantType.QUInt8, False)
    network = import_onnx(path)
    shape = tuple(side.dim_value for side in inputs[0].type.tensor_type.shape.dim)
    assert_same(network, by_runtime(path), random_inputs(shape, 4))


@pytest.mark.few(3)
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", BREVITAS)
def test_networks_made_with_brevitas(tmp_path: Path, name: str) -> None:
    """Every integer of the file; what a network ends in are real sums."""
    path, shape = exported(BREVITAS[name], tmp_path / "net.onnx")
    assert_same(import_onnx(path), by_qonnx(path), random_inputs((1, *shape), 8), 1e-6)


def test_every_node_has_a_verdict(tmp_path: Path) -> None:
    file = File((1, 2, 4, 4))
    y = file.node("Relu", file.quant("x", 0.1, 6))
    y = file.node("MatMul", y, y)
    y = file.quant(y, 0.1, 4)
    path = file.save(tmp_path / "net.onnx", file.node("Softmax", y))
    found = check_onnx(path)
    assert [(own.node, own.refused) for own in found] == [
        ("input", False), ("", False), ("", True), ("", False), ("", False)
    ]  # fmt: skip
    assert found[0].operator == "node 0 (Quant 't0')"
    assert found[1].why == "becomes part of what stands beside it"
    assert "takes (2, 4, 4) numbers a batch, must take [batch, features], unscaled" in found[2].why
    assert found[3].why == "not looked at: it takes what a refused node computes"


def test_operations_that_are_not_supported_are_all_listed(tmp_path: Path) -> None:
    file = File((1, 2, 4, 4))
    y = file.node("CumSum", file.node("Einsum", file.quant("x", 0.1, 6), equation="abcd->abcd"), file.constant(1))
    path = file.save(tmp_path / "net.onnx", y)
    assert [own.refused for own in check_onnx(path)] == [False, True, True]
    with pytest.raises(OnnxError, match=r"node 1 \(Einsum 't1'\): is not supported; supported are Abs, Add, ArgMax, "):
        import_onnx(path)


def test_what_ends_a_network_is_computed_outside(tmp_path: Path) -> None:
    file = File((1, 5))
    y = file.node("MatMul", file.quant("x", 0.0517, 6), file.constant(np.eye(5)))
    y = file.node("Add", y, file.constant([0.5, 0.1, 0.2, 0.3, 0.4]))
    path = file.save(tmp_path / "net.onnx", file.node("Softmax", y, axis=-1))
    network = import_onnx(path)
    assert network.notes[1:] == (
        "the graph ends before node 2 (Add 't2'), which are computed outside",
        "what follows 't2' is computed outside",
    )
    assert_same(network, by_qonnx(path), random_inputs(file.shape, 8))


def test_two_outputs_are_named(tmp_path: Path) -> None:
    file = File((1, 5))
    y = file.quant("x", 0.0517, 6)
    path = file.save(tmp_path / "net.onnx", y, file.quant(y, 0.1, 4))
    with pytest.raises(OnnxError, match="has 2 outputs; must have one"):
        import_onnx(path)
