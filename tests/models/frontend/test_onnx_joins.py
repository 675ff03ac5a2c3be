"""Sums and concatenations of two results of a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.frontend.onnx_file import OnnxError
from models.frontend.onnx_network import import_onnx
from tests.models.frontend.onnx_files import File, assert_same, by_qonnx, by_runtime, random_inputs


def branches(file: File, scales: tuple[float, float]) -> tuple[str, str]:
    """Two convolutions of the input."""
    rng, x = np.random.default_rng(0), file.quant("x", 0.0517, 6)
    made = []
    for scale in scales:
        w = file.quant(file.constant(rng.normal(size=(2, 2, 1, 1))), 0.3137, 4)
        made.append(file.quant(file.node("Conv", x, w, kernel_shape=[1, 1]), scale, 5))
    return made[0], made[1]


@pytest.mark.parametrize("scales", [(0.125, 0.125), (0.25, 0.5), (0.25, 0.75), (0.1, 0.17320508)])
def test_adds_of_any_two_scales(tmp_path: Path, scales: tuple[float, float]) -> None:
    file = File((1, 2, 5, 5))
    y = file.node("Relu", file.node("Add", *branches(file, scales)))
    path = file.save(tmp_path / "net.onnx", file.quant(y, 0.1093, 4, signed=0))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 12))


def test_an_add_that_is_normalized_by_channel(tmp_path: Path) -> None:
    file = File((1, 2, 5, 5))
    y = file.node("Add", *branches(file, (0.1, 0.1)))
    y = file.node("Mul", y, file.constant(np.array([0.7, 1.9]).reshape(1, 2, 1, 1)))
    path = file.save(tmp_path / "net.onnx", file.quant(y, 0.1093, 4))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 12))


@pytest.mark.parametrize("scales", [(0.125, 0.125), (0.1, 0.17320508)])
def test_concatenations(tmp_path: Path, scales: tuple[float, float]) -> None:
    file = File((1, 2, 5, 5))
    a, b = branches(file, scales)
    y = file.quant(
        file.node("Concat", a, b, a, axis=1) if scales[0] == scales[1] else file.node("Concat", a, b, axis=1), 0.2, 4
    )
    path = file.save(tmp_path / "net.onnx", y)
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 8))


def test_adds_between_integers_of_the_runtime(tmp_path: Path) -> None:
    file = File((1, 2, 5, 5))
    x = file.qdq("x", 0.01013, 3)
    made = []
    for scale, zero in ((0.0213, -4), (0.03137, 7)):
        w = file.node(
            "DequantizeLinear", file.constant(np.random.default_rng(zero + 9).integers(-63, 64, (2, 2, 1, 1)), np.int8),
            file.constant(0.02), file.constant(0, np.int8),
        )  # fmt: skip
        made.append(file.qdq(file.node("Conv", x, w, kernel_shape=[1, 1]), scale, zero))
    path = file.save(tmp_path / "net.onnx", file.qdq(file.node("Add", *made), 0.03719, -10))
    assert_same(import_onnx(path), by_runtime(path), random_inputs(file.shape, 24))


def test_joins_that_are_not_possible_are_named(tmp_path: Path) -> None:
    file = File((1, 2, 5, 5))
    a, b = branches(file, (0.1, 0.17320508))
    y = file.node("Mul", file.node("Add", a, b), file.constant(np.array([0.7, 1.9]).reshape(1, 2, 1, 1)))
    path = file.save(tmp_path / "net.onnx", file.quant(y, 0.1093, 4))
    with pytest.raises(
        OnnxError, match=r"net\.onnx: node 9 \(Quant 't9'\): the sum of conv_0 and conv_1 becomes other numbers in each"
    ):
        import_onnx(path)
    file = File((1, 2, 5, 5))
    path = file.save(tmp_path / "net.onnx", file.node("Concat", *branches(file, (0.1, 0.1)), axis=2))
    with pytest.raises(OnnxError, match="its axis 2 must be that of the channels, 1"):
        import_onnx(path)
