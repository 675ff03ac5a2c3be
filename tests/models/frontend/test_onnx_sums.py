"""Biases of sums and sizes of windows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.frontend.onnx_file import OnnxError, clean, load
from models.frontend.onnx_network import import_onnx
from models.frontend.onnx_operators import conv
from models.frontend.onnx_quantizers import quantize
from models.frontend.onnx_sources import RealTensor
from models.frontend.onnx_tensors import Tensors
from tests.models.frontend.onnx_files import File


@pytest.mark.parametrize("bias, whole", [([0.5, -1.0], [20, -40]), ([0.51, -1.0], None)])
def test_a_bias_of_whole_steps_is_integers(tmp_path: Path, bias: list[float], whole: list[int] | None) -> None:
    file = File((1, 1, 2, 2))
    w = file.quant(file.constant(np.ones((2, 1, 1, 1))), 0.5, 4)
    file.node("Conv", file.quant("x", 0.05, 6), w, file.constant(bias), kernel_shape=[1, 1])
    path = file.save(tmp_path / "net.onnx")
    tensors = Tensors(clean(path, load(path)))
    tensors.input("x")
    for node in tensors.file.nodes:
        (conv if node.kind == "Conv" else quantize)(tensors, node)
    tensor = tensors.values["t2"]
    assert isinstance(tensor, RealTensor)
    assert tensor.offset.tolist() == pytest.approx(bias)
    assert tensor.step.tolist() == pytest.approx([0.025])
    assert tensor.biased is None if whole is None else tensor.biased.tolist() == whole


@pytest.mark.parametrize(
    "attributes, why",
    [
        ({"strides": [5, 1]}, r"stride \(5, 1\) must be 1 to 4"),
        ({"strides": [2]}, r"strides \[2\], dilations \[1, 1\] and pads \[0, 0, 0, 0\] must be of 2 axes"),
        ({"pads": [2, 0, 2, 0]}, r"padding \(2, 0, 2, 0\) must be 0 to 1 for kernel 3"),
        ({"dilations": [9, 1]}, r"dilation \(9, 1\) must be 1 to 8"),
    ],
)
def test_windows_that_are_not_possible_are_named(tmp_path: Path, attributes: dict[str, Any], why: str) -> None:
    file = File((1, 1, 20, 20))
    w = file.quant(file.constant(np.ones((2, 1, 3, 3))), 0.5, 4)
    file.node("Conv", file.quant("x", 0.05, 6), w, kernel_shape=[3, 3], **attributes)
    with pytest.raises(OnnxError, match=rf"node 2 \(Conv 't2'\): {why}"):
        import_onnx(file.save(tmp_path / "net.onnx"))
