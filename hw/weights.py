"""Weight memories: codes packed into words, in LUTs or in block memory."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import memory

from hw.layout import index_bits
from hw.mapping import Memory
from hw.stream import delayed
from models.ir.dtype import DType

IN_LUTS = {"rom_style": "logic", "ram_style": "logic"}
IN_BLOCKS = {"rom_style": "block", "ram_style": "block"}


def pack_codes(values: np.ndarray, dtype: DType) -> list[int]:
    """One memory word a row of ``[words, lanes]`` decoded integers, the first lane lowest."""
    return [sum(code << n * dtype.width for n, code in enumerate(row)) for row in dtype.encode(values).tolist()]


def weight_word(m: Module, words: list[int], width: int, kind: Memory, address: Value, delay: int) -> Value:
    """The word at ``address``, two cycles and ``delay`` later: one for the address, one for the memory."""
    if len(words) == 1:
        return Const(words[0], width)
    attrs = IN_BLOCKS if kind is Memory.BRAM else IN_LUTS
    m.submodules.weights = rom = memory.Memory(shape=unsigned(width), depth=len(words), init=words, attrs=attrs)
    read = rom.read_port()
    place = Signal(index_bits(len(words)))
    m.d.sync += place.eq(address)
    m.d.comb += read.addr.eq(delayed(m, place, delay, "place"))
    return read.data
