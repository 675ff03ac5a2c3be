"""Frames through the Verilog of a small accelerator, in each simulator: every beat, its cycle, and the waveform."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim.rtl.simulator import SimulatorKind
from cosim.rtl.testbench_runner import Stalls
from tests.cosim.rtl.designs import FRAMES, LAYOUT, PROBE, run_plus_one
from tests.support.simulators import installed

BEATS = [payload for frame in FRAMES for payload in LAYOUT.beats(frame)]


@pytest.mark.few(3)
@pytest.mark.parametrize("stalls", [Stalls(), Stalls(0.4, 0.0, 2), Stalls(0.0, 0.4, 3), Stalls(0.3, 0.5, 4)], ids=str)
def test_every_beat_comes_through(tmp_path: Path, build_dir: Path, simulator: str, stalls: Stalls) -> None:
    run = run_plus_one(tmp_path, build_dir, simulator, stalls=stalls, probes={PROBE: LAYOUT})
    assert [frame.sites.tolist() for frame in run.frames] == [frame.sites.tolist() for frame in FRAMES]
    assert [frame.features.tolist() for frame in run.frames] == [(frame.features + 1).tolist() for frame in FRAMES]
    assert run.input.payloads == run.edges[PROBE].payloads == BEATS
    assert run.input.cycles.tolist() == run.edges[PROBE].cycles.tolist()
    assert run.cycles >= len(BEATS) / (1 - max(stalls.source, stalls.sink)) * 0.7


def test_cycles_are_those_of_a_register(tmp_path: Path, build_dir: Path, simulator: str) -> None:
    run = run_plus_one(tmp_path, build_dir, simulator, probes={PROBE: LAYOUT})
    first = run.input.cycles[0]
    assert run.input.cycles.tolist() == list(range(first, first + len(BEATS)))
    assert run.output.cycles.tolist() == [cycle + 1 for cycle in run.input.cycles]
    lengths = [len(LAYOUT.beats(frame)) for frame in FRAMES]
    # one cycle through the register; the last token of a frame of n beats is beat n - 2, of an empty one its end
    assert run.latency == [1 + max(0, length - 2) for length in lengths]
    assert run.intervals == lengths[1:]
    assert run.cycles_per_second > 0


WAVEFORMS = [
    # FST of Verilator needs headers that it does not bring
    pytest.param(SimulatorKind.VERILATOR, ".vcd", b"$", marks=pytest.mark.whole),
    (SimulatorKind.ICARUS, ".vcd", b"$date"),
    (SimulatorKind.ICARUS, ".fst", b"\x00"),
]


@pytest.mark.parametrize(("kind", "suffix", "start"), WAVEFORMS)
def test_waveform(tmp_path: Path, build_dir: Path, kind: SimulatorKind, suffix: str, start: bytes) -> None:
    waveform = tmp_path / "waves" / f"run{suffix}"
    run_plus_one(tmp_path, build_dir, installed(kind), waveform=waveform)
    assert waveform.read_bytes().startswith(start)
    assert waveform.stat().st_size > 1000
