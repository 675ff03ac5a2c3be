"""Weight memories: constant words of packed codes, in LUTs or in block memory."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Const, Module, Signal, Value, unsigned
from amaranth.lib import memory

from hw.fpga.mapping import Memory
from hw.streams.layout import index_bits
from hw.streams.stream import delay_line
from models.ir.dtype import DType

IN_LUTS = {"rom_style": "logic", "ram_style": "logic"}
IN_BLOCKS = {"rom_style": "block", "ram_style": "block"}


def pack_codes(values: np.ndarray, dtype: DType) -> list[int]:
    """Memory words of packed weights.

    Parameters
        values     decoded integers ``[words, lanes]``
        dtype      format of the weights
    Returns        a word per row, the code of the first lane lowest
    """
    return [sum(code << n * dtype.width for n, code in enumerate(row)) for row in dtype.encode(values).tolist()]


def weight_word(m: Module, words: list[int], width: int, kind: Memory, address: Value, delay: int) -> Value:
    """The weight word at an address, ``2 + delay`` cycles later: one for the address register, one for the memory.

    A single word is a constant and needs no memory.

    Parameters
        m          module that gets the memory
        words      contents of the memory
        width      bits of a word
        kind       what the memory is made of
        address    number of the word
        delay      additional cycles
    """
    if len(words) == 1:
        return Const(words[0], width)
    return rom(m, words, width, kind, address, "weights", delay)


def rom(m: Module, words: list[int], width: int, kind: Memory, address: Value, name: str, delay: int = 0) -> Value:
    """The word at an address, ``2 + delay`` cycles later: one for the address register, one for the memory.

    Parameters
        m          module that gets the memory
        words      contents of the memory
        width      bits of a word
        kind       what the memory is made of
        address    number of the word
        name       name of the memory
        delay      additional cycles
    """
    attrs = IN_BLOCKS if kind is Memory.BRAM else IN_LUTS
    m.submodules[name] = made = memory.Memory(shape=unsigned(width), depth=len(words), init=words, attrs=attrs)
    read = made.read_port()
    place = Signal(index_bits(len(words)))
    m.d.sync += place.eq(address)
    m.d.comb += read.addr.eq(delay_line(m, place, delay, "place"))
    return read.data
