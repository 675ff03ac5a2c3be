"""The host's script: frames as the layouts' beats, answers as their tokens, and messages that come in pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hw.boards import host, link
from hw.boards.project import line_settings
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.frame import Frame
from models.ir.node import Shape


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("lanes", [1, 3])
def test_the_host_s_codes_are_the_layouts_(sparse: bool, lanes: int) -> None:
    rng = np.random.default_rng(0)
    tokens = TokenLayout(Shape(5, 7, 3), IntType(5), lanes)
    mask = rng.random((5, 7)) < 0.4 if sparse else np.ones((5, 7), bool)
    dense = rng.integers(1, 16, (5, 7, 3)) * rng.choice([-1, 1], (5, 7, 3)) * mask[..., None]
    frame = Frame.from_dense(dense, mask)
    for layout in (tokens, MaskLayout.of(tokens)):
        settings = line_settings(layout, tokens, sparse)
        assert host.encode(settings["input"], dense.tolist()) == layout.beats(frame)
    settings = line_settings(tokens, tokens, sparse)
    tokens_back = host.decode(settings["output"], tokens.beats(frame))
    assert [(y, x, codes) for y, x, codes in tokens_back] == [
        (y, x, features) for (y, x), features in zip(frame.sites.tolist(), frame.features.tolist(), strict=True)
    ]


def test_messages_in_pieces() -> None:
    line = line_settings(
        TokenLayout(Shape(1, 1, 1), parse_dtype("int8"), 1), TokenLayout(Shape(1, 1, 2), IntType(16), 2), False
    )
    talk = host.HostProtocol(line)
    message = b"A" + (0x12345678).to_bytes(line["out_bytes"], "little") + b"K"
    for n in range(len(message)):
        talk.receive(message[n : n + 1])
    assert talk.answers == [0x12345678]
    assert talk.credit == link.AHEAD + link.GRANT
    with pytest.raises(SystemExit, match="no message"):
        talk.receive(b"?")


class Port:
    """A serial port whose other end has sent these bytes, of which a few come at a time."""

    def __init__(self, board: bytes) -> None:
        self.board, self.written = board, b""

    @property
    def in_waiting(self) -> int:
        return min(2, len(self.board))

    def read(self, count: int) -> bytes:
        data, self.board = self.board[:count], self.board[count:]
        return data

    def write(self, data: bytes) -> None:
        self.written += data


def protocol(ahead: int, grant: int) -> Any:
    return host.HostProtocol({"in_bytes": 2, "out_bytes": 1, "ahead": ahead, "grant": grant})


def test_no_beat_is_sent_without_credit() -> None:
    """Three beats at first, two more for each credit; the lowest byte first."""
    talk = protocol(3, 2)
    talk.queue_beats([*range(0x100, 0x106)])
    assert talk.outgoing() == b"\x00\x01\x01\x01\x02\x01"
    assert talk.outgoing() == b""
    talk.receive(b"K")
    assert talk.outgoing() == b"\x03\x01\x04\x01"
    talk.receive(b"KK")
    assert talk.outgoing() == b"\x05\x01"
    assert talk.credit == 3


def test_an_answer_ends_with_its_end_beat() -> None:
    """Two beats of an answer, the second with its lowest bit set, after a credit for what is yet to be sent."""
    port, talk = Port(b"KA\x04A\x07"), protocol(1, 1)
    assert host.answer(port, talk, [9, 10]) == [4, 7]
    assert port.written == b"\x09\x00\x0a\x00"
    assert talk.answers == []


def test_a_frame_of_another_shape_is_refused() -> None:
    layout = {"shape": [2, 2, 1], "lanes": 1, "code_bits": 4, "sparse": False}
    with pytest.raises(SystemExit, match="this accelerator takes frames of 2 x 2 x 1 codes"):
        host.encode(layout, [[[1]], [[2]]])
