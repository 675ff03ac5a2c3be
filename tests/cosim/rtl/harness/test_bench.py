"""The cocotb test around a testbench that is not simulated: what it does before and after ``done`` rises."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from cosim.rtl.harness import bench


class Edge:
    """Stands for a trigger: what awaits it is suspended once, with the signal."""

    def __init__(self, signal: object) -> None:
        self.signal = signal

    def __await__(self) -> Generator[object, None, None]:
        yield self.signal


@pytest.mark.parametrize("timed_out", [0, 1])
def test_it_starts_the_testbench_and_writes_its_counts_once_it_is_done(
    timed_out: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bench, "RisingEdge", Edge)
    clock = iter([10.0, 12.5])
    monkeypatch.setattr(bench.time, "perf_counter", lambda: next(clock))
    dut = SimpleNamespace(**{name: SimpleNamespace(value=0) for name in ("go", "done", "cycle", "timed_out")})
    play: Any = bench.play
    running = play.func(dut)
    assert running.send(None) is dut.done
    assert dut.go.value == 1
    assert not list(tmp_path.iterdir())
    dut.cycle.value, dut.timed_out.value = 4711, timed_out
    with pytest.raises(StopIteration):
        running.send(None)
    assert json.loads((tmp_path / "result.json").read_text()) == {
        "cycles": 4711,
        "timed_out": bool(timed_out),
        "wall_seconds": 2.5,
    }
