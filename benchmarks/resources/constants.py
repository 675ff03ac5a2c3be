"""Random arrays of sums whose weights are constants, as in ops that are unrolled whole."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth.hdl import Const, Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from benchmarks.resources.ops import FORMATS, trained
from hw.arithmetic.mac import MacArraySpec
from hw.arithmetic.multipliers import multipliers
from hw.arithmetic.weights import pack_codes
from hw.fpga.device import Device, Resources
from hw.fpga.families.family import FpgaFamily
from hw.fpga.families.registry import family
from hw.fpga.formulas import ResourceEstimate, total
from hw.fpga.mapping import Memory, Multiplier
from hw.resources import arrays
from hw.resources.constants import constants
from models.ir.accumulator import width
from models.ir.formats.registry import parse_dtype

LANES = (1, 2, 3, 4, 6, 8)
TERMS = (4, 6, 9, 12, 16, 25)
MOST_PRODUCTS = 80
"""Of the largest array: more take Yosys long and say nothing new."""


@dataclass(frozen=True, eq=False)
class ConstantSums:
    """An array of sums with the one word of weights ``[1, lanes * terms]`` that it ever sees."""

    sums: MacArraySpec
    weights: np.ndarray

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        fixed = constants(f, self.sums, 1, lambda: self.weights)
        return [*arrays.sums(f, self.sums, 1, 1, Memory.LUT, masked=False, fixed=fixed)]

    def resources(self, device: Device) -> Resources:
        f = family(device)
        return total(f, self.parts(f))

    def component(self) -> wiring.Component:
        return ConstantArray(self)


class ConstantArray(wiring.Component):
    """``MacArray`` without the port of weights."""

    def __init__(self, op: ConstantSums) -> None:
        self.op, self.array = op, op.sums.component()
        ports = {name: member for name, member in self.array.signature.members.items() if name != "weights"}
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.op.sums
        assert s.weights is not None
        m.submodules.sums = self.array
        m.d.comb += self.array.weights.eq(Const(pack_codes(self.op.weights, s.weights)[0], s.weight_bits))
        for name, member in self.signature.members.items():
            port, inner = getattr(self, name), getattr(self.array, name)
            m.d.comb += inner.eq(port) if member.flow is In else port.eq(inner)
        return m


def draw_constant(seed: int, device: Device) -> tuple[str, ConstantSums]:
    """The array number ``seed``: formats, size, weights and multiplier, all random; the same at every call."""
    rng = np.random.default_rng([seed, 1])
    x, w = (parse_dtype(("u" if n == 0 and rng.integers(4) else "") + str(rng.choice(FORMATS))) for n in range(2))
    pe, terms = 1, MOST_PRODUCTS + 1
    while pe * terms > MOST_PRODUCTS:
        pe, terms = int(rng.choice(LANES)), int(rng.choice(TERMS))
    channelwise = not rng.integers(5)
    in_luts, _ = multipliers(device, x, w, 1 if channelwise else pe)
    kind, operand = in_luts if rng.integers(5) else (Multiplier.DSP, 0)
    # half of them as trained networks have, half with all codes alike
    weights = trained(rng, w, (1, pe * terms)) if rng.integers(2) else rng.choice(w.values(), (1, pe * terms))
    limit = terms * max(x.max, -x.min) * max(w.max, -w.min)
    simd = pe if channelwise else 1
    sums = MacArraySpec(pe, simd, terms, x, w, kind, channelwise, width(-limit, limit), operand=operand)
    return f"{pe} lanes of {terms}{' depthwise' * channelwise} {x} {w} {kind}", ConstantSums(sums, weights)
