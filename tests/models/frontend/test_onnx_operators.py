"""Nodes of ONNX files, each in a small network: golden gives what the file's execution gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.frontend.onnx_file import OnnxError
from models.frontend.onnx_network import import_onnx
from tests.models.frontend.onnx_files import File, assert_same, by_qonnx, random_inputs

RNG = np.random.default_rng(0)
REAL = 1e-6
"""What the order of a sum leaves, where a network ends in real numbers."""


def weights(file: File, shape: tuple[int, ...]) -> str:
    return file.quant(file.constant(RNG.normal(size=shape)), 0.4173, 4)


@pytest.mark.parametrize(
    "channels, shape, attributes",
    [
        (4, (6, 4, 3, 3), {"pads": [1, 1, 1, 1]}),
        (4, (4, 1, 3, 3), {"group": 4, "pads": [0, 1, 1, 0], "strides": [2, 1]}),
        (4, (6, 2, 1, 5), {"group": 2, "pads": [0, 2, 0, 2]}),
        (4, (2, 4, 2, 3), {"dilations": [2, 1], "strides": [1, 3]}),
        (4, (2, 4, 3, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
        (4, (2, 4, 3, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 2]}),
        (4, (2, 4, 3, 3), {"auto_pad": "VALID"}),
    ],
)
def test_convolutions(tmp_path: Path, channels: int, shape: tuple[int, ...], attributes: dict[str, Any]) -> None:
    file = File((1, channels, 8, 7))
    b = file.constant(RNG.normal(size=shape[0]))
    y = file.node("Conv", file.quant("x", 0.0517, 6), weights(file, shape), b, kernel_shape=shape[2:], **attributes)
    path = file.save(tmp_path / "net.onnx", file.quant(y, 0.4931, 5))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 4))


def test_a_sequence(tmp_path: Path) -> None:
    file = File((1, 3, 20))
    w = weights(file, (4, 3, 5))
    y = file.node("Conv", file.quant("x", 0.0517, 6), w, pads=[2, 1], strides=[2], kernel_shape=[5])
    y = file.node("MaxPool", file.quant(file.node("Relu", y), 0.1931, 4), kernel_shape=[2], strides=[2])
    path = file.save(tmp_path / "net.onnx", file.node("Flatten", y))
    network = import_onnx(path)
    assert network.graph.input.shape == (1, 20, 3)
    assert_same(network, by_qonnx(path), random_inputs(file.shape, 6))


@pytest.mark.parametrize("kind", ["Gemm", "Gemm of rows", "MatMul"])
def test_linear_layers_of_a_flattened_image(tmp_path: Path, kind: str) -> None:
    """Weights are in the order of channels, rows, columns; the graph's frames have channels last."""
    file = File((1, 3, 2, 4))
    x = file.node("Flatten", file.quant("x", 0.0517, 6))
    w = weights(file, (5, 24) if kind == "Gemm of rows" else (24, 5))
    b = [file.constant(RNG.normal(size=5))] if kind != "MatMul" else []
    y = file.node(kind.split()[0], x, w, *b, **({"transB": 1} if kind == "Gemm of rows" else {}))
    path = file.save(tmp_path / "net.onnx", y)
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 6), REAL)


def test_other_orders_of_the_same_numbers(tmp_path: Path) -> None:
    """An image with channels last is flattened: TensorFlow's order."""
    file = File((1, 3, 2, 4))
    x = file.node("Transpose", file.quant("x", 0.0517, 6), perm=[0, 2, 3, 1])
    x = file.node("Reshape", x, file.constant([1, -1], np.int64))
    x = file.node("Unsqueeze", x, file.constant([2], np.int64))
    x = file.node("Squeeze", file.node("Identity", x), file.constant([2], np.int64))
    path = file.save(tmp_path / "net.onnx", file.node("MatMul", x, weights(file, (24, 3))))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 6), REAL)


def test_weights_go_through_renamings_too(tmp_path: Path) -> None:
    file = File((1, 6))
    w = file.node("Transpose", file.node("Reshape", weights(file, (2, 12)), file.constant([4, 6], np.int64)))
    path = file.save(tmp_path / "net.onnx", file.node("MatMul", file.quant("x", 0.0517, 6), w))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 6), REAL)


@pytest.mark.parametrize("kind", ["LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid", "Softplus", "Elu"])
def test_functions_that_never_fall_between_sums_and_a_quantizer(tmp_path: Path, kind: str) -> None:
    file = File((1, 6))
    y = file.node("MatMul", file.quant("x", 0.0517, 6), weights(file, (6, 4)))
    path = file.save(tmp_path / "net.onnx", file.quant(file.node(kind, y), 0.05, 5))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 12))


@pytest.mark.parametrize(
    "nodes, why",
    [
        (lambda f, x: f.node("Conv", x, weights(f, (2, 2, 3, 3))), r"do not fit 5x5x4|in 1 groups do not fit"),
        (lambda f, x: f.node("Conv", x, weights(f, (2, 4, 17, 1)), pads=[8, 0, 8, 0]), r"kernel \(17, 1\) must be"),
        (lambda f, x: f.node("Conv", x, x), r"input 1, 't0', must be a constant"),
        (lambda f, x: f.node("MatMul", x, weights(f, (5, 3))), r"takes \(4, 5, 5\) numbers a batch, must take"),
        (lambda f, x: f.node("Mul", x, f.node("Relu", f.node("Flatten", x))), "takes two results of the network;"),
        (lambda f, x: f.node("Gemm", f.node("Flatten", x), weights(f, (100, 3)), alpha=0.5), "must take .*, unscaled"),
        (lambda f, x: f.node("Conv", f.node("Transpose", x), weights(f, (2, 5, 1, 1))), "batch must stay 1"),
        (lambda f, x: f.node("Conv", f.node("Transpose", x, perm=[0, 2, 3, 1]), weights(f, (2, 5, 1, 1))), "no frame"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named(tmp_path: Path, nodes: Any, why: str) -> None:
    file = File((1, 4, 5, 5))
    path = file.save(tmp_path / "net.onnx", nodes(file, file.quant("x", 0.0517, 6)))
    with pytest.raises(OnnxError, match=rf"net.onnx: node \d+ \(\w+ 't\d+'\): .*({why})"):
        import_onnx(path)
