"""Functions of single numbers against whole tensors, as ONNX Runtime and ``qonnx`` compute them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.frontend.onnx_file import OnnxError, OnnxFile, clean, load
from models.frontend.onnx_functions import bias_step, channel_axis, constant_of, function_of, order_of
from models.frontend.onnx_tensors import canonical
from models.ir.node import Shape
from tests.models.frontend.onnx_files import File, by_qonnx

SHAPE = Shape(2, 3, 4)


def read(path: Path, file: File) -> OnnxFile:
    file.save(path)
    return clean(path, load(path))


def vector(scale: float = 1.0) -> np.ndarray:
    return (np.random.default_rng(0).random(4) + 0.5) * scale


@pytest.mark.parametrize(
    "kind, constants, attributes",
    [
        ("Relu", [], {}),
        ("Mul", [vector().reshape(1, 4, 1, 1)], {}),
        ("Add", [vector().reshape(4, 1, 1)], {}),
        ("Div", [np.array(3.7)], {}),
        ("BatchNormalization", [vector(), -vector(), vector(2.0), vector()], {"epsilon": 1e-3}),
        ("PRelu", [vector().reshape(4, 1, 1)], {}),
        ("HardSigmoid", [], {"alpha": 0.3}),
        ("Elu", [], {}),
        ("Clip", [np.array(-0.5), np.array(0.75)], {}),
    ],
)
def test_a_channel_at_a_time(tmp_path: Path, kind: str, constants: list[Any], attributes: dict[str, Any]) -> None:
    """What a function gives for numbers side by side is what the node gives for images."""
    file = File((1, 4, 2, 3))
    file.node(kind, "x", *[file.constant(own) for own in constants], **attributes)
    own = read(tmp_path / "net.onnx", file)
    function = function_of(own, own.nodes[0], 0, canonical(SHAPE, 3), 4)
    x = np.random.default_rng(1).normal(size=(1, 4, 2, 3)).astype(np.float32)
    found = function(x.reshape(4, 6))
    assert np.array_equal(found.reshape(1, 4, 2, 3), by_qonnx(tmp_path / "net.onnx")(x))


def test_a_flattened_image_takes_one_constant_for_all(tmp_path: Path) -> None:
    index = np.arange(24)
    file = File((1, 24))
    file.node("Mul", "x", file.constant(3.0))
    own = read(tmp_path / "net.onnx", file)
    x = np.arange(8.0, dtype=np.float32).reshape(4, 2)
    assert np.array_equal(function_of(own, own.nodes[0], 0, index, 4)(x), 3 * x)
    file = File((1, 24))
    file.node("Mul", "x", file.constant(np.arange(24)))
    own = read(tmp_path / "net.onnx", file)
    with pytest.raises(OnnxError, match=r"node 0 \(Mul 't0'\): its constant 'c0' of shape \(24,\) differs within a"):
        function_of(own, own.nodes[0], 0, index, 4)


def test_the_axis_of_the_channels() -> None:
    index = canonical(SHAPE, 3)
    assert index.shape == (4, 2, 3)
    assert channel_axis(index, 4) == 0
    assert channel_axis(index.transpose(1, 2, 0), 4) == 2
    assert channel_axis(index.reshape(-1), 4) is None
    assert channel_axis(np.arange(4), 4) == 0
    assert channel_axis(index[::-1], 4) is None


def test_constants_and_orders(tmp_path: Path) -> None:
    file = File((1, 2, 3))
    file.node("Transpose", file.quant(file.constant([[0.1, 0.9]]), 0.5, 4), perm=[1, 0])
    file.node("Transpose", "x", perm=[0, 2, 1])
    own = read(tmp_path / "net.onnx", file)
    assert constant_of(own, own.nodes[0]).tolist() == [[0.0], [1.0]]
    numbers = np.arange(6).reshape(1, 2, 3) + (1 << 40)
    assert np.array_equal(order_of(own, own.nodes[-1], numbers), numbers.transpose(0, 2, 1))


@pytest.mark.parametrize(
    "scale, bias, step", [(2.0, -1.0, 1.0), (1.0, 0.0, 1.0), (0.5, 3.0, 0.5), (3.0, 1.0, 1.0), (1.0, np.pi, 0.0)]
)
def test_the_step_of_which_scale_and_bias_are_multiples(scale: float, bias: float, step: float) -> None:
    assert bias_step(scale, bias) == pytest.approx(step)
