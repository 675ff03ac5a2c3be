"""Golden against torch convolutions, brute force in Python integers, and rationals."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from models.ir import golden
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import GraphError, Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.concat import Concat
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.linear import Linear
from models.ir.ops.max_pool import MaxPool
from models.ir.ops.requantize import Requantize
from models.ir.ops.windowed import WindowNode
from models.ir.requant import Requant
from tests.models.ir.builders import (
    DYBIT4,
    INT8,
    INT16,
    UDYBIT4,
    UINT8,
    conv,
    every_op,
    random_frame,
    requant,
    single,
    tensor,
)  # fmt: skip

WINDOWS = [
    (kernel, stride, padding)
    for kernel in range(1, 8)
    for stride in (1, 2)
    for padding in sorted({0, (kernel - 1) // 2})
]
DENSITIES = [1.0, 0.3, 0.03]


def scaled_by_hand(acc: int, channel: int, rule: Requant) -> Fraction:
    biased = (acc << rule.fraction) + int(rule.bias[channel])
    scaled = Fraction(biased * int(rule.mult[channel]), 2**rule.shift)
    return min(max(scaled, Fraction(rule.lo)), Fraction(rule.hi))


def by_hand(acc: int, channel: int, rule: Requant) -> int:
    return math.floor(scaled_by_hand(acc, channel, rule) + Fraction(1, 2))


def nearest_by_hand(value: Fraction, dtype: DType) -> int:
    return min(dtype.values().tolist(), key=lambda v: (abs(v - value), -v))


def active_by_hand(node: WindowNode, mask: np.ndarray) -> np.ndarray:
    """Output sites of a window op, in plain loops over cells."""
    height, width = mask.shape
    rows = (height + 2 * node.padding - node.kernel) // node.stride + 1
    columns = (width + 2 * node.padding - node.kernel) // node.stride + 1
    first = (node.kernel - 1) // 2 - node.padding
    out = np.zeros((rows, columns), dtype=bool)
    for y in range(rows):
        for x in range(columns):
            top, left = first + node.stride * y, first + node.stride * x
            out[y, x] = mask[top : top + node.stride, left : left + node.stride].any()
    return out


def planes(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)[None])).double()


def finished(acc: np.ndarray, rule: Requant, dtype: DType) -> np.ndarray:
    out = [[nearest_by_hand(scaled_by_hand(a, c, rule), dtype) for c, a in enumerate(row)] for row in acc.tolist()]
    return np.array(out, dtype=np.int64).reshape(acc.shape)


def check(node: Node, frame: Frame, dtype: DType, dense_acc: np.ndarray, mask: np.ndarray) -> None:
    """Golden's frame equals the requantized sums ``[h, w, c]`` at the sites of ``mask``, and nothing else."""
    got = golden.run(single(node, Shape(frame.height, frame.width, frame.channels), dtype), frame)[node.name]
    assert np.array_equal(got.mask, mask)
    assert np.array_equal(got.features, finished(dense_acc[mask], node.requant, node.dtype))  # type: ignore[attr-defined]


@pytest.mark.few(24)
@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_convolution_equals_torch_at_the_active_sites(kernel: int, stride: int, padding: int, density: float) -> None:
    rng = np.random.default_rng(kernel * 100 + stride * 10 + padding)
    shape = Shape(8, 9, 3)
    frame = random_frame(rng, shape, UINT8, density)
    for depthwise, out in ((False, 4), (True, 3)):
        node = conv(rng, 3, out, kernel, stride=stride, padding=padding, depthwise=depthwise)
        weight = torch.from_numpy(node.weight).double()
        sums = F.conv2d(planes(frame.to_dense()), weight, stride=stride, padding=padding, groups=3 if depthwise else 1)
        acc = sums[0].numpy().transpose(1, 2, 0).astype(np.int64)
        mask = active_by_hand(node, frame.mask)
        assert density < 1 or mask.all()
        check(node, frame, UINT8, acc, mask)


@pytest.mark.parametrize("weights", [INT8, IntType(4), DyBitType(8), DYBIT4], ids=str)
@pytest.mark.parametrize("source", [INT8, IntType(4, False), DyBitType(8, False), UDYBIT4], ids=str)
@pytest.mark.parametrize("dtype", [UINT8, UDYBIT4], ids=str)
def test_convolution_over_mixed_formats(weights: DType, source: DType, dtype: DType) -> None:
    rng = np.random.default_rng(7)
    node = conv(rng, 2, 3, 3, weights=weights, source=source, dtype=dtype)
    frame = random_frame(rng, Shape(5, 4, 2), source, 0.6)
    image, acc = frame.to_dense(), np.zeros((5, 4, 3), dtype=object)
    for y, x, o, ky, kx, c in np.ndindex(5, 4, 3, 3, 3, 2):
        if 0 <= y + ky - 1 < 5 and 0 <= x + kx - 1 < 4:
            acc[y, x, o] += int(image[y + ky - 1, x + kx - 1, c]) * int(node.weight[o, c, ky, kx])
    check(node, frame, source, acc.astype(np.int64), frame.mask)


@pytest.mark.few(24)
@pytest.mark.parametrize("density", DENSITIES)
@pytest.mark.parametrize("kernel, stride, padding", [w for w in WINDOWS if w[0] >= w[1]])
def test_pooling_equals_torch_at_the_active_sites(kernel: int, stride: int, padding: int, density: float) -> None:
    rng = np.random.default_rng(kernel)
    frame = random_frame(rng, Shape(8, 9, 3), INT8, density)
    window = {"name": "pool", "inputs": (), "kernel": kernel, "stride": stride, "padding": padding}

    average = AvgPool(dtype=INT8, requant=requant(rng, 3, INT8, 128 * kernel**2), **window)
    ones = torch.ones((3, 1, kernel, kernel), dtype=torch.float64)
    sums = F.conv2d(planes(frame.to_dense()), ones, stride=stride, padding=padding, groups=3)
    mask = active_by_hand(average, frame.mask)
    check(average, frame, INT8, sums[0].numpy().transpose(1, 2, 0).astype(np.int64), mask)

    largest = MaxPool(dtype=INT8, **window)
    image = np.where(frame.mask[:, :, None], frame.to_dense(), -1000)
    expected = F.max_pool2d(planes(image), kernel, stride, padding)[0].numpy().transpose(1, 2, 0).astype(np.int64)
    got = golden.run(single(largest, Shape(8, 9, 3), INT8), frame)["pool"]
    assert np.array_equal(got.mask, mask)
    assert np.array_equal(got.features, expected[mask])


@pytest.mark.parametrize("density", [*DENSITIES, 0.0])
def test_global_pool_and_linear_see_the_whole_frame(density: float) -> None:
    rng = np.random.default_rng(3)
    frame = random_frame(rng, Shape(4, 5, 6), UDYBIT4, density)
    image = frame.to_dense()
    pool = GlobalPool(name="pool", inputs=(), dtype=UINT8, requant=requant(rng, 6, UINT8, 20 * 64))
    total = np.array([[[sum(image[y, x, c] for y in range(4) for x in range(5)) for c in range(6)]]])
    check(pool, frame, UDYBIT4, total, np.ones((1, 1), bool))
    weight = tensor(rng, DYBIT4, 7, 4, 5, 6)
    rule = requant(rng, 7, INT16, 120 * 64 * 16)
    linear = Linear(name="fc", inputs=(), dtype=INT16, weight=weight, weight_dtype=DYBIT4, requant=rule)
    sums = (weight.reshape(7, -1) * image.reshape(-1)).sum(axis=1)
    got = golden.run(single(linear, Shape(4, 5, 6), UDYBIT4), frame)["fc"]
    assert got.features.tolist() == [[by_hand(int(acc), c, rule) for c, acc in enumerate(sums)]]


@given(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**16 - 1), st.integers(0, 40))
def test_requantize_rounds_half_up_exactly(acc: int, bias: int, mult: int, shift: int) -> None:
    rule = Requant(np.array([bias]), np.array([mult]), shift, -(2**40), 2**40)
    assert rule.integer(np.array([[acc]])).item() == by_hand(acc, 0, rule)


@pytest.mark.parametrize("dtype", [UINT8, INT8, UDYBIT4, DYBIT4], ids=str)
def test_add_clips_each_branch_then_the_sum(dtype: DType) -> None:
    rng = np.random.default_rng(5)
    lo, hi = dtype.min // 2, dtype.max - dtype.max // 4
    a, b = (dataclasses.replace(requant(rng, 2, dtype, 128), lo=dtype.min, hi=dtype.max) for _ in range(2))
    node = Add(name="sum", inputs=(), dtype=dtype, a=a, b=b, lo=lo, hi=hi)
    frame = random_frame(rng, Shape(6, 6, 2), INT8, 0.7)
    got = golden.run(single(node, Shape(6, 6, 2), INT8), frame)["sum"]
    for row, out in zip(frame.features.tolist(), got.features.tolist(), strict=True):
        for channel, value in enumerate(row):
            total = Fraction(by_hand(value, channel, a) + by_hand(value, channel, b), 2**dtype.guard_bits)
            assert out[channel] == nearest_by_hand(min(max(total, Fraction(lo)), Fraction(hi)), dtype)


def test_add_refuses_branches_with_different_sites() -> None:
    rng = np.random.default_rng(1)
    rule = Requant.identity(1, 0, 255)
    node = Add(name="sum", inputs=("a", "b"), dtype=UINT8, a=rule, b=rule, lo=0, hi=255)
    dense = random_frame(rng, Shape(2, 2, 1), UINT8)
    with pytest.raises(ValueError, match="'sum': its two inputs have different active sites"):
        node.compute(dense, Frame(2, 2, dense.sites[1:], dense.features[1:]))


@pytest.mark.parametrize("dtype", [UINT8, IntType(4), DYBIT4], ids=str)
def test_concat_lays_channels_beside_each_other(dtype: DType) -> None:
    """Of two inputs of their own channels and formats, each channel with its own constants."""
    rng = np.random.default_rng(7)
    rule = requant(rng, 5, dtype, 128)
    node = Concat(name="both", inputs=("a", "b"), dtype=dtype, requant=rule)
    shapes = Shape(6, 6, 2), Shape(6, 6, 3)
    node.check(shapes, (INT8, UINT8))
    assert node.out_shape(*shapes) == Shape(6, 6, 5)
    a = random_frame(rng, shapes[0], INT8, 0.7)
    b = a.with_features(rng.integers(0, 256, (len(a.sites), 3)))
    got = node.compute(a, b)
    assert np.array_equal(got.sites, a.sites)
    for left, right, out in zip(a.features.tolist(), b.features.tolist(), got.features.tolist(), strict=True):
        for channel, value in enumerate(left + right):
            biased = (value << rule.fraction) + int(rule.bias[channel])
            exact = Fraction(biased * int(rule.mult[channel]), 2**rule.shift)
            assert out[channel] == nearest_by_hand(min(max(exact, Fraction(rule.lo)), Fraction(rule.hi)), dtype)


@pytest.mark.parametrize(
    ("shapes", "channels", "why"),
    [
        (
            (Shape(2, 2, 1), Shape(2, 3, 1)),
            2,
            r"field 'inputs': .* must have one height and width, not 2x2x1 and 2x3x1",
        ),
        ((Shape(2, 2, 1), Shape(2, 2, 3)), 2, r"field 'requant.bias': \(2,\) must have shape \(4,\)"),
    ],
)
def test_a_concat_that_does_not_fit_is_named(shapes: tuple[Shape, Shape], channels: int, why: str) -> None:
    node = Concat(name="both", inputs=("a", "b"), dtype=UINT8, requant=Requant.identity(channels, 0, 255))
    with pytest.raises(GraphError, match=f"graph node 'both', {why}"):
        node.check(shapes, (UINT8, UINT8))


def test_concat_refuses_inputs_with_different_sites() -> None:
    node = Concat(name="both", inputs=("a", "b"), dtype=UINT8, requant=Requant.identity(2, 0, 255))
    dense = random_frame(np.random.default_rng(1), Shape(2, 2, 1), UINT8)
    with pytest.raises(ValueError, match="'both': its two inputs have different active sites"):
        node.compute(dense, Frame(2, 2, dense.sites[1:], dense.features[1:]))


@pytest.mark.parametrize("dtype", [IntType(4), UDYBIT4, DYBIT4], ids=str)
def test_requantize_node_changes_the_format(dtype: DType) -> None:
    rng = np.random.default_rng(6)
    node = Requantize(name="cast", inputs=(), dtype=dtype, requant=requant(rng, 3, dtype, 128))
    frame = random_frame(rng, Shape(5, 7, 3), INT8, 0.5)
    check(node, frame, INT8, frame.to_dense(), frame.mask)


def test_an_empty_frame_is_legal_everywhere() -> None:
    graph = every_op(np.random.default_rng(0))
    empty = Frame.from_dense(np.zeros(graph.input.shape, np.int64), np.zeros(graph.input.shape[:2], bool))
    frames = golden.run(graph, empty)
    for node in graph.nodes:
        shape, frame = graph.shapes[node.name], frames[node.name]
        assert (frame.height, frame.width, frame.channels) == shape
        assert len(frame.sites) == isinstance(node, GlobalPool | Linear)
    pool, rule = frames["global_pool"], graph["global_pool"].requant  # type: ignore[attr-defined]
    assert pool.features.tolist() == [[by_hand(0, c, rule) for c in range(6)]]


def test_dense_is_the_sparse_frame_with_every_site() -> None:
    graph = every_op(np.random.default_rng(2))
    for name, frame in golden.run(graph, random_frame(np.random.default_rng(3), graph.input.shape, UINT8)).items():
        assert frame.mask.all(), name


def test_wrong_frames_are_refused() -> None:
    graph = every_op(np.random.default_rng(0))
    with pytest.raises(ValueError, match="'every_op' takes frames of 8x10x3, not 8x10x1"):
        golden.run(graph, Frame.from_dense(np.zeros((8, 10, 1), np.int64)))
    with pytest.raises(ValueError, match="takes values of uint8"):
        golden.run(graph, Frame.from_dense(np.full((8, 10, 3), 256)))


@pytest.mark.parametrize(
    "sites, features, message",
    [
        ([[0, 0], [0, 0]], [[1], [1]], "raster order"),
        ([[1, 0], [0, 1]], [[1], [1]], "raster order"),
        ([[2, 0]], [[1]], "inside 2x2"),
        ([[0, -1]], [[1]], "inside 2x2"),
        ([[0, 0]], [[1], [2]], r"shape \[1, channels\]"),
        ([[0, 0, 0]], [[1]], r"shape \[n, 2\]"),
    ],
)
def test_frames_that_break_the_rules_are_refused(sites: list, features: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Frame(2, 2, np.array(sites), np.array(features))


def test_frames_round_trip_through_dense() -> None:
    frame = random_frame(np.random.default_rng(4), Shape(5, 6, 3), INT8, 0.4)
    assert Frame.from_dense(frame.to_dense(), frame.mask) == frame


def test_conv_weight_is_indexed_out_in_y_x() -> None:
    """One weight, one pixel: where the product lands says which index is which."""
    weight = np.zeros((2, 2, 3, 3), np.int64)
    weight[1, 0, 0, 2] = 5
    node = Conv(
        name="conv", inputs=(), dtype=UINT8, kernel=3, padding=1, weight=weight, weight_dtype=INT8,
        requant=Requant.identity(2, 0, 255),
    )  # fmt: skip
    image = np.zeros((4, 4, 2), np.int64)
    image[1, 2, 0] = 7
    out = golden.run(single(node, Shape(4, 4, 2), UINT8), Frame.from_dense(image))["conv"].to_dense()
    assert np.argwhere(out).tolist() == [[2, 1, 1]]
    assert out[2, 1, 1] == 35


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


def test_what_sums_whole_frames_is_dense_again() -> None:
    sparse = every_op(np.random.default_rng(0)).sparse
    assert {name for name, value in sparse.items() if not value} == {"global_pool", "fc"}


def test_frames_are_equal_where_sites_and_features_are() -> None:
    frame, moved, other = (Frame(2, 2, np.array([[0, at]]), np.array([[own]])) for at, own in ((0, 5), (1, 5), (0, 6)))
    assert frame == Frame.from_dense(frame.to_dense(), np.array([[True, False], [False, False]]))
    assert frame != moved
    assert frame != other
    assert frame != Frame(2, 3, frame.sites, frame.features)
    assert frame != "frame"
