"""Choices and constant factors out of LUTs, where Yosys would take block memory or a DSP block."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Const, Mux, Value


def choice(options: Sequence[Value], bits: Sequence[Value]) -> Value:
    """The option whose number ``bits`` give.

    It is a tree of two-way multiplexers, because Yosys would put a table into block memory.

    Parameters
        options    ``2 ** len(bits)`` values
        bits       bits of the number, lowest first
    """
    if not bits:
        return options[0]
    half = len(options) // 2
    return Mux(bits[-1], choice(options[half:], bits[:-1]), choice(options[:half], bits[:-1]))


def times(value: Value, factor: int) -> Value:
    """``value * factor`` by shifts and adders: Yosys would use a DSP block for the product.

    Parameters
        value      the number to multiply
        factor     constant, 0 or more
    """
    terms = [value << n for n in range(factor.bit_length()) if factor >> n & 1]
    return sum(terms[1:], start=terms[0]) if terms else Const(0)
