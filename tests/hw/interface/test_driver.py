"""The driver's bytes are the layout's beats; what it says when the accelerator does not answer."""

from __future__ import annotations

import numpy as np
import pytest

from hw.interface.axi_layout import AxiLayout, Form
from hw.interface.driver import NetweaveError, Stream
from hw.interface.registers import manifest_entry, register_map
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape

SHAPE = Shape(3, 5, 4)
LAYOUTS = [
    AxiLayout(Form.TOKENS, TokenLayout(SHAPE, IntType(4), 2)),
    AxiLayout(Form.TOKENS, TokenLayout(Shape(70, 90, 12), IntType(8), 12)),
    AxiLayout(Form.TOKENS, TokenLayout(SHAPE, DyBitType(4), 4)),
    AxiLayout(Form.PIXELS, TokenLayout(SHAPE, DyBitType(5, False), 1)),
    AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 1, 10), IntType(16), 1)),
    AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 2, 3), IntType(40), 3)),
    AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 2, 3), IntType(20, False), 1)),
    AxiLayout(Form.MASK, MaskLayout(SHAPE, IntType(8, False), 2, 32)),
    AxiLayout(Form.MASK, MaskLayout(Shape(9, 13, 2), DyBitType(3), 1, 8)),
]


def stream(layout: AxiLayout) -> Stream:
    return Stream(manifest_entry(register_map("0" * 64, layout, layout), layout, layout)["input"])


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_bytes_are_the_beats(layout: AxiLayout) -> None:
    rng = np.random.default_rng(1)
    dtype = layout.tokens.dtype
    driver = stream(layout)
    for number in range(8):
        height, width, channels = layout.tokens.shape
        values = dtype.nearest_value(rng.integers(dtype.min, dtype.max + 1, (height, width, channels)))
        mask = rng.random((height, width)) < (0.5 if layout.form is not Form.PIXELS and number else 1.0)
        frame = Frame.from_dense(values, mask)
        beats = layout.beats(frame)
        data = driver.encode(values, mask)
        assert data.tobytes() == b"".join(beat.data.to_bytes(layout.bytes, "little") for beat in beats)
        assert len(data) <= driver.most_bytes
        if layout.form is not Form.MASK:
            answer = driver.decode(np.concatenate([data, rng.integers(0, 256, 64, dtype=np.uint8)]))
            assert np.array_equal(answer.values, frame.to_dense())
            assert np.array_equal(answer.mask, mask)
        assert layout.frames(beats) == [frame]


def test_what_does_not_fit_is_named() -> None:
    tokens, pixels = stream(LAYOUTS[0]), stream(LAYOUTS[3])
    with pytest.raises(ValueError, match=r"a frame has shape \(3, 5, 4\), not \(3, 5\)"):
        tokens.encode(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="a mask has shape"):
        tokens.encode(np.zeros(SHAPE), np.zeros(5))
    with pytest.raises(ValueError, match="8 is no value of int4"):
        tokens.encode(np.full(SHAPE, 8))
    with pytest.raises(ValueError, match="takes every site"):
        pixels.encode(np.zeros(SHAPE), np.zeros((3, 5)))
    with pytest.raises(NetweaveError, match="no end within 4 beats"):
        tokens.decode(np.zeros(8, np.uint8))


def test_without_a_mask_sites_with_any_value_are_sent() -> None:
    values = np.zeros(SHAPE, int)
    values[1, 2, 3] = values[2, 4, 0] = 5
    driver = stream(LAYOUTS[0])
    assert np.array_equal(driver.encode(values), driver.encode(values, values.any(-1)))
