"""Recorded beats: the cycles of each frame, record files as the testbench writes them, and the report of a hang."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cosim.rtl.simulator import SimulationError
from cosim.rtl.testbench_runner import Stalls
from cosim.rtl.trace import StreamTrace, TraceFile, what_hung
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from tests.cosim.rtl.designs import run_plus_one

LAYOUT = TokenLayout(Shape(2, 2, 2), IntType(4), 1)
"""Payloads of 7 bits: end, y, x, a feature. A token takes two beats."""
TOKEN = [0b0011_000, 0b0101_000]
"""A token at (0, 0) with features 3 and 5."""
END = 1


def trace(cycles: list[int], payloads: list[int]) -> StreamTrace:
    return StreamTrace(LAYOUT, np.array(cycles, dtype=np.int64), payloads)


def test_the_cycles_of_each_whole_frame() -> None:
    stream = trace([3, 5, 6, 9, 10, 11, 12, 20], [*TOKEN, END, END, *TOKEN, END, TOKEN[0]])
    assert stream.first_cycles == [3, 9, 10]
    assert stream.last_cycles == [5, 9, 11]
    assert stream.end_cycles == [6, 9, 12]
    assert stream.split() == [slice(0, 3), slice(3, 4), slice(4, 7)]
    whole = trace([3, 5, 6, 9], [*TOKEN, END, END])
    assert [(frame.sites.tolist(), frame.features.tolist()) for frame in whole.frames] == [
        ([[0, 0]], [[3, 5]]),
        ([], []),
    ]


def read(folder: Path, text: str) -> TraceFile:
    (folder / "o.beats").write_text(text)
    return TraceFile.read("o", LAYOUT, folder / "o.beats")


def test_a_record_file_is_read(tmp_path: Path) -> None:
    record = read(tmp_path, "0 18\n2 28\n17 01\n")
    assert (record.beats.cycles.tolist(), record.beats.payloads) == ([0, 2, 17], [*TOKEN, END])
    assert record.beats.cycles.dtype == np.int64
    assert (record.valid, record.ready) == ("", "")
    stopped = read(tmp_path, "0 18\n? 1 x\n")
    assert (stopped.beats.payloads, stopped.valid, stopped.ready) == ([TOKEN[0]], "1", "x")
    assert read(tmp_path, "").beats.payloads == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0 18\n! 7\n9 28\n", "stream o: valid fell or the payload changed in cycle 7, before ready"),
        ("0 18\n4 x8\n", "stream o: undefined bits in payload 'x8' of cycle 4"),
    ],
)
def test_a_stream_that_broke_its_rules_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SimulationError) as error:
        read(tmp_path, text)
    assert str(error.value) == says


def test_a_hang_is_reported_stream_by_stream() -> None:
    records = {
        "a": TraceFile(trace([0, 1, 2, 3, 4], [END, *TOKEN, END, TOKEN[0]]), "1", "0"),
        "b": TraceFile(trace([0], [END]), "0", "1"),
        "o": TraceFile(trace([], []), "0", "x"),
    }
    assert what_hung(records, ["a", "b"], ["o"], 4, 1234, 1000).splitlines() == [
        "no frame came out for 1000 cycles, after 1234 in all: of 4 frames 1 went in whole and 0 came out",
        "  a: 2 frames and 1 beats; last beat in cycle 4; valid 1, ready 0",
        "  b: 1 frames and 0 beats; last beat in cycle 0; valid 0, ready 1",
        "  o: 0 frames and 0 beats; no beat yet; valid 0, ready x",
    ]


def test_a_withdrawn_beat_is_an_error(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    with pytest.raises(SimulationError, match=r"stream o: valid fell or the payload changed in cycle \d+"):
        run_plus_one(tmp_path, build_dir, verilator, fault="withdraws", stalls=Stalls(sink=0.5))
