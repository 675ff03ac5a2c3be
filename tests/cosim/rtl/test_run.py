from __future__ import annotations

from pathlib import Path

import pytest

from cosim.rtl.run import RtlRun, simulate
from cosim.rtl.simulator import SimulationError, SimulatorKind
from cosim.rtl.testbench_runner import SimulationTimeout, Stalls
from tests.cosim.rtl.designs import LAYOUT, PROBE, random_frames, write_verilog
from tests.support.simulators import installed

FRAMES = random_frames(6)
BEATS = [payload for frame in FRAMES for payload in LAYOUT.beats(frame)]


def play(folder: Path, build_dir: Path, simulator: str, fault: str = "", **options: object) -> RtlRun:
    verilog = write_verilog(folder, fault)
    return simulate(verilog, LAYOUT, LAYOUT, FRAMES, simulator=simulator, build_dir=build_dir, **options)  # type: ignore[arg-type]


@pytest.mark.few(3)
@pytest.mark.parametrize("stalls", [Stalls(), Stalls(0.4, 0.0, 2), Stalls(0.0, 0.4, 3), Stalls(0.3, 0.5, 4)], ids=str)
def test_every_beat_comes_through(tmp_path: Path, build_dir: Path, simulator: str, stalls: Stalls) -> None:
    run = play(tmp_path, build_dir, simulator, stalls=stalls, probes={PROBE: LAYOUT})
    assert [frame.sites.tolist() for frame in run.frames] == [frame.sites.tolist() for frame in FRAMES]
    assert [frame.features.tolist() for frame in run.frames] == [(frame.features + 1).tolist() for frame in FRAMES]
    assert run.input.payloads == run.edges[PROBE].payloads == BEATS
    assert run.input.cycles.tolist() == run.edges[PROBE].cycles.tolist()
    assert run.cycles >= len(BEATS) / (1 - max(stalls.source, stalls.sink)) * 0.7


def test_cycles_are_those_of_a_register(tmp_path: Path, build_dir: Path, simulator: str) -> None:
    run = play(tmp_path, build_dir, simulator, probes={PROBE: LAYOUT})
    first = run.input.cycles[0]
    assert run.input.cycles.tolist() == list(range(first, first + len(BEATS)))
    assert run.output.cycles.tolist() == [cycle + 1 for cycle in run.input.cycles]
    lengths = [len(LAYOUT.beats(frame)) for frame in FRAMES]
    # one cycle through the register; the last token of a frame of n beats is beat n - 2, of an empty one its end
    assert run.latency == [1 + max(0, length - 2) for length in lengths]
    assert run.intervals == lengths[1:]
    assert run.cycles_per_second > 0


@pytest.mark.whole
def test_stalls_take_their_share(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    verilog = write_verilog(tmp_path)
    frames = random_frames(60)
    beats = sum(len(LAYOUT.beats(frame)) for frame in frames)
    for stalls in (Stalls(source=0.5), Stalls(sink=0.5)):
        runs = [
            simulate(verilog, LAYOUT, LAYOUT, frames, simulator=verilator, build_dir=build_dir, stalls=stalls)
            for _ in range(2)
        ]
        assert runs[0].output.cycles.tolist() == runs[1].output.cycles.tolist()
        assert 1.8 < runs[0].cycles / beats < 2.2


@pytest.mark.whole
def test_a_build_is_kept(tmp_path: Path, simulator: str) -> None:
    builds = tmp_path / "builds"
    play(tmp_path, builds, simulator)
    before = {path: path.stat().st_mtime_ns for path in builds.iterdir()}
    play(tmp_path, builds, simulator, stalls=Stalls(0.1))
    assert {path: path.stat().st_mtime_ns for path in builds.iterdir()} == before
    play(tmp_path, builds, simulator, fault="wrong")
    assert len(list(builds.iterdir())) == len(before) + 1


WAVEFORMS = [
    # FST of Verilator needs headers that it does not bring
    pytest.param(SimulatorKind.VERILATOR, ".vcd", b"$", marks=pytest.mark.whole),
    (SimulatorKind.ICARUS, ".vcd", b"$date"),
    (SimulatorKind.ICARUS, ".fst", b"\x00"),
]


@pytest.mark.parametrize(("kind", "suffix", "start"), WAVEFORMS)
def test_waveform(tmp_path: Path, build_dir: Path, kind: SimulatorKind, suffix: str, start: bytes) -> None:
    waveform = tmp_path / "waves" / f"run{suffix}"
    play(tmp_path, build_dir, installed(kind), waveform=waveform)
    assert waveform.read_bytes().startswith(start)
    assert waveform.stat().st_size > 1000


def test_a_hang_says_how_far_it_came(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    with pytest.raises(SimulationTimeout) as error:
        play(tmp_path, build_dir, verilator, fault="hangs", frame_limit=300, probes={PROBE: LAYOUT})
    text = str(error.value)
    closed = sum(payload & 1 for payload in BEATS[:21])
    assert "no frame came out for 300 cycles" in text
    assert f"of 6 frames {closed} went in whole and {closed} came out" in text
    beats = 21 - (BEATS.index(1) + 1 if closed else 0)
    assert f"{PROBE}: {closed} frames and {beats} beats" in text
    assert "valid 1, ready 0" in text.split("  i: ")[1].splitlines()[0]
    assert "valid 0, ready 1" in text.split("  o: ")[1].splitlines()[0]


def test_a_withdrawn_beat_is_an_error(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    with pytest.raises(SimulationError, match=r"stream o: valid fell or the payload changed in cycle \d+"):
        play(tmp_path, build_dir, verilator, fault="withdraws", stalls=Stalls(sink=0.5))


def test_verilog_that_does_not_build(tmp_path: Path, build_dir: Path, simulator: str) -> None:
    verilog = tmp_path / "netweave.v"
    verilog.write_text("module netweave(input clk; endmodule")
    with pytest.raises(SimulationError, match=r"could not build the design: (.|\n)*netweave\.v"):
        simulate(verilog, LAYOUT, LAYOUT, FRAMES, simulator=simulator, build_dir=build_dir)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("verilator", r"Verilator needs g\+\+, make, perl, .* install by: sudo apt-get install g\+\+ make perl"),
        ("icarus", r"Icarus Verilog needs iverilog, vvp, .* install by: sudo apt-get install iverilog"),
    ],
)
def test_missing_programs_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    verilog = write_verilog(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SimulationError, match=message):
        simulate(verilog, LAYOUT, LAYOUT, FRAMES, simulator=name, build_dir=tmp_path / "builds")


def test_a_folder_that_make_cannot_take(tmp_path: Path, verilator: str) -> None:
    with pytest.raises(SimulationError, match=r"no folder with a space in its name: .*/my builds"):
        play(tmp_path, tmp_path / "my builds", verilator)


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    verilog = write_verilog(tmp_path)
    with pytest.raises(ValueError, match=r"simulator: 'vcs' must be one of verilator, icarus"):
        simulate(verilog, LAYOUT, LAYOUT, FRAMES, simulator="vcs", build_dir=tmp_path)
    with pytest.raises(ValueError, match=r"run.txt must end in .vcd or .fst"):
        simulate(verilog, LAYOUT, LAYOUT, FRAMES, waveform=Path("run.txt"), build_dir=tmp_path)
    with pytest.raises(ValueError, match=r"stalls sink: 1.0 must be"):
        Stalls(sink=1.0)
