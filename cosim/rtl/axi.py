"""Plays raw beats through the AXI top of a design folder: what came out, when, and what the registers say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cosim.rtl.harness.axi_testbench import INPUT, OUTPUT, REGISTERS_FILE, axi_testbench
from cosim.rtl.harness.testbench import STREAMS, record_file, source_file
from cosim.rtl.simulator import SimulationError, SimulatorKind, build, run
from cosim.rtl.testbench_runner import SimulationTimeout, Stalls
from hw.generate.emit import AXI_FILE, VERILOG_FILE
from hw.interface.axi_layout import Beat
from hw.streams.manifest import load_manifest


@dataclass(frozen=True)
class AxiRun:
    """The result of a run. Cycles are of kind ``rtl``; cycle 0 is the first after reset.

    Parameters
        beats           the beats that came out
        in_cycles       the cycle of each beat in
        out_cycles      the cycle of each beat out
        registers       the word of each register at the end, by name; of a 64-bit count the lower word
        cycles          cycles of the run
        wall_seconds    time of the simulation, without its build
    """

    beats: list[Beat]
    in_cycles: list[int]
    out_cycles: list[int]
    registers: dict[str, int]
    cycles: int
    wall_seconds: float


def run_axi(
    design: Path,
    beats: Sequence[Beat],
    *,
    build_dir: Path,
    simulator: SimulatorKind = SimulatorKind.VERILATOR,
    stalls: Stalls | None = None,
    quiet_limit: int = 100_000,
    progress: Callable[[str], None] = lambda _: None,
) -> AxiRun:
    """Play beats into ``s_axis`` of a design's ``netweave_axi`` until the design is idle again.

    Parameters
        design         folder of the design
        beats          any beats; the last one must have ``last``, otherwise the design waits for more
        build_dir      folder for simulator builds, which later calls use again
        simulator      the simulator
        stalls         stalls of source and sink; None: neither ever waits
        quiet_limit    cycles without a beat after which a design that is not idle counts as hung
        progress       called with what happens next
    Raises             ValueError: a last beat without ``last``; SimulationTimeout: a design that hangs;
                       SimulationError: a stream that breaks its rules
    """
    if not beats or not beats[-1].last:
        raise ValueError("beats: the last one must have `last`")
    axi = load_manifest(design).axi
    in_bytes, out_bytes = axi["input"]["bytes"], axi["output"]["bytes"]
    words = max(axi["registers"].values()) // 4 + 1
    texts = [(name, (design / name).read_text()) for name in (VERILOG_FILE, AXI_FILE)]
    texts.append((STREAMS.name, STREAMS.read_text()))
    texts.append(("testbench.v", axi_testbench(in_bytes, out_bytes, axi["registers"]["status"], words)))
    progress(f"building the {simulator} simulation of {design / AXI_FILE}")
    built = build(simulator, texts, build_dir)
    progress(f"running {len(beats)} beats through {simulator}")
    with TemporaryDirectory(dir=build_dir, prefix="run-") as scratch:
        folder = Path(scratch).resolve()
        lines = (f"{beat.last << 9 * in_bytes | beat.keep << 8 * in_bytes | beat.data:x}\n" for beat in beats)
        (folder / source_file(INPUT)).write_text("".join(lines))
        result = run(built, folder, (stalls or Stalls()).plusargs | {"limit": quiet_limit})
        in_cycles = [cycle for cycle, _ in _record(folder / record_file(INPUT))]
        out = _record(folder / record_file(OUTPUT))
        if result["timed_out"]:
            raise SimulationTimeout(
                f"nothing moved for {quiet_limit} cycles after {len(in_cycles)} of {len(beats)} beats in "
                f"and {len(out)} out"
            )
        values = [int(line, 16) for line in (folder / REGISTERS_FILE).read_text().split()]
    return AxiRun(
        beats=[_beat(word, out_bytes) for _, word in out],
        in_cycles=in_cycles,
        out_cycles=[cycle for cycle, _ in out],
        registers={name: values[offset // 4] for name, offset in axi["registers"].items()},
        cycles=int(result["cycles"]),
        wall_seconds=result["wall_seconds"],
    )


def _record(path: Path) -> list[tuple[int, int]]:
    """(cycle, word) of every beat of a stream."""
    beats = []
    for line in path.read_text().splitlines():
        at, _, rest = line.partition(" ")
        if at == "!":
            raise SimulationError(f"stream {path.stem}: valid fell or a beat changed in cycle {rest}, before ready")
        if at != "?":
            beats.append((int(at), int(rest, 16)))
    return beats


def _beat(word: int, size: int) -> Beat:
    return Beat(word & (1 << 8 * size) - 1, word >> 8 * size & (1 << size) - 1, bool(word >> 9 * size))
