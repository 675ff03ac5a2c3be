"""Sequencers and weights: bits of words counted column by column, memories by hand, registers against the RTL."""

from __future__ import annotations

import numpy as np
import pytest
from amaranth.hdl import unsigned
from amaranth.lib import data

from hw.arithmetic.mac import MacArraySpec
from hw.fpga.families.registry import FAMILIES
from hw.fpga.mapping import Memory, Multiplier, OpMapping
from hw.line_buffer.sequencer import Folds, Sequencer
from hw.resources.sequencing import FEW_WORDS, sequencer, weight_bits, weights
from models.ir.formats.integer import IntType
from tests.support.estimates import conv, estimate
from tests.support.registers import register_bits

SPEC = MacArraySpec(2, 3, 1, IntType(8), IntType(4), Multiplier.LUT, channelwise=False, width=20)


@pytest.mark.parametrize(
    "folds", [Folds(4, 4, 2), Folds(3, 5, 2, kernel=(3, 3)), Folds(4, 2, 1, whole_frame=True)], ids=str
)
def test_every_bit_of_a_site_has_as_many_registers_as_in_the_rtl(folds: Folds) -> None:
    """Two stages before the steps, and the step itself, which is a part of its own."""

    def layout(bits: int) -> data.StructLayout:
        mask = {"mask": unsigned(9)} if folds.kernel else {}
        return data.StructLayout({"end": unsigned(1), "y": unsigned(bits), "x": unsigned(2), **mask})

    narrow, wide = layout(2), layout(7)
    in_rtl = register_bits(Sequencer(folds, wide, 8)) - register_bits(Sequencer(folds, narrow, 8))
    estimated = sequencer(folds, wide.size).ff - sequencer(folds, narrow.size).ff
    assert estimated == in_rtl - (wide.size - narrow.size)


def test_counters_of_a_sequencer() -> None:
    """Of 5 folds, 3 words and 6 beats: 3 + 2 + 3 bits; of whole frames the beats of a frame are counted instead."""
    assert sequencer(Folds(5, 3, 6), 4).terms == (1.0, 8, 4, 0)
    # 5 results and the end: 6 beats
    assert sequencer(Folds(5, 3, 1, whole_frame=True), 4).terms == (1.0, 8, 4, 0)
    # one by one the taps of a 3 x 3 kernel
    assert sequencer(Folds(5, 3, 6, kernel=(3, 3)), 4).terms == (1.0, 8, 4, 9)


def columns(words: np.ndarray) -> list[str]:
    """Each bit of a word, as text over all words."""
    texts = ["".join(f"{int(code) & 15:04b}" for code in word) for word in words]
    return ["".join(bits) for bits in zip(*texts, strict=True)]


@pytest.mark.parametrize("seed", range(4))
def test_bits_of_few_words_that_are_left(seed: int) -> None:
    """In blocks those that change; in LUTs each different column of them once."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(2, 6))
    words = rng.integers(-8, 8, (count, 6))
    changing = [column for column in columns(words) if len(set(column)) == 2]
    assert weight_bits(SPEC, Memory.BRAM, count, lambda: words) == len(changing)
    assert weight_bits(SPEC, Memory.LUT, count, lambda: words) == len(set(changing))


def test_many_words_keep_all_their_bits() -> None:
    """Nor are they asked for: a word has 2 x 3 weights of 4 bits."""

    def unused() -> np.ndarray:
        raise AssertionError

    assert weight_bits(SPEC, Memory.LUT, FEW_WORDS + 1, unused) == 24


def test_one_word_needs_no_memory() -> None:
    assert weights(FAMILIES["xcup"], 36, 1, Memory.BRAM, 5) == ()


def test_a_memory_of_weights_has_the_registers_of_its_address() -> None:
    """1024 words of 36 bits are two blocks of 36 Kb... in LUTs the word that is read has registers of its own."""
    (block,) = weights(FAMILIES["xcup"], 36, 1024, Memory.BRAM, 10)
    assert (block.bram, block.ff) == (2, 10)
    (table,) = weights(FAMILIES["xcup"], 36, 1024, Memory.LUT, 10)
    # a LUT of 6 inputs holds 64 bits of a column
    assert (table.bram, table.ff, table.lut) == (0, 10 + 36, 36 * 1024 / 64)


def test_weights_lie_in_blocks_or_in_luts() -> None:
    """128 bits a word: four blocks of 36 bits, none in LUTs."""
    for device in ("zu3eg", "ecp5-85k"):
        blocks, tables = (estimate(conv(), OpMapping(4, 4, 1, kind), device) for kind in (Memory.BRAM, Memory.LUT))
        assert blocks.bram - tables.bram == 4
        assert tables.lut > blocks.lut
        assert tables.ff - blocks.ff == 128
