from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cosim.rtl.check import Mismatch, check, first_mismatch
from cosim.rtl.run import RtlRun, simulate
from cosim.rtl.simulator import SimulatorKind
from cosim.rtl.trace import StreamTrace
from hw.streams.layout import TokenLayout
from models.ir import golden
from models.ir.formats.dybit import DyBitType
from models.ir.frame import Frame
from models.ir.node import Shape
from tests.cosim.rtl.designs import FAULTY_BEAT, LAYOUT, PROBE, plus_one_graph, random_frames, write_verilog

FRAMES = random_frames(4)
EDGES = {PROBE: ("input", "plus_one", 0)}


def mismatch(payloads: list[int], frames: list[Frame] = FRAMES) -> Mismatch:
    cycles = np.arange(len(payloads), dtype=np.int64) + 100
    found = first_mismatch("conv1", "o", frames, StreamTrace(LAYOUT, cycles, payloads))
    assert found is not None
    return found


def beats(frames: list[Frame]) -> list[int]:
    return [payload for frame in frames for payload in LAYOUT.beats(frame)]


def changed(frame: Frame, row: int, channel: int, by: int) -> Frame:
    features = frame.features.copy()
    features[row, channel] += by
    return Frame(frame.height, frame.width, frame.sites, features)


def without(frame: Frame, row: int) -> Frame:
    return Frame(frame.height, frame.width, np.delete(frame.sites, row, 0), np.delete(frame.features, row, 0))


def test_equal_streams() -> None:
    payloads = beats(FRAMES)
    assert first_mismatch("conv1", "o", FRAMES, StreamTrace(LAYOUT, np.arange(len(payloads)), payloads)) is None


@pytest.mark.parametrize("number", [0, 2, 3])
@pytest.mark.parametrize("channel", [0, 2, 3, 5])
def test_a_wrong_value_is_placed_exactly(number: int, channel: int) -> None:
    row = len(FRAMES[number].sites) // 2
    got = [*FRAMES]
    got[number] = changed(FRAMES[number], row, channel, 7)
    got[3] = changed(got[3], 8, 5, 1)  # a later difference, which must not be the one reported
    found = mismatch(beats(got))
    value = int(FRAMES[number].features[row, channel])
    assert (found.layer, found.frame, found.channel) == ("conv1", number, channel)
    assert found.site == tuple(FRAMES[number].sites[row])
    assert (found.expected, found.got) == (value, value + 7)
    y, x = FRAMES[number].sites[row]
    assert f"layer conv1, stream o, frame {number}, site (y={y}, x={x}), channel {channel}: wrong value" in str(found)


def test_a_missing_token() -> None:
    row = 3
    found = mismatch(beats([FRAMES[0], FRAMES[1], without(FRAMES[2], row), FRAMES[3]]))
    assert (found.kind, found.frame, found.site) == ("missing token", 2, tuple(FRAMES[2].sites[row]))
    found = mismatch(beats([FRAMES[0], FRAMES[1], without(FRAMES[2], len(FRAMES[2].sites) - 1), FRAMES[3]]))
    assert (found.kind, found.site, found.got) == ("missing token", tuple(FRAMES[2].sites[-1]), "end")


def test_an_extra_token() -> None:
    full = FRAMES[2]
    for row in (0, 4, len(full.sites) - 1):
        found = mismatch(beats([FRAMES[0], full]), [FRAMES[0], without(full, row)])
        assert (found.kind, found.frame, found.site) == ("extra token", 1, tuple(full.sites[row]))
    found = mismatch(beats([FRAMES[0], full, FRAMES[3]]), [FRAMES[0], FRAMES[1], FRAMES[3]])
    assert (found.kind, found.frame, found.site) == ("extra token", 1, tuple(full.sites[0]))


def test_beats_that_end_too_early_or_too_late() -> None:
    payloads = beats(FRAMES)
    found = mismatch(payloads[:-5])
    assert (found.kind, found.frame, found.got, found.cycle) == ("missing beat", 3, "nothing more", None)
    found = mismatch([*payloads, payloads[0]])
    assert (found.kind, found.frame, found.site) == ("surplus beat", 4, tuple(FRAMES[0].sites[0]))
    found = mismatch([payloads[0], *payloads[2:]])
    assert (found.kind, found.frame, found.site, found.channel) == ("token cut short", 0, tuple(FRAMES[0].sites[0]), 3)
    first_end = len(LAYOUT.beats(FRAMES[0])) - 1
    found = mismatch([*payloads[:first_end], 3, *payloads[first_end + 1 :]])
    assert (found.kind, found.frame, found.got) == ("malformed end", 0, "end with fields that are not zero")


def test_a_second_code_of_zero_is_told_apart() -> None:
    layout = TokenLayout(Shape(1, 1, 2), DyBitType(4), 2)
    frame = Frame.from_dense(np.array([[[1, 0]]]))
    good = layout.beats(frame)
    minus_zero = good[0] | 8 << layout.width - 4
    found = first_mismatch("act", "o", [frame], StreamTrace(layout, np.arange(2), [minus_zero, 1]))
    assert found is not None
    assert (found.kind, found.channel, found.expected, found.got) == ("wrong code", 1, "0x0", "0x8")


def run_of(output: list[Frame], probed: list[Frame]) -> RtlRun:
    """What a simulation that gave these frames would have left."""
    streams = [StreamTrace(LAYOUT, np.arange(len(beats(frames))), beats(frames)) for frames in (FRAMES, output, probed)]
    return RtlRun(SimulatorKind.ICARUS, streams[0], streams[1], {PROBE: streams[2]}, 100, 0.0, 1.0)


def test_every_probed_stream_is_compared_and_the_first_of_the_graph_named_first() -> None:
    graph = plus_one_graph()
    results = [golden.run(graph, frame)["plus_one"] for frame in FRAMES]
    wrong_input, wrong_output = [*FRAMES], [*results]
    wrong_input[2] = changed(FRAMES[2], 1, 4, 7)
    wrong_output[3] = changed(results[3], 0, 2, 3)
    whole = check(graph, FRAMES, run_of(results, FRAMES), EDGES)
    assert whole.equal
    assert (whole.frames, whole.streams) == (4, (PROBE, "o"))
    assert whole.values == 2 * sum(frame.features.size for frame in FRAMES)
    assert str(whole) == "2 streams of 4 frames equal golden"
    (found,) = check(graph, FRAMES, run_of(results, wrong_input), EDGES).mismatches
    assert (found.layer, found.edge, found.frame) == ("input", PROBE, 2)
    assert (found.site, found.channel) == (tuple(FRAMES[2].sites[1]), 4)
    both = check(graph, FRAMES, run_of(wrong_output, wrong_input), EDGES)
    assert [mismatch.edge for mismatch in both.mismatches] == [PROBE, "o"]
    assert f"2 of 2 streams differ from golden; first: layer input, stream {PROBE}, frame 2" in str(both)
    # what was not probed is not compared
    only = check(graph, FRAMES, run_of(results, wrong_input))
    assert only.equal
    assert only.streams == ("o",)


@pytest.mark.parametrize(
    "fault", [pytest.param("", marks=pytest.mark.whole), "wrong", pytest.param("drops", marks=pytest.mark.whole)]
)
def test_rtl_against_golden(fault: str, tmp_path: Path, build_dir: Path, verilator: str) -> None:
    run = simulate(
        write_verilog(tmp_path, fault),
        LAYOUT,
        LAYOUT,
        FRAMES,
        simulator=verilator,
        probes={PROBE: LAYOUT},
        build_dir=build_dir,
    )
    outcome = check(plus_one_graph(), FRAMES, run, EDGES)
    assert outcome.streams == (PROBE, "o")
    assert len(outcome.mismatches) == bool(fault)
    assert outcome.equal is not bool(fault)
    if fault == "wrong":
        (found,) = outcome.mismatches
        row, step = divmod(FAULTY_BEAT, LAYOUT.beats_per_token)
        assert (found.layer, found.edge, found.frame) == ("plus_one", "o", 0)
        assert (found.site, found.channel) == (tuple(FRAMES[0].sites[row]), step * LAYOUT.lanes + 2)
        value = int(FRAMES[0].features[row, step * LAYOUT.lanes + 2])
        assert (found.expected, found.got) == (value + 1, value + 3)
        assert "first: layer plus_one, stream o, frame 0" in str(outcome)
    elif fault == "drops":
        assert outcome.mismatches[0].kind == "token cut short"
    else:
        assert str(outcome) == "2 streams of 4 frames equal golden"
