"""Beats against the packing Amaranth itself gives the layout, and the rules of framing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from amaranth.hdl import Const
from amaranth.lib import data
from hypothesis import given, settings
from hypothesis import strategies as st

from hw.streams.layout import TokenLayout, index_bits
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape

FORMATS = [IntType(8), IntType(4, False), IntType(16), DyBitType(4), DyBitType(8, False)]


def random_frame(rng: np.random.Generator, shape: Shape, dtype: DType, density: float) -> Frame:
    mask = rng.random((shape.height, shape.width)) < density
    return Frame.from_dense(rng.choice(dtype.values(), size=shape), mask)


def fields(layout: TokenLayout, payload: int) -> dict[str, Any]:
    """The fields of a payload as Amaranth's own layout sees them."""
    value = data.Const(layout.struct, payload)
    return {"end": value.end, "y": value.y, "x": value.x, "features": [value.features[i] for i in range(layout.lanes)]}


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("lanes", [1, 2, 3, 6])
def test_beats_are_what_amaranth_packs(dtype: DType, lanes: int) -> None:
    shape = Shape(5, 9, 6)
    layout = TokenLayout(shape, dtype, lanes)
    frame = random_frame(np.random.default_rng(lanes), shape, dtype, 0.5)
    beats = layout.beats(frame)
    assert len(beats) == len(frame.sites) * 6 // lanes + 1
    assert layout.beats_per_token == 6 // lanes
    assert beats[-1] == 1
    codes = dtype.encode(frame.features)
    for number, payload in enumerate(beats[:-1]):
        token, part = divmod(number, 6 // lanes)
        assert fields(layout, payload) == {
            "end": 0,
            "y": frame.sites[token, 0],
            "x": frame.sites[token, 1],
            "features": codes[token, part * lanes : (part + 1) * lanes].tolist(),
        }


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("shape", [Shape(1, 1, 4), Shape(2, 3, 4), Shape(17, 64, 4)], ids=str)
def test_width_is_the_struct_s(dtype: DType, shape: Shape) -> None:
    layout = TokenLayout(shape, dtype, 2)
    assert layout.width == len(Const.cast(data.Const(layout.struct, 0))) == layout.struct.size


@settings(max_examples=40)
@given(
    st.sampled_from(FORMATS),
    st.sampled_from([(1, 1), (4, 1), (4, 4), (6, 3)]),
    st.lists(st.floats(0, 1), max_size=4),
    st.integers(0, 2**32),
)
def test_frames_back_to_back_round_trip(
    dtype: DType, channels: tuple[int, int], densities: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    shape = Shape(3, 5, channels[0])
    layout = TokenLayout(shape, dtype, channels[1])
    frames = [random_frame(rng, shape, dtype, density) for density in densities]
    payloads = [payload for frame in frames for payload in layout.beats(frame)]
    assert list(layout.frames(payloads)) == frames


def test_an_empty_frame_is_its_end() -> None:
    layout = TokenLayout(Shape(3, 3, 2), IntType(8), 1)
    empty = Frame.from_dense(np.zeros((3, 3, 2), np.int64), np.zeros((3, 3), bool))
    assert layout.beats(empty) == [1]
    assert list(layout.frames([1, 1])) == [empty, empty]


@pytest.mark.parametrize("count, bits", [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (4096, 12)])
def test_index_bits(count: int, bits: int) -> None:
    assert index_bits(count) == bits


def test_streams_that_break_the_framing_are_refused() -> None:
    layout = TokenLayout(Shape(2, 2, 2), IntType(8, False), 1)
    frame = Frame.from_dense(np.arange(8).reshape(2, 2, 2))
    beats = layout.beats(frame)
    with pytest.raises(ValueError, match=r"stops inside a frame, after 4 token\(s\) and no end"):
        list(layout.frames(beats[:-1]))
    with pytest.raises(ValueError, match=r"site \(0, 1\) starts before the 2 channels of \(0, 0\)"):
        list(layout.frames([beats[0], *beats[2:]]))
    with pytest.raises(ValueError, match=r"end after 1 of the 2 channels of site \(1, 1\)"):
        list(layout.frames([*beats[:-2], 1]))
    with pytest.raises(ValueError, match="raster order"):
        list(layout.frames([*beats[2:4], *beats[0:2], 1]))


@pytest.mark.parametrize("lanes", [0, 3, 8])
def test_lanes_must_divide_the_channels(lanes: int) -> None:
    with pytest.raises(ValueError, match=f"lanes must divide the 4 channels, not {lanes}"):
        TokenLayout(Shape(2, 2, 4), IntType(8), lanes)


def test_frames_of_another_shape_are_refused() -> None:
    layout = TokenLayout(Shape(2, 2, 4), IntType(8), 2)
    with pytest.raises(ValueError, match="this stream carries frames of 2x2x4, not 2x3x4"):
        layout.beats(Frame.from_dense(np.zeros((2, 3, 4), np.int64)))
