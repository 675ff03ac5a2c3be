"""Arrays of multiply-accumulate lanes. They take a step per cycle and have no back pressure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from amaranth.hdl import Module, Mux, Signal, Value, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.adders import add, add_tree, tree_stages
from hw.arithmetic.circuits.circuit import Circuit, Product, ProductCount, decoded_feature, registered
from hw.arithmetic.codecs.codec import signed_width
from hw.arithmetic.codecs.registry import codec
from hw.arithmetic.multipliers import TABLE_BITS, circuit, in_table
from hw.arithmetic.packing import TREE_RADIX, Packing, pack, packing, split
from hw.fpga.mapping import Multiplier
from models.ir.dtype import DType


@dataclass(frozen=True)
class MacArraySpec:
    """The shape of an array: what ``pe`` lanes reduce in a step, and how they multiply.

    A step brings ``taps * simd`` features, tap by tap.

    Parameters
        pe             lanes: sums that are computed in parallel
        simd           features per tap (input channels)
        taps           kernel positions per step
        features       format of the features
        weights        format of the weights; None means that every weight is 1 and there is no multiplier
        multiplier     what multiplies
        channelwise    whether lane p reduces the features of channel p alone; then ``simd == pe``
        width          bits of a sum, which must hold its bounds; then nothing overflows
        largest        whether the lanes keep maxima of codes instead of sums
        operand        bits of the operand that a packed multiplier fills with weights, as in ``OpMapping``
    """

    pe: int
    simd: int
    taps: int
    features: DType
    weights: DType | None
    multiplier: Multiplier
    channelwise: bool
    width: int
    largest: bool = False
    operand: int = 0

    @property
    def terms(self) -> int:
        """Features that one lane reduces in a step."""
        return self.taps if self.channelwise else self.taps * self.simd

    @property
    def latency(self) -> int:
        """Cycles from a step to its sum: registers after operands, product, each adder stage and accumulator."""
        return 1 + self.product_stages + tree_stages(self.terms) + 1

    @cached_property
    def circuit(self) -> Circuit | None:
        """The circuit that multiplies; None where nothing does."""
        return None if self.weights is None else circuit(self.multiplier, self.features, self.weights)

    @property
    def product_stages(self) -> int:
        """Registers in series in a product, with the one at its output."""
        if self.weights is None or self.circuit is None:
            return 0
        return self.circuit.stages(self.features, self.weights)

    @cached_property
    def product_width(self) -> int:
        """Bits of a feature times a weight."""
        assert self.weights is not None
        assert self.circuit is not None
        return self.circuit.width(self.features, self.weights)

    @property
    def carried(self) -> bool:
        """Whether each product comes with a carry: a bit that is still to be added to it."""
        return self.weights is not None and self.circuit is not None and self.circuit.carried(self.weights)

    def count(self, remaining: float = 1.0) -> ProductCount:
        """The products, as their circuit counts what they take.

        Parameters
            remaining  fraction of the products' logic that Yosys leaves
        """
        assert self.weights is not None
        return ProductCount(self.features, self.weights, self.pe, self.terms, self.taps * self.simd, remaining)

    @property
    def weight_bits(self) -> int:
        """Bits of the weights of a step: ``pe * terms`` codes, in the order output channel, tap, input channel."""
        return 0 if self.weights is None else self.pe * self.terms * self.weights.width

    @property
    def packing(self) -> Packing | None:
        """How weights share a multiplication; None where every product has a multiplier of its own."""
        if self.multiplier is not Multiplier.PACKED or self.weights is None:
            return None
        lanes = 1 if self.channelwise else self.pe
        return packing(self.features, self.weights, lanes, self.terms, self.operand)

    def check(self, op: str) -> None:
        """Raise a ValueError that names the op, where the multiplier is not possible for these formats."""
        if self.multiplier is Multiplier.TABLE and not (self.weights and in_table(self.features, self.weights, 6)):
            why = f"{self.features} x {self.weights} are not signs and magnitudes of {TABLE_BITS[6]} bits or fewer"
            raise ValueError(f"op {op!r}, field 'multiplier': 'table' is not possible: {why}; 'dsp' and 'lut' are")
        if self.multiplier is Multiplier.PACKED and self.packing is None:
            why = f"{self.operand} bits hold no two weights of {self.pe} lanes for {self.features} x {self.weights}"
            if self.channelwise:
                why = "a depthwise lane has its features to itself"
            raise ValueError(f"op {op!r}, field 'multiplier': 'packed' is not possible: {why}; 'dsp' and 'lut' are")

    def component(self) -> MacArray | MaxArray:
        """The array as a component."""
        return MaxArray(self) if self.largest else MacArray(self)


class MacArray(wiring.Component):
    """``pe`` accumulators. In each step, each adds ``terms`` products of a feature and a weight, exactly.

    Parameters
        spec       what the lanes reduce
    Ports
        features     in, ``taps * simd`` codes, tap by tap, the first one lowest
        weights      in, ``spec.weight_bits`` bits of codes; absent where ``spec.weights`` is None
        mask         in, a bit per tap; the features of a tap whose bit is low count as 0
        first        in, high when the step starts a new sum
        sum0, ...    out, the ``pe`` sums, signed, ``width`` bits
    Timing
        II         1 step per cycle
        latency    ``spec.latency`` cycles from a step to the sums that contain it
    Reset          clears the sums and the steps in the pipeline
    """

    def __init__(self, spec: MacArraySpec) -> None:
        self.spec = spec
        ports = {
            "features": In(spec.taps * spec.simd * spec.features.width),
            "mask": In(spec.taps),
            "first": In(1),
            **{f"sum{p}": Out(signed(spec.width)) for p in range(spec.pe)},
        }
        if spec.weights is not None:
            ports["weights"] = In(spec.weight_bits)
        super().__init__(ports)

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.spec
        features = [self._feature(m, n) for n in range(s.taps * s.simd)]
        first = self.first
        for stage in range(s.latency - 1):
            register = Signal(name=f"first{stage}")
            m.d.sync += register.eq(first)
            first = register
        for p, (total, carry) in enumerate(self._totals(m, features)):
            out = getattr(self, f"sum{p}")
            m.d.sync += out.eq(add(Mux(first, 0, out), total, carry))
        return m

    def _feature(self, m: Module, n: int) -> Any:
        """Feature ``n`` in the form that its products take, registered; 0 where its tap does not count."""
        s = self.spec
        counts, code = self.mask[n // s.simd], self.features.word_select(n, s.features.width)
        form = decoded_feature if s.circuit is None else s.circuit.feature
        return form(m, f"feature{n}", s.features, code, counts)

    def _totals(self, m: Module, features: list[Any]) -> list[Product]:
        """For each lane, the sum of its terms and a carry that is still to be added."""
        s = self.spec
        if s.packing is not None:
            groups = s.packing.groups(s.pe)
            return [lane for lanes in groups for lane in self._packed(m, lanes, features, s.packing)]
        totals: list[Product] = []
        for p in range(s.pe):
            operands = [features[t * s.simd + p] for t in range(s.taps)] if s.channelwise else features
            terms = [(feature, None) for feature in operands] if s.weights is None else self._products(m, p, operands)
            carries = [carry for _, carry in terms if carry is not None]
            total, pending = add_tree(m, [value for value, _ in terms], f"lane{p}", carries)
            totals.append((total, pending[0] if pending else None))
        return totals

    def _code(self, p: int, n: int) -> Value:
        """The code of the weight of lane ``p`` for its term ``n``."""
        s = self.spec
        assert s.weights is not None
        return self.weights.word_select(p * s.terms + n, s.weights.width)

    def _products(self, m: Module, p: int, features: list[Any]) -> list[Product]:
        """The products of lane ``p``, registered, each with a carry that is still to be added."""
        s = self.spec
        assert s.weights is not None
        assert s.circuit is not None
        products: list[Product] = []
        for n, feature in enumerate(features):
            name = f"product{p}_{n}"
            weight = s.circuit.weight(m, f"weight{p}_{n}", s.weights, self._code(p, n))
            register = partial(registered, m, f"{name}_held")
            value, carry = s.circuit.product(feature, weight, (s.features, s.weights), register)
            carry = None if carry is None else registered(m, f"{name}_carry", carry)
            products.append((registered(m, name, value), carry))
        return products

    def _packed(self, m: Module, lanes: range, features: list[Signal], shared: Packing) -> list[Product]:
        """The totals of ``lanes``, whose weights share multiplications."""
        s = self.spec
        assert s.weights is not None
        name, weight_bits = f"lanes{lanes[0]}", signed_width(s.weights)
        products = []
        for n, feature in enumerate(features):
            weights = []
            for p in lanes:
                weights.append(Signal(signed(weight_bits), name=f"decoded{p}_{n}"))
                m.d.comb += weights[-1].eq(codec(s.weights).decode(m, self._code(p, n), f"weight{p}_{n}"))
            operand = pack(m, weights, shared.bits, f"{name}_weight{n}")
            product = Signal(signed(len(operand) + len(feature)), name=f"{name}_product{n}")
            m.d.sync += product.eq(operand * feature)
            products.append(product)
        parts = []
        for at in range(0, s.terms, shared.summed):
            some = products[at : at + shared.summed]
            total, _ = add_tree(m, some, f"{name}_part{at}", stages=tree_stages(shared.summed))
            parts.append(split(total, len(lanes), shared.bits))
        totals: list[Product] = []
        for p, fields in zip(lanes, zip(*parts, strict=True), strict=True):
            carries = [carry for _, carry in fields if carry is not None]
            total, pending = add_tree(m, [field for field, _ in fields], f"lane{p}", carries)
            totals.append((total, pending[0] if pending else None))
        return totals

    def sums(self) -> list[Signal]:
        """The ports ``sum0``, ... in order."""
        return [getattr(self, f"sum{p}") for p in range(self.spec.pe)]


class MaxArray(wiring.Component):
    """``pe`` running maxima over codes, in the order of their decoded integers.

    Each lane sees the features of its own channel. Where no tap counts, the maximum is the format's smallest value.

    Parameters
        spec       what the lanes reduce
    Ports
        features     in, ``taps * pe`` codes, tap by tap, the first one lowest
        mask         in, a bit per tap; the features of a tap whose bit is low count as the smallest value
        first        in, high when the step starts a new maximum
        sum0, ...    out, the codes of the ``pe`` maxima
    Timing
        II         1 step per cycle
        latency    ``spec.latency`` cycles from a step to the maxima that contain it
    Reset          clears the maxima and the steps in the pipeline
    """

    def __init__(self, spec: MacArraySpec) -> None:
        self.spec = spec
        ports = {f"sum{p}": Out(spec.features.width) for p in range(spec.pe)}
        taps = spec.taps
        super().__init__(
            {"features": In(taps * spec.pe * spec.features.width), "mask": In(taps), "first": In(1), **ports}
        )

    def elaborate(self, platform: object) -> Module:
        m, s = Module(), self.spec
        bits = s.features.width
        first = self.first
        for stage in range(s.latency - 1):
            register = Signal(name=f"first{stage}")
            m.d.sync += register.eq(first)
            first = register
        for p in range(s.pe):
            keys: list[Value] = []
            for t in range(s.taps):
                at = t * s.pe + p
                key = Signal(bits, name=f"key{p}_{t}")
                value = codec(s.features).sort_key(self.features[at * bits : (at + 1) * bits])
                m.d.sync += key.eq(Mux(self.mask[t], value, 0))
                keys.append(key)
            stage = 0
            while len(keys) > 1:
                winners: list[Value] = []
                for n in range(0, len(keys), TREE_RADIX):
                    winner = Signal(bits, name=f"max{p}_{stage}_{n // TREE_RADIX}")
                    m.d.sync += winner.eq(_largest(keys[n : n + TREE_RADIX]))
                    winners.append(winner)
                keys, stage = winners, stage + 1
            running = Signal(bits, name=f"running{p}")
            m.d.sync += running.eq(_largest([keys[0], Mux(first, 0, running)]))
            m.d.comb += getattr(self, f"sum{p}").eq(codec(s.features).from_sort_key(running))
        return m

    def sums(self) -> list[Signal]:
        """The ports ``sum0``, ... in order."""
        return [getattr(self, f"sum{p}") for p in range(self.spec.pe)]


def _largest(values: list[Value]) -> Value:
    best = values[0]
    for value in values[1:]:
        best = Mux(value > best, value, best)
    return best
