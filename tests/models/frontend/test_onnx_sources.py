"""Streams: real functions of integers, and what the sources of these become."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from models.frontend.graph_builder import GraphBuilder
from models.frontend.onnx_file import OnnxError
from models.frontend.onnx_network import import_onnx
from models.frontend.onnx_sources import InputSource, NodeSource, Numbers, RealTensor
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.ops.conv import Conv
from models.ir.ops.input import Input
from models.ir.ops.lookup import Lookup
from models.ir.ops.requantize import Requantize
from tests.models.frontend.onnx_files import File, assert_same, by_qonnx, random_inputs


def builder(dtype: IntType) -> GraphBuilder:
    build = GraphBuilder()
    build.append(Input(name="input", inputs=(), shape=Shape(1, 1, 2), dtype=dtype))
    return build


def test_a_node_s_numbers_stay_rise_or_become_a_table() -> None:
    build = builder(IntType(4))
    source = NodeSource(build, "input")
    assert source.ranges == [(-8, 7)] * 2
    assert source.finish(Numbers(IntType(4), (-8, 7), 1.0)) == "input"
    assert source.finish(Numbers(IntType(4), (-8, 7), 1.0, lambda x: x)) == "input"
    rising = source.finish(Numbers(IntType(4), (-4, 3), 1.0, lambda x: x >> 1))
    table = source.finish(Numbers(IntType(4), (0, 7), 1.0, lambda x: np.minimum(abs(x), 7)))
    assert [type(node) for node in build.nodes] == [Input, Requantize, Lookup]
    assert (rising, table) == ("requantize_0", "lookup_0")
    assert build.nodes[-1].table.tolist() == [[7, 7, 6, 5, 4, 3, 2, 1, 0, 1, 2, 3, 4, 5, 6, 7]]


def test_a_table_for_each_channel_where_they_differ() -> None:
    build = builder(IntType(3))
    signs = np.array([[1], [-1]])
    NodeSource(build, "input").finish(Numbers(IntType(4), (-4, 4), 1.0, lambda x: x * signs))
    assert build.nodes[-1].table.tolist() == [[*range(-4, 4)], [*range(4, -4, -1)]]


def test_the_input_is_quantized_once() -> None:
    build = builder(IntType(4))
    with pytest.raises(OnnxError, match="input 'x': is quantized twice; it must be once"):
        InputSource(build, Path("net.onnx"), "x", Shape(1, 1, 2)).finish(Numbers(IntType(4), (-8, 7), 1.0))
    with pytest.raises(OnnxError, match="input 'x': nothing says of which integers it consists"):
        _ = InputSource(build, Path("net.onnx"), "x", Shape(1, 1, 2)).ranges


def test_real_numbers_go_through_all_functions_in_single_precision() -> None:
    build = builder(IntType(4))
    tensor = RealTensor(NodeSource(build, "input"), np.arange(2), np.array([0.1, 0.2]), np.array([1.0, -1.0]))
    found = tensor.real(np.array([[1, 2], [3, 4]]))
    assert found.dtype == np.float32
    assert np.array_equal(found, np.float32([[1.1, 1.2], [-0.4, -0.2]]))


def test_weights_of_a_channel_whose_numbers_fall_are_negated(tmp_path: Path) -> None:
    """A batch normalization with factors below 0, between a convolution and its quantizer."""
    file = File((1, 2, 4, 4))
    weight = np.random.default_rng(0).integers(-3, 4, (3, 2, 3, 3))
    w = file.quant(file.constant(weight * 0.5), 0.5, 3)
    y = file.node("Conv", file.quant("x", 0.1, 8), w, kernel_shape=[3, 3])
    norm = [file.constant(own) for own in ([0.5, -0.25, 1.0], [0.1, 0.2, 0.3], [1.0, -1.0, 0.0], [1.0, 2.0, 1.0])]
    y = file.node("BatchNormalization", y, *norm)
    path = file.save(tmp_path / "net.onnx", file.quant(y, 0.25, 4))
    network = import_onnx(path)
    node = network.graph.nodes[-1]
    assert isinstance(node, Conv)
    assert np.array_equal(node.weight, weight * np.array([1, -1, 1]).reshape(3, 1, 1, 1))
    assert_same(network, by_qonnx(path), random_inputs(file.shape, 12, 10.0))
