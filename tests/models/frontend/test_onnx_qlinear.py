"""Nodes that compute with integers alone, against ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from models.frontend.onnx_network import import_onnx
from models.frontend.onnx_qlinear import INTEGER_NODES
from tests.models.frontend.onnx_files import File, assert_same, by_runtime, random_inputs

RNG = np.random.default_rng(0)


def scale(file: File, step: float, zero: int = 0, kind: type = np.uint8) -> list[str]:
    return [file.constant(step), file.constant(zero, kind)]


def convolution(file: File, x: list[str]) -> str:
    w = [file.constant(RNG.integers(-60, 60, (3, 2, 3, 3)), np.int8), file.constant(RNG.random(3) * 0.03 + 0.01)]
    b = file.constant(RNG.integers(-900, 900, 3), np.int32)
    y = scale(file, 0.02, 9)
    return file.node("QLinearConv", *x, *w, file.constant([0] * 3, np.int8), *y, b, pads=[1, 1, 1, 1])


def multiplication(file: File, x: list[str]) -> str:
    flat = file.node("Flatten", x[0])
    w = [file.constant(RNG.integers(-60, 60, (50, 4)), np.int8), *scale(file, 0.01, 0, np.int8)]
    return file.node("QLinearMatMul", flat, *x[1:], *w, *scale(file, 0.03, 100))


def general(file: File, x: list[str]) -> str:
    flat = file.node("Flatten", x[0])
    w = [file.constant(RNG.integers(-60, 60, (4, 50)), np.int8), *scale(file, 0.01, 0, np.int8)]
    b = file.constant(RNG.integers(-900, 900, 4), np.int32)
    return file.node("QGemm", flat, *x[1:], *w, b, *scale(file, 0.03, 100), domain="com.microsoft", transB=1)


def pooled(kind: str, **attributes: Any) -> Any:
    return lambda file, x: file.node(kind, *x, *scale(file, 1 / 128, 20), domain="com.microsoft", **attributes)


NODES = {
    "QLinearConv": convolution,
    "QLinearMatMul": multiplication,
    "QGemm": general,
    "QLinearAdd": lambda file, x: file.node("QLinearAdd", *x, *x, *scale(file, 0.0213, 3), domain="com.microsoft"),
    "QLinearAveragePool": pooled("QLinearAveragePool", kernel_shape=[2, 2]),
    "QLinearGlobalAveragePool": pooled("QLinearGlobalAveragePool", channels_last=0),
    "QLinearLeakyRelu": pooled("QLinearLeakyRelu", alpha=0.3),
    "QLinearSigmoid": pooled("QLinearSigmoid"),
}


@pytest.mark.parametrize("kind", NODES)
def test_integers_as_the_runtime_computes_them(tmp_path: Path, kind: str) -> None:
    file = File((1, 2, 5, 5))
    own = scale(file, 1 / 128, 120)
    y = NODES[kind](file, [file.node("QuantizeLinear", "x", *own), *own])
    model = file.model(y)
    model.graph.output[0].type.tensor_type.elem_type = onnx.TensorProto.UINT8
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    path = tmp_path / "net.onnx"
    onnx.save(model, path)
    assert_same(import_onnx(path), by_runtime(path), random_inputs(file.shape, 24))


def test_these_are_all_of_them() -> None:
    assert {kind for _, kind in INTEGER_NODES} == set(NODES)
