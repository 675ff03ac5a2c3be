"""From accumulators to codes by comparison with constants, in a pipelined binary search."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Array, Cat, Const, Module, Signal, Value, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.weights import IN_LUTS
from hw.fpga.formulas import index as bits_of
from hw.streams.layout import index_bits
from hw.streams.stream import delay_line
from models.ir.accumulator import width
from models.ir.dtype import DType
from models.ir.thresholds import Thresholds

STAGE = 2
"""Cycles of a comparison: the level is read, then compared."""


def stages(thresholds: Thresholds) -> int:
    """Comparisons of the search.

    Parameters
        thresholds     the levels
    """
    return bits_of(thresholds.levels.shape[1] + 1)


def search_latency(thresholds: Thresholds) -> int:
    """Cycles of a ``ThresholdSearch``: its comparisons, and a register for the code.

    Parameters
        thresholds     the levels
    """
    return STAGE * stages(thresholds) + 1


def search_tree(thresholds: Thresholds, bounds: tuple[int, int]) -> list[np.ndarray]:
    """For each comparison the levels ``[channels, 2**comparison]`` that it may need, by what is known of the result.

    Levels that no sum reaches, and those beyond the last, are one above the highest sum.

    Parameters
        thresholds     the levels
        bounds         lowest and highest sum
    """
    rows, count = thresholds.levels.shape
    depth = stages(thresholds)
    padded = np.full((rows, (1 << depth) - 1), bounds[1] + 1, np.int64)
    padded[:, :count] = np.clip(thresholds.levels, bounds[0], bounds[1] + 1)
    return [padded[:, (1 << depth - 1 - step) - 1 :: 1 << depth - step] for step in range(depth)]


class ThresholdSearch(wiring.Component):
    """Lanes of a search among levels: sums to codes, exactly as golden's ``to_dtype``.

    Parameters
        thresholds    levels of all channels
        dtype         format of the codes
        lanes         sums per cycle
        bounds        lowest and highest sum
    Ports
        value0, ...      in, ``lanes`` sums, signed
        index            in, number of this beat in its token: it says which ``lanes`` channels the sums are
        codes            out, ``lanes`` codes, the first one lowest
    Timing
        II         1 beat per cycle
        latency    ``search_latency(thresholds)`` cycles
    Reset          clears the beats in the pipeline
    """

    def __init__(self, thresholds: Thresholds, dtype: DType, lanes: int, bounds: tuple[int, int]) -> None:
        self.thresholds, self.dtype, self.lanes, self.bounds = thresholds, dtype, lanes, bounds
        rows = len(thresholds.levels)
        self.beats = rows // lanes if rows > 1 else 1
        self.in_width = width(*bounds)
        values = {f"value{n}": In(signed(self.in_width)) for n in range(lanes)}
        super().__init__({**values, "index": In(index_bits(self.beats)), "codes": Out(lanes * dtype.width)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        tree = search_tree(self.thresholds, self.bounds)
        level_bits = width(self.bounds[0], self.bounds[1] + 1)
        beats = [delay_line(m, self.index, STAGE * step, f"beat{step}") for step in range(len(tree))]
        codes = self._codes()
        for n in range(self.lanes):
            value: Value = getattr(self, f"value{n}")
            reached: Value = Const(0, 0)
            for step, levels in enumerate(tree):
                rows = levels[n :: self.lanes] if len(levels) > 1 else levels
                level = self._level(m, rows, level_bits, Cat(reached, beats[step]), f"levels{n}_{step}")
                held = delay_line(m, value, 1, f"value{n}_{step}")
                known = delay_line(m, reached, 1, f"reached{n}_{step}") if step else reached
                value, reached = (
                    Signal(signed(self.in_width), name=f"next{n}_{step}"),
                    Signal(step + 1, name=f"rank{n}_{step}"),
                )
                m.d.sync += [value.eq(held), reached.eq(Cat(held >= level, known))]
            m.d.sync += self.codes.word_select(n, self.dtype.width).eq(codes[reached])
        return m

    def _codes(self) -> Array:
        """The code of each value by the number of levels that are reached."""
        values = self.dtype.values()[self.thresholds.first :]
        codes = self.dtype.encode(values).tolist()
        whole = [*codes, *codes[-1:] * (1 << stages(self.thresholds))][: 1 << stages(self.thresholds)]
        return Array(Const(code, self.dtype.width) for code in whole)

    def _level(self, m: Module, rows: np.ndarray, bits: int, address: Value, name: str) -> Value:
        """The level at an address a cycle later, of ``rows`` ``[beats, levels]``."""
        words = rows.reshape(-1).tolist()
        if len(set(words)) == 1:
            return Const(words[0], signed(bits))
        mask = (1 << bits) - 1
        rom = memory.Memory(shape=unsigned(bits), depth=len(words), init=[word & mask for word in words], attrs=IN_LUTS)
        m.submodules[name] = rom
        read = rom.read_port()
        m.d.comb += read.addr.eq(address)
        return read.data.as_signed()
