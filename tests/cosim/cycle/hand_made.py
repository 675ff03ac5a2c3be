"""Streams, readers and frames of the cycle simulator, laid out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from cosim.cycle.process import ProcessRecord
from cosim.cycle.records import UNKNOWN, Records
from cosim.cycle.streams import ON_TIME, ReaderRecord, StreamRecord
from cosim.cycle.streams import begin_frame as _begin_frame
from cosim.cycle.streams import moved_at as _moved_at
from tests.support.interpreted import interpreted

begin_frame, moved_at = interpreted(_begin_frame), interpreted(_moved_at)
PORT_BEATS = 64
"""Times of beats in, and of beats out, for which there is room."""


class Layout:
    """Records of an accelerator and the data of one call: frames with so many tokens on every stream.

    Attributes
        m    the records
        w    the tokens of each frame, when their ``end`` left, times of beats in and out; ``header`` says where
    """

    def __init__(self, *tokens: int) -> None:
        self.m, frames = Records(), len(tokens)
        self.w = np.full(2 * frames + 2 * PORT_BEATS, UNKNOWN, np.int64)
        self.w[:frames] = tokens
        header = self.m.header
        header.frames, header.tokens, header.ends = frames, 0, frames
        header.input, header.output = 2 * frames, 2 * frames + PORT_BEATS

    def stream(self, *, per_token: int = 1, ring: int = 16, readers: int = 1) -> tuple[StreamRecord, Any]:
        """A stream with flags of its own for those whom it wakes, and its reader, or a list of several."""
        stream = StreamRecord.new(self.m)
        stream.ring, stream.mask = self.m.rings(2, ring)
        stream.last = stream.paced = stream.steady = -1
        stream.late, stream.readers = ON_TIME, readers
        all_readers = [ReaderRecord.new(self.m) for _ in range(readers)]
        stream.reader, stream.producer = all_readers[0].at, self.m.record(1)
        for reader in all_readers:
            reader.stream, reader.per_token, reader.owner = stream.at, per_token, self.m.record(1)
            reader.edge = reader.part_at = reader.read_at = -1
            reader.parts_per_beat = reader.parts_per_word = 1
            begin_frame(self.m, self.w, reader, 0)
        return stream, all_readers[0] if readers == 1 else all_readers

    def offer(self, stream: StreamRecord, *times: int) -> None:
        """Offer further beats in these cycles."""
        for time in times:
            self.m[stream.ring + (stream.offered & stream.mask)] = time
            stream.offered += 1

    def offers(self, stream: StreamRecord) -> list[int]:
        """When the beats of a stream were offered, as far as its ring goes back."""
        return [self.m[stream.ring + (n & stream.mask)] for n in range(stream.offered)]

    def moves(self, stream: StreamRecord) -> list[int]:
        """When the beats of a stream moved, as far as its ring goes back."""
        return [moved_at(self.m, stream, n) for n in range(stream.moved)]

    def move(self, stream: StreamRecord, *times: int) -> None:
        """Let the next beats move in these cycles, whoever reads them."""
        for time in times:
            self.m[stream.ring + stream.mask + 1 + (stream.moved & stream.mask)] = time
            stream.moved, stream.last = stream.moved + 1, time

    def ends(self, edge: int) -> list[int]:
        """When the ``end`` of each frame left on an edge."""
        frames = self.m.header.frames
        return self.w[frames * (1 + edge) : frames * (2 + edge)].tolist()

    def process(self, record: type[ProcessRecord], reader: ReaderRecord | None = None, **fields: int) -> Any:
        """A process with these fields, behind a reader."""
        result: Any = record.new(self.m)
        for name, value in fields.items():
            setattr(result, name, value)
        if reader is not None:
            result.reader, reader.consumer = reader.at, result.at
        return result
