"""Quantizers of ONNX files against the execution of the files: formats, scales, zero points, ties."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.frontend.onnx_file import QONNX, OnnxError
from models.frontend.onnx_network import import_onnx
from models.ir.ops.lookup import Lookup
from tests.models.frontend.onnx_files import File, assert_same, by_qonnx, by_runtime, random_inputs

ROUNDINGS = ["ROUND", "CEIL", "FLOOR", "HALF_UP", "HALF_DOWN", "UP", "DOWN", "HALF_EVEN"]


@pytest.mark.parametrize("rounding", ROUNDINGS)
@pytest.mark.parametrize("signed", [0, 1])
def test_every_rounding_at_ties(tmp_path: Path, rounding: str, signed: int) -> None:
    """Steps of powers of two: half of the sums are ties, and single precision is exact."""
    file = File((1, 2, 3, 3))
    x = file.quant("x", 0.25, 5)
    w = file.quant(file.constant(np.random.default_rng(0).integers(-3, 4, (4, 2, 2, 2)) * 0.5), 0.5, 3)
    y = file.node("Conv", x, w, kernel_shape=[2, 2])
    path = file.save(tmp_path / "net.onnx", file.quant(y, 0.25, 4, signed=signed, rounding_mode=rounding))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 12, 3.0))


@pytest.mark.parametrize("bits, narrow, zero", [(2, 0, 0), (2, 1, 0), (7, 0, 3), (8, 1, -5), (1, 0, 0)])
def test_formats_and_zero_points(tmp_path: Path, bits: int, narrow: int, zero: int) -> None:
    file = File((1, 3, 4, 4))
    x = file.quant("x", 0.031, 8)
    path = file.save(tmp_path / "net.onnx", file.quant(x, 0.1, bits, zero, narrow=narrow))
    run = by_qonnx(path)
    found = import_onnx(path)
    assert_same(found, run, random_inputs(file.shape, 4, 4.0), 1e-6)


def test_scales_of_channels(tmp_path: Path) -> None:
    """A scale for each channel of a depthwise convolution's input and of what it gives."""
    file = File((1, 3, 4, 4))
    x = file.quant("x", 0.05, 8)
    x = file.quant(x, np.array([0.1, 0.2, 0.35]).reshape(1, 3, 1, 1), 4)
    w = file.quant(file.constant(np.random.default_rng(1).normal(size=(3, 1, 3, 3))), 0.2, 4)
    y = file.node("Conv", x, w, group=3, kernel_shape=[3, 3])
    y = file.node("Relu", y)
    path = file.save(tmp_path / "net.onnx", file.quant(y, np.array([0.3, 0.1, 0.2]).reshape(1, 3, 1, 1), 4, signed=0))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 8, 2.0), 1e-6)


def test_thresholds_with_a_bias_that_is_half_a_scale(tmp_path: Path) -> None:
    """-1 and 1 as FINN has them: twice the count, less one; and five values half a step apart from whole ones."""
    for scale, bias, count in ((2.0, -1.0, 1), (1.0, -2.5, 4), (0.5, 0.0, 3)):
        file = File((1, 4))
        x = file.quant("x", 0.125, 6)
        levels = np.sort(np.random.default_rng(2).normal(size=(4, count)), axis=1)
        y = file.node(
            "MultiThreshold",
            x,
            file.constant(levels),
            domain=QONNX,
            out_scale=scale,
            out_bias=bias,
            out_dtype="FLOAT32",
        )
        path = file.save(tmp_path / "net.onnx", y)
        assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 8, 2.0))


def test_bipolar(tmp_path: Path) -> None:
    file = File((1, 4))
    x = file.node("BipolarQuant", file.quant("x", 0.125, 6), file.constant(0.5), domain=QONNX)
    w = file.node(
        "BipolarQuant", file.constant(np.random.default_rng(3).normal(size=(4, 5))), file.constant(0.25), domain=QONNX
    )
    y = file.node("BipolarQuant", file.node("MatMul", x, w), file.constant(1.0), domain=QONNX)
    path = file.save(tmp_path / "net.onnx", file.node("MatMul", y, file.constant(np.eye(5) - 0.5)))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 12))


def test_truncation(tmp_path: Path) -> None:
    """A mean as Brevitas exports it: the sum's lowest bits are cut off."""
    file = File((1, 2, 4, 4))
    x = file.node("AveragePool", file.quant("x", 0.25, 4, signed=0), kernel_shape=[2, 2], strides=[2, 2])
    sums = file.node("Mul", x, file.constant(4.0))
    constants = [file.constant(0.25), file.constant(0.0), file.constant(6.0), file.constant(4.0)]
    y = file.node("Trunc", sums, *constants, domain=QONNX, rounding_mode="FLOOR")
    path = file.save(tmp_path / "net.onnx", y)
    assert_same(import_onnx(path), by_qonnx(path), np.abs(random_inputs(file.shape, 6, 3.0)))


@pytest.mark.parametrize("kind, zero", [(np.int8, 0), (np.int8, -128), (np.uint8, 128), (np.uint8, 0)])
def test_sums_between_integers_are_multiplied_once_and_rounded_to_even(tmp_path: Path, kind: type, zero: int) -> None:
    rng = np.random.default_rng(4)
    file = File((1, 3, 5, 5))
    x = file.qdq("x", 0.01, zero, kind)
    w = file.node(
        "DequantizeLinear", file.constant(rng.integers(-63, 64, (4, 3, 3, 3)), np.int8),
        file.constant(rng.random(4) * 0.02 + 0.01), file.constant(np.zeros(4), np.int8), axis=0,
    )  # fmt: skip
    b = file.node("DequantizeLinear", file.constant(rng.integers(-500, 500, 4), np.int32), file.constant(0.0001))
    y = file.node("Relu", file.node("Conv", x, w, b, pads=[1, 1, 1, 1], kernel_shape=[3, 3]))
    path = file.save(tmp_path / "net.onnx", file.qdq(y, 0.02, -128 if kind is np.int8 else 0, kind))
    assert_same(import_onnx(path), by_runtime(path), random_inputs(file.shape, 8))


def test_a_function_that_rises_and_falls_of_few_bits_is_a_table(tmp_path: Path) -> None:
    file = File((1, 2, 3, 3))
    x = file.quant("x", 0.1, 7)
    y = file.quant(file.node("Mul", x, file.node("Sigmoid", x)), 0.03, 6)
    path = file.save(tmp_path / "net.onnx", y)
    network = import_onnx(path)
    assert isinstance(network.graph.nodes[-1], Lookup)
    assert_same(network, by_qonnx(path), random_inputs(file.shape, 8, 6.0), 1e-6)


def test_a_function_of_sums_that_rises_and_falls_is_named(tmp_path: Path) -> None:
    file = File((1, 4))
    y = file.node("MatMul", file.quant("x", 0.1, 7), file.quant(file.constant(np.eye(4)), 0.5, 4))
    path = file.save(tmp_path / "net.onnx", file.quant(file.node("Mul", y, file.node("Sigmoid", y)), 0.03, 6))
    with pytest.raises(OnnxError, match=r"node 5 \(Quant 't5'\): what becomes of its sums both rises and falls in"):
        import_onnx(path)


@pytest.mark.parametrize(
    "scale, bits, why",
    [
        (-0.5, 4, r"its scales -0.5 must be one, or one a channel, above 0"),
        (0.5, 2.5, r"bit width 2.5 must be 1 to 16"),
        (0.5, 40, r"bit width 40 must be 1 to 16"),
        (np.ones((1, 2, 4, 1)), 4, r"its constant 'c3' of shape \(1, 2, 4, 1\) differs within a channel"),
    ],
)
def test_settings_that_are_not_possible_are_named(tmp_path: Path, scale: object, bits: float, why: str) -> None:
    file = File((1, 2, 4, 4))
    x = file.quant("x", 0.1, 7)
    constants = [file.constant(scale), file.constant(0.0), file.constant(bits)]
    y = file.node("Quant", x, *constants, domain=QONNX, signed=1, narrow=0, rounding_mode="ROUND")
    with pytest.raises(OnnxError, match=rf"net.onnx: node 1 \(Quant 't1'\): {why}"):
        import_onnx(file.save(tmp_path / "net.onnx", y))
