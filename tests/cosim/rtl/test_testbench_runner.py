"""Frames into every input of a module: what the testbench gets, what its records become, and stalls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.rtl import testbench_runner
from cosim.rtl.run import simulate
from cosim.rtl.simulator import Build, SimulatorKind
from cosim.rtl.testbench_runner import SimulationTimeout, Source, Stalls, Trace, run_testbench
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.node import Shape
from tests.cosim.rtl.designs import FRAMES as PLAYED
from tests.cosim.rtl.designs import LAYOUT, PROBE, random_frames, run_plus_one, write_verilog

BEATS = [payload for frame in PLAYED for payload in LAYOUT.beats(frame)]
FRAMES = random_frames(2)
"""A frame of tokens and an empty one."""
NARROW = TokenLayout(Shape(1, 1, 1), IntType(4), 1)


@pytest.mark.parametrize(
    ("stalls", "plusargs"),
    [
        # the seed times 0x9E3779B1, of which the sink's has every second bit changed
        (Stalls(0.5, 0.25, 1), (32768, 0x9E3779B1, 16384, 0xCB622CE4)),
        (Stalls(0.999999, 0.0, 2), (65536, 0x3C6EF362, 0, 0x693BA637)),
        # the generator never leaves 0
        (Stalls(seed=0), (0, 1, 0, 0x55555555)),
    ],
)
def test_stalls_as_arguments(stalls: Stalls, plusargs: tuple[int, ...]) -> None:
    keys = "source_share", "source_seed", "sink_share", "sink_seed"
    assert stalls.plusargs == dict(zip(keys, plusargs, strict=True))


@pytest.mark.parametrize("share", [1.0, -0.1, float("nan")])
def test_a_share_of_all_or_less_than_no_cycles_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match=rf"^stalls sink: {share} must be at least 0 and below 1$"):
        Stalls(sink=share)
    with pytest.raises(ValueError, match=rf"^stalls source: {share} must be at least 0 and below 1$"):
        Stalls(source=share)


class Simulated:
    """Stands for a simulator: it records the words that it is given and moves one beat a cycle."""

    def __init__(self, *, timed_out: bool = False) -> None:
        self.timed_out = timed_out
        self.sources: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.plusargs: Mapping[str, int] = {}

    def build(
        self, kind: SimulatorKind, sources: list[tuple[str, str]], folder: Path, *, waveform: str | None
    ) -> Build:
        self.sources = sources
        folder.mkdir()
        return Build(kind, folder, waveform)

    def run(self, built: Build, folder: Path, plusargs: Mapping[str, int]) -> dict[str, float]:
        self.plusargs = plusargs
        self.words = (folder / "i.hex").read_text().split()
        records = {"i": self.words, "o": ["01", "01"], "e": []}
        stopped = "? 1 0\n" if self.timed_out else ""
        for name, words in records.items():
            text = "".join(f"{cycle} {word}\n" for cycle, word in enumerate(words))
            (folder / f"{name}.beats").write_text(text + stopped)
        if built.waveform:
            (folder / built.waveform).write_text("wave")
        return {"cycles": 40, "timed_out": self.timed_out, "wall_seconds": 0.25}


def run_simulated(simulated: Simulated, folder: Path, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Trace:
    monkeypatch.setattr(testbench_runner, "build", simulated.build)
    monkeypatch.setattr(testbench_runner, "run", simulated.run)
    (folder / "netweave.v").write_text("module netweave; endmodule")
    return run_testbench(
        folder / "netweave.v", {"i": Source(LAYOUT, FRAMES)}, {"o": NARROW}, {"e": NARROW},
        simulator="icarus", stalls=Stalls(0.5), build_dir=folder / "builds", frame_limit=77,
        **{"waveform": None, "progress": lambda _: None, **options},
    )  # fmt: skip


def test_each_stream_is_recorded_by_its_layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = Frame.from_dense(np.zeros((1, 1, 1), np.int64), np.zeros((1, 1), dtype=bool))
    simulated, lines = Simulated(), list[str]()
    waveform = tmp_path / "waves" / "a.vcd"
    trace = run_simulated(simulated, tmp_path, monkeypatch, waveform=waveform, progress=lines.append)
    expected = [payload for frame in FRAMES for payload in LAYOUT.beats(frame)]
    assert [int(word, 16) for word in simulated.words] == trace.beats["i"].payloads == expected
    assert trace.beats["i"].frames == FRAMES
    assert trace.beats["o"].frames == [empty, empty]
    assert trace.beats["e"].payloads == []
    assert (trace.cycles, trace.wall_seconds, trace.simulator) == (40, 0.25, SimulatorKind.ICARUS)
    assert simulated.plusargs == {**Stalls(0.5).plusargs, "ends": 2, "limit": 77}
    assert [name for name, _ in simulated.sources] == ["netweave.v", "streams.v", "testbench.v"]
    assert waveform.read_text() == "wave"
    assert lines == ["building the icarus simulation of netweave.v", "running 2 frames through icarus"]
    # what a run wrote is gone, what it was built from stays
    assert list((tmp_path / "builds").iterdir()) == []


def test_a_run_that_timed_out_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SimulationTimeout, match=r"^no frame came out for 77 cycles, after 40 in all: of 2 frames 2 "):
        run_simulated(Simulated(timed_out=True), tmp_path, monkeypatch)


def test_a_hang_says_how_far_it_came(tmp_path: Path, build_dir: Path, verilator: str) -> None:
    with pytest.raises(SimulationTimeout) as error:
        run_plus_one(tmp_path, build_dir, verilator, fault="hangs", frame_limit=300, probes={PROBE: LAYOUT})
    text = str(error.value)
    closed = sum(payload & 1 for payload in BEATS[:21])
    assert "no frame came out for 300 cycles" in text
    assert f"of 6 frames {closed} went in whole and {closed} came out" in text
    beats = 21 - (BEATS.index(1) + 1 if closed else 0)
    assert f"{PROBE}: {closed} frames and {beats} beats" in text
    assert "valid 1, ready 0" in text.split("  i: ")[1].splitlines()[0]
    assert "valid 0, ready 1" in text.split("  o: ")[1].splitlines()[0]


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


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    verilog = write_verilog(tmp_path)
    with pytest.raises(ValueError, match=r"simulator: 'vcs' must be one of verilator, icarus"):
        simulate(verilog, LAYOUT, LAYOUT, PLAYED, simulator="vcs", build_dir=tmp_path)
    with pytest.raises(ValueError, match=r"run.txt must end in .vcd or .fst"):
        simulate(verilog, LAYOUT, LAYOUT, PLAYED, waveform=Path("run.txt"), build_dir=tmp_path)
