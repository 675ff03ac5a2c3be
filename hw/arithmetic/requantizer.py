"""From accumulators to codes by multiplication and shift."""

from __future__ import annotations

import numpy as np
from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.weights import IN_LUTS
from hw.streams.layout import index_bits
from hw.streams.stream import delay_line
from models.ir.accumulator import width
from models.ir.dtype import DType
from models.ir.requant import Requant

INTEGER_LATENCY = 6
"""Cycles of a ``Requantizer`` that gives integers: constants, bias, narrowing, product, rounding, clip."""


def requantize_latency(dtype: DType) -> int:
    """Cycles of a ``Requantizer``: constants, bias, narrowing, product, rounding, clip; of a tapered format an encoder.

    Parameters
        dtype      format of the codes
    """
    return INTEGER_LATENCY + dtype.tapered


def biased_width(requant: Requant, bounds: tuple[int, int]) -> int:
    """Bits of every possible sum with its fraction bits and its bias.

    Parameters
        requant    constants of all channels
        bounds     lowest and highest sum
    """
    low, high = (bound << requant.fraction for bound in bounds)
    return max(width(low + int(requant.bias.min()), high + int(requant.bias.max())), width(low, high))


def narrow_width(requant: Requant, biased: int, guard_bits: int) -> int:
    """The fewest bits to which a biased sum can be saturated before it is multiplied, without changing any result.

    A sum beyond these bits is clipped to the same result as the last sum within them. The product often fits one DSP
    block, where the product of the whole sum would not.

    Parameters
        requant       constants of all channels
        biased        bits of a biased sum
        guard_bits    fraction bits of the result, which is then rounded down; 0 where the result is rounded to nearest
    """
    least = min((mult for mult in requant.mult.tolist() if mult), default=0)
    half = _half(requant, guard_bits)
    for bits in range(2, biased):
        low, high = (
            ((end * least << guard_bits) + half) >> requant.shift for end in (-(1 << bits - 1), (1 << bits - 1) - 1)
        )
        if high >= requant.hi << guard_bits and low <= requant.lo << guard_bits:
            return bits
    return biased


def _half(requant: Requant, guard_bits: int) -> int:
    """What is added before the shift, to round to nearest; 0 where a tapered format's encoder rounds instead."""
    return 0 if guard_bits else (1 << requant.shift) >> 1


class Requantizer(wiring.Component):
    """Requantize lanes: sums to codes, exactly as golden's ``to_dtype``.

    Parameters
        requant    constants of all channels
        dtype      format of the codes
        lanes      sums per cycle
        bounds     lowest and highest sum
        encoded    whether it gives codes; otherwise clipped integers, exactly as golden's ``requantize``
    Ports
        value0, ...      in, ``lanes`` sums, signed
        index            in, number of this beat in its token: it says which ``lanes`` channels the sums are
        codes            out, ``lanes`` codes, the first one lowest; only where ``encoded``
        integer0, ...    out, ``lanes`` clipped integers, signed; only where not ``encoded``
    Timing
        II         1 beat per cycle
        latency    ``requantize_latency(dtype)`` cycles for codes, ``INTEGER_LATENCY`` for integers
    Reset          clears the beats in the pipeline
    """

    def __init__(
        self, requant: Requant, dtype: DType, lanes: int, bounds: tuple[int, int], *, encoded: bool = True
    ) -> None:
        self.requant, self.dtype, self.lanes, self.encoded = requant, dtype, lanes, encoded
        self.beats = len(requant.bias) // lanes
        self.in_width = width(*bounds)
        self.biased_width = biased_width(requant, bounds)
        self.guard_bits = dtype.guard_bits if encoded else 0
        self.narrow_width = narrow_width(requant, self.biased_width, self.guard_bits)
        self.lo, self.hi = requant.lo << self.guard_bits, requant.hi << self.guard_bits
        self.out_width = width(self.lo, self.hi)
        values = {f"value{n}": In(signed(self.in_width)) for n in range(lanes)}
        if encoded:
            outs = {"codes": Out(lanes * dtype.width)}
        else:
            outs = {f"integer{n}": Out(signed(self.out_width)) for n in range(lanes)}
        super().__init__({**values, "index": In(index_bits(self.beats)), **outs})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        r = self.requant
        bias_bits = max(width(int(r.bias.min()), int(r.bias.max())), r.fraction + 1)
        biases = self._constants(m, r.bias, bias_bits, True, "bias", 0)
        mults = self._constants(m, r.mult, r.mult_bits, False, "mult", 2)
        half = _half(r, self.guard_bits)
        product_bits = self.narrow_width + r.mult_bits
        for n in range(self.lanes):
            value = Signal(signed(self.in_width), name=f"held{n}")
            biased = Signal(signed(self.biased_width), name=f"biased{n}")
            narrow = Signal(signed(self.narrow_width), name=f"narrow{n}")
            product = Signal(signed(product_bits), name=f"product{n}")
            rounded = Signal(signed(max(1, product_bits + 1 - r.shift)), name=f"rounded{n}")
            scaled = product << self.guard_bits
            clipped = Signal(signed(self.out_width), name=f"clipped{n}")
            m.d.sync += [
                value.eq(getattr(self, f"value{n}")),
                biased.eq(_added(value, biases[n], r.fraction)),
                narrow.eq(_saturated(biased, self.narrow_width)),
                product.eq(narrow * mults[n]),
                rounded.eq((scaled + half) >> r.shift),
                clipped.eq(Mux(rounded < self.lo, self.lo, Mux(rounded > self.hi, self.hi, rounded))),
            ]
            if not self.encoded:
                m.d.comb += getattr(self, f"integer{n}").eq(clipped)
                continue
            code = codec(self.dtype).encode(m, clipped, f"lane{n}")
            if self.dtype.tapered:
                held = Signal(self.dtype.width, name=f"code{n}")
                m.d.sync += held.eq(code)
                code = held
            m.d.comb += self.codes.word_select(n, self.dtype.width).eq(code)
        return m

    def _constants(
        self, m: Module, values: np.ndarray, bits: int, is_signed: bool, name: str, delay: int
    ) -> list[Value]:
        """Each lane's constant for the beat whose ``index`` arrived ``1 + delay`` cycles ago."""
        shape = signed(bits) if is_signed else unsigned(bits)
        table = values.reshape(self.beats, self.lanes).tolist()
        if all(row == table[0] for row in table):
            return [Const(value, shape) for value in table[0]]
        words = [sum((v & ((1 << bits) - 1)) << n * bits for n, v in enumerate(row)) for row in table]
        rom = memory.Memory(shape=unsigned(bits * self.lanes), depth=self.beats, init=words, attrs=IN_LUTS)
        m.submodules[name] = rom
        read = rom.read_port()
        m.d.comb += read.addr.eq(delay_line(m, self.index, delay, f"{name}_index"))
        lanes = [read.data.word_select(n, bits) for n in range(self.lanes)]
        return [lane.as_signed() if is_signed else lane for lane in lanes]


def _added(value: Signal, bias: Value, fraction: int) -> Value:
    """``(value << fraction) + bias``: the fraction bits of the sum are the bias's own, so only the others are added."""
    return Cat(bias[:fraction], value + bias[fraction:].as_signed()).as_signed()


def _saturated(value: Signal, bits: int) -> Value:
    """A signed value, saturated to ``bits`` bits."""
    if bits == len(value):
        return value
    sign = value[-1]
    fits = value[bits - 1 :] == sign.replicate(len(value) - bits + 1)
    return Mux(fits, value[:bits], Cat(~sign.replicate(bits - 1), sign)).as_signed()
