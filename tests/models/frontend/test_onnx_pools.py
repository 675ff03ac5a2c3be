"""Poolings of ONNX files, before and after quantizers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.frontend.onnx_file import OnnxError
from models.frontend.onnx_network import import_onnx
from tests.models.frontend.onnx_files import File, assert_same, by_qonnx, random_inputs


def summed(file: File, factor: list[float]) -> str:
    """A convolution with a factor for each channel."""
    w = file.quant(file.constant(np.random.default_rng(0).normal(size=(2, 2, 2, 2))), 0.4173, 4)
    y = file.node("Conv", file.quant("x", 0.0517, 6), w, kernel_shape=[2, 2])
    return file.node("Mul", y, file.constant(np.array(factor).reshape(1, 2, 1, 1)))


@pytest.mark.parametrize("factor", [[0.5, 1.0], [0.5, -1.0]])
def test_the_largest_of_real_numbers_is_that_of_their_integers(tmp_path: Path, factor: list[float]) -> None:
    file = File((1, 2, 7, 7))
    y = file.node("MaxPool", summed(file, factor), kernel_shape=[2, 2], strides=[2, 2])
    path = file.save(tmp_path / "net.onnx", file.quant(file.node("Relu", y), 0.1931, 4, signed=0))
    network = import_onnx(path)
    assert [node.op for node in network.graph.nodes] == ["input", "conv", "max_pool"]
    assert_same(network, by_qonnx(path), random_inputs(file.shape, 6))


def test_a_factor_below_0_after_a_pooling_is_named(tmp_path: Path) -> None:
    file = File((1, 2, 7, 7))
    y = file.node("MaxPool", summed(file, [1.0, 1.0]), kernel_shape=[2, 2])
    path = file.save(tmp_path / "net.onnx", file.quant(file.node("Neg", y), 0.2, 4))
    with pytest.raises(OnnxError, match=r"\(Quant 't6'\): what comes between a pooling and it falls somewhere; quan"):
        import_onnx(path)


@pytest.mark.parametrize(
    "kind, attributes",
    [
        ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
        ("AveragePool", {"kernel_shape": [6, 6]}),
        ("GlobalAveragePool", {}),
        ("ReduceMean", {"axes": [2, 3], "keepdims": 0}),
        ("ReduceMean", {"axes": [-1, -2]}),
        ("MaxPool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "strides": [2, 2]}),
    ],
)
def test_poolings_of_integers(tmp_path: Path, kind: str, attributes: dict[str, Any]) -> None:
    file = File((1, 2, 6, 6))
    y = file.node(kind, file.quant("x", 0.0517, 6), **attributes)
    path = file.save(tmp_path / "net.onnx", file.quant(y, 0.0717, 5))
    assert_same(import_onnx(path), by_qonnx(path), random_inputs(file.shape, 12), 1e-6)


@pytest.mark.parametrize(
    "kind, attributes, why",
    [
        (
            "AveragePool",
            {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]},
            "pads; a mean over fewer numbers at the border",
        ),
        ("MaxPool", {"kernel_shape": [2, 2], "strides": [3, 3]}, r"its stride \(3, 3\) is larger than its kernel"),
        ("MaxPool", {"kernel_shape": [2, 2], "ceil_mode": 1}, "has ceil_mode 1; must be 0"),
        ("MaxPool", {"kernel_shape": [2, 2], "dilations": [2, 2]}, r"dilations \[2, 2\] must be 1"),
        ("ReduceMean", {"axes": [1]}, r"its axes \[1\] must be all but batch and channels"),
    ],
)
def test_poolings_that_are_not_possible_are_named(
    tmp_path: Path, kind: str, attributes: dict[str, Any], why: str
) -> None:
    file = File((1, 2, 6, 6))
    path = file.save(tmp_path / "net.onnx", file.node(kind, file.quant("x", 0.0517, 6), **attributes))
    with pytest.raises(OnnxError, match=rf"node 1 \({kind} 't1'\): {why}"):
        import_onnx(path)
