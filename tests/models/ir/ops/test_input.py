"""The input of a graph: the integers of real numbers, and the frames that it takes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from models.ir import golden
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from models.ir.ops.input import Input
from tests.models.ir.builders import every_op


def test_an_inputs_integers_are_the_nearest_that_its_format_holds() -> None:
    plain = Input(name="input", dtype=IntType(4), shape=Shape(1, 1, 2), scale=0.5)
    assert plain.encode(np.array([[0.6, -0.6], [1e30, -1e30], [3.4, 3.6]])).tolist() == [[1, -1], [7, -8], [7, 7]]
    own = dataclasses.replace(plain, offset=(100.0, -1e6), unit=(10.0, 1e5))
    real = np.array([[100.0, -1e6], [107.6, -1e6 - 0.6e5], [1e30, -1e30]])
    assert own.encode(real).tolist() == [[0, 0], [2, -1], [7, -8]]
    assert own.out_of_range(real).tolist() == [[False, False], [False, False], [True, True]]


def test_wrong_frames_are_refused() -> None:
    graph = every_op(np.random.default_rng(0))
    with pytest.raises(ValueError, match="'every_op' takes frames of 8x10x3, not 8x10x1"):
        golden.run(graph, Frame.from_dense(np.zeros((8, 10, 1), np.int64)))
    with pytest.raises(ValueError, match="takes values of uint8"):
        golden.run(graph, Frame.from_dense(np.full((8, 10, 3), 256)))


def test_a_dense_graph_takes_full_and_empty_frames_alone() -> None:
    rng = np.random.default_rng(0)
    graph = every_op(rng)
    dense = graph.replace(nodes=(dataclasses.replace(graph.input, sparse=False), *graph.nodes[1:]))
    assert not any(dense.sparse.values())
    image = np.zeros(graph.input.shape, np.int64)
    golden.run(dense, Frame.from_dense(image))
    golden.run(dense, Frame.from_dense(image, np.zeros((8, 10), bool)))
    with pytest.raises(ValueError, match="takes dense frames, not one with 1 of 80 sites active"):
        golden.run(dense, Frame.from_dense(image, np.arange(80).reshape(8, 10) == 3))
