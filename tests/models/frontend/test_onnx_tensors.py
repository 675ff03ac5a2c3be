"""How nodes take tensors: integers, frames, weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from models.frontend.onnx_file import OnnxError
from models.frontend.onnx_network import import_onnx
from models.frontend.onnx_tensors import canonical
from models.ir.node import Shape
from models.ir.ops.linear import Linear
from tests.models.frontend.onnx_files import File, assert_same, by_qonnx, random_inputs


def test_the_order_of_a_tensor() -> None:
    shape = Shape(2, 3, 4)
    assert canonical(shape, 3)[1, 0, 2] == 2 * 4 + 1
    assert canonical(Shape(1, 3, 4), 2).tolist() == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]
    assert canonical(Shape(1, 1, 4), 1).tolist() == [0, 1, 2, 3]


def weighed(path: Path, weights: np.ndarray) -> Path:
    file = File((1, 4))
    return file.save(path, file.node("MatMul", file.quant("x", 0.1, 8), file.constant(weights)))


def test_weights_whose_integers_are_not_said_are_found(tmp_path: Path) -> None:
    """Columns of 3, 7 and 127 steps, and one of whole numbers."""
    integers = np.array([[3, -7, 127, 2], [1, 2, -3, 0], [0, 5, 1, -1], [2, 1, 64, 1]])
    path = weighed(tmp_path / "net.onnx", integers * np.array([0.31, 0.0123, 0.77, 1.0]))
    network = import_onnx(path)
    node = network.graph.nodes[-1]
    assert isinstance(node, Linear)
    assert np.array_equal(node.weight[:, 0, 0].T, integers)
    assert_same(network, by_qonnx(path), random_inputs((1, 4), 6, 9.0), 1e-6)


def test_weights_that_are_no_integers_are_named(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).normal(size=(4, 3))
    with pytest.raises(
        OnnxError, match=r"node 1 \(MatMul 't1'\): its weights 'c3' are no integers of 8 bits with a st"
    ):
        import_onnx(weighed(tmp_path / "net.onnx", weights))


def test_weights_of_more_than_eight_bits_are_named(tmp_path: Path) -> None:
    file = File((1, 4))
    w = file.quant(file.constant(np.eye(4) * 300), 1.0, 10)
    path = file.save(tmp_path / "net.onnx", file.node("MatMul", file.quant("x", 0.1, 8), w))
    with pytest.raises(OnnxError, match=r"its weights are 0 to 300; must fit 8 signed bits"):
        import_onnx(path)


def test_an_annotated_input_is_integers(tmp_path: Path) -> None:
    """What FINN writes: the file's input is uint8, and its first quantizer is in hardware."""
    file = File((1, 4))
    model = file.model(file.quant(file.node("Div", "x", file.constant(255.0)), 0.25, 4, signed=0))
    annotation = onnx.TensorAnnotation(tensor_name="x")
    entry = annotation.quant_parameter_tensor_names.add()
    entry.key, entry.value = "finn_datatype", "UINT8"
    model.graph.quantization_annotation.append(annotation)
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    network = import_onnx(path)
    assert str(network.graph.input.dtype) == "uint8"
    assert network.notes == ()
    assert_same(network, by_qonnx(path), np.random.default_rng(0).integers(0, 256, (8, 4)).astype(np.float32))


def test_an_input_of_real_numbers_is_named(tmp_path: Path) -> None:
    file = File((1, 4))
    path = file.save(tmp_path / "net.onnx", file.node("MatMul", "x", file.constant(np.eye(4))))
    with pytest.raises(OnnxError, match=r"node 0 \(MatMul 't0'\): takes real numbers of the input; quantize the input"):
        import_onnx(path)


def test_whole_steps_after_a_function_need_no_quantizer(tmp_path: Path) -> None:
    """A ReLU after a quantizer; half of a step would need one."""
    for factor, fits in ((1.0, True), (0.5, False)):
        file = File((1, 4))
        y = file.node("Mul", file.node("Relu", file.quant("x", 0.25, 5)), file.constant(factor))
        path = file.save(tmp_path / "net.onnx", file.node("MatMul", y, file.constant(np.eye(4)[:, ::-1])))
        if fits:
            assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 8, 5.0))
        else:
            with pytest.raises(
                OnnxError, match=r"takes real numbers, after node 1 \(Relu 't1'\), node 2 \(Mul 't2'\); a q"
            ):
                import_onnx(path)


@pytest.mark.parametrize("shape", [(1,), (1, 2, 3, 4, 5)])
def test_inputs_of_other_sides_are_named(tmp_path: Path, shape: tuple[int, ...]) -> None:
    file = File(shape)
    with pytest.raises(OnnxError, match=r"input 'x': shape \(.*\) must have 2 to 4 sides"):
        import_onnx(file.save(tmp_path / "net.onnx", file.quant("x")))
