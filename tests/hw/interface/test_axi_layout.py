"""Frames as beats of an AXI4-Stream: words and beats worked out by hand, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hw.interface.axi_layout import AxiLayout, Beat, Form
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape

DEMO = AxiLayout(Form.TOKENS, TokenLayout(Shape(32, 32, 2), IntType(3, False), 2))
TOKENS = AxiLayout(Form.TOKENS, TokenLayout(Shape(2, 2, 2), IntType(8, False), 1))
PIXELS = AxiLayout(Form.PIXELS, TokenLayout(Shape(2, 2, 2), IntType(5, False), 2))
MASK = AxiLayout(Form.MASK, MaskLayout(Shape(2, 2, 2), IntType(8, False), 1, 8))
EMPTY = Frame(2, 2, np.zeros((0, 2), np.int64), np.zeros((0, 2), np.int64))


def test_the_words_of_a_frame_in_the_documentation() -> None:
    frame = Frame(32, 32, [[3, 7], [9, 0]], [[5, 1], [2, 0]])  # type: ignore[arg-type]
    assert [beat.data for beat in DEMO.beats(frame)] == [0x69C6, 0x1012, 1]
    assert DEMO.bytes == 4
    with pytest.raises(ValueError, match="form 'tokens' does not carry frames of a MaskLayout"):
        AxiLayout(Form.TOKENS, MaskLayout(Shape(2, 2, 1), IntType(2), 1, 8))
    with pytest.raises(ValueError, match="a frame of pixels has all 6 sites or none, not 2"):
        AxiLayout(Form.PIXELS, TokenLayout(Shape(2, 3, 1), IntType(2), 1)).beats(
            Frame(2, 3, [[0, 0], [1, 0]], [[1], [1]])  # type: ignore[arg-type]
        )


def test_the_beats_of_each_form_worked_out_by_hand() -> None:
    """A token is its end, y, x and a code, a bit each but the code; a mask has site (1, 0) at bit 2."""
    one = Frame(2, 2, np.array([[1, 0]]), np.array([[7, 255]]))
    assert TOKENS.beats(one) == [Beat(7 << 3 | 2, 3, False), Beat(255 << 3 | 2, 3, False), Beat(1, 3, True)]
    assert MASK.beats(one) == [Beat(4, 1, False), Beat(7, 1, False), Beat(255, 1, True)]
    full = Frame.from_dense(np.arange(8).reshape(2, 2, 2))
    assert PIXELS.beats(full) == [Beat(code | (code + 1) << 5, 3, code == 6) for code in (0, 2, 4, 6)]
    for layout, frame in ((TOKENS, one), (MASK, one), (PIXELS, full)):
        assert layout.frames(layout.beats(frame) + layout.beats(EMPTY)) == [frame, EMPTY]


def test_an_empty_frame_of_each_form() -> None:
    assert TOKENS.beats(EMPTY) == [Beat(1, 3, True)]
    assert MASK.beats(EMPTY) == [Beat(0, 1, True)]
    assert PIXELS.beats(EMPTY) == [Beat(0, 0, True)]


@pytest.mark.parametrize(("layout", "beats"), [(TOKENS, 9), (PIXELS, 4), (MASK, 9), (DEMO, 1025)])
def test_a_frame_with_every_site_has_the_most_beats(layout: AxiLayout, beats: int) -> None:
    full = Frame.from_dense(np.ones(layout.tokens.shape, np.int64))
    assert len(layout.beats(full)) == layout.most_beats == beats


@pytest.mark.parametrize(
    ("lanes", "width", "form", "size"),
    [
        (1, 8, Form.PIXELS, 1),
        (3, 8, Form.PIXELS, 4),
        (1, 2, Form.PIXELS, 1),
        (6, 8, Form.PIXELS, 8),
        (1, 8, Form.TOKENS, 2),
    ],
)
def test_a_beat_has_a_power_of_two_of_bytes(lanes: int, width: int, form: Form, size: int) -> None:
    layout = AxiLayout(form, TokenLayout(Shape(2, 2, 6), IntType(width), lanes))
    assert (layout.bytes, layout.keep_all) == (size, (1 << size) - 1)


def test_beats_that_are_no_frame_are_refused() -> None:
    token = TOKENS.beats(Frame(2, 2, np.array([[1, 0]]), np.array([[7, 255]])))
    with pytest.raises(ValueError, match=r"^the stream stops inside a frame, after 2 beat\(s\) and no tlast$"):
        TOKENS.frames(token[:2])
    with pytest.raises(ValueError, match=r"^tlast closes 2 frames$"):
        TOKENS.frames([token[0], token[1], Beat(1, 3, False), Beat(1, 3, True)])
    with pytest.raises(ValueError, match=r"^a frame of pixels has 4 beats or none, not 2$"):
        PIXELS.frames([Beat(0, 3, False), Beat(0, 3, True)])
