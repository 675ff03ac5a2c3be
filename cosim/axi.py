"""Raw beats through the AXI top of a design folder: what came out, when, and what its registers say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from cosim.harness.axi_testbench import INPUT, OUTPUT, REGISTERS_FILE, axi_testbench
from cosim.harness.testbench import STREAMS, record_file, source_file
from cosim.player import SimulationTimeout, Stalls
from cosim.simulator import SimulationError, SimulatorKind, build, run
from hw.emit import AXI_FILE, VERILOG_FILE
from hw.interface.axi_layout import Beat
from hw.manifest import load_manifest


@dataclass(frozen=True)
class AxiRun:
    """What a run gave; cycles are of kind ``rtl``, cycle 0 the first after reset.

    ``beats``: those that came out. ``taken``, ``left``: the cycle of each beat in and out. ``registers``: their words
    at the end, by name; a count of 64 bits by its lower word.
    """

    beats: list[Beat]
    taken: list[int]
    left: list[int]
    registers: dict[str, int]
    cycles: int
    wall_seconds: float


def play_axi(
    design: Path,
    beats: Sequence[Beat],
    *,
    build_dir: Path,
    simulator: SimulatorKind = SimulatorKind.VERILATOR,
    stalls: Stalls | None = None,
    quiet_limit: int = 100_000,
    progress: Callable[[str], None] = lambda _: None,
) -> AxiRun:
    """Plays ``beats``, any whatever, into ``s_axis`` of the design's ``netweave_axi`` until it rests again.

    The last beat must have ``last``, else the design waits for more. Raises SimulationTimeout where no beat moved for
    ``quiet_limit`` cycles while the design was not at rest, SimulationError where a stream breaks its rules.
    """
    if not beats or not beats[-1].last:
        raise ValueError("beats: the last one must have `last`")
    axi = load_manifest(design).axi
    wide, narrow = axi["input"]["bytes"], axi["output"]["bytes"]
    words = max(axi["registers"].values()) // 4 + 1
    texts = [(name, (design / name).read_text()) for name in (VERILOG_FILE, AXI_FILE)]
    texts.append((STREAMS.name, STREAMS.read_text()))
    texts.append(("testbench.v", axi_testbench(wide, narrow, axi["registers"]["status"], words)))
    progress(f"building the {simulator} simulation of {design / AXI_FILE}")
    built = build(simulator, texts, build_dir)
    progress(f"running {len(beats)} beats through {simulator}")
    with TemporaryDirectory(dir=build_dir, prefix="run-") as scratch:
        folder = Path(scratch).resolve()
        lines = (f"{beat.last << 9 * wide | beat.keep << 8 * wide | beat.data:x}\n" for beat in beats)
        (folder / source_file(INPUT)).write_text("".join(lines))
        result = run(built, folder, (stalls or Stalls()).plusargs | {"limit": quiet_limit})
        taken = [cycle for cycle, _ in _record(folder / record_file(INPUT))]
        out = _record(folder / record_file(OUTPUT))
        if result["timed_out"]:
            raise SimulationTimeout(
                f"nothing moved for {quiet_limit} cycles after {len(taken)} of {len(beats)} beats in and {len(out)} out"
            )
        values = [int(line, 16) for line in (folder / REGISTERS_FILE).read_text().split()]
    return AxiRun(
        beats=[_beat(word, narrow) for _, word in out],
        taken=taken,
        left=[cycle for cycle, _ in out],
        registers={name: values[offset // 4] for name, offset in axi["registers"].items()},
        cycles=int(result["cycles"]),
        wall_seconds=result["wall_seconds"],
    )


def _record(path: Path) -> list[tuple[int, int]]:
    """(cycle, word) of every beat of a stream."""
    read = []
    for line in path.read_text().splitlines():
        at, _, rest = line.partition(" ")
        if at == "!":
            raise SimulationError(f"stream {path.stem}: valid fell or a beat changed in cycle {rest}, before ready")
        if at != "?":
            read.append((int(at), int(rest, 16)))
    return read


def _beat(word: int, size: int) -> Beat:
    return Beat(word & (1 << 8 * size) - 1, word >> 8 * size & (1 << size) - 1, bool(word >> 9 * size))
