"""Requantization in rationals: rounding, and that a graph is valid where none of golden's numbers leaves int64."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ir import golden
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.ir.node import GraphError, Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.conv import Conv
from models.ir.ops.global_pool import GlobalPool
from models.ir.ops.linear import Linear
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant
from tests.models.ir.builders import INT8, UDYBIT4, UINT8, single, tensor
from tests.models.ir.by_hand import by_hand

DYBIT8, UDYBIT8 = DyBitType(8), DyBitType(8, False)
SOURCES = [INT8, UINT8, DYBIT8, UDYBIT8, IntType(16), IntType(32), IntType(32, False)]
WEIGHTS = [INT8, DYBIT8, UDYBIT8]
OPS = ["conv", "depthwise", "linear", "avg_pool", "global_pool", "requantize", "add"]
OUTPUTS = [INT8, IntType(32), DYBIT8, UDYBIT4]
FITS = range(-(2**63), 2**63)


@dataclasses.dataclass(frozen=True)
class Case:
    """One node whose window is the whole frame, in parts that make it with any multiplier."""

    op: str
    source: DType
    side: int
    channels: int
    weight: np.ndarray
    """Decoded ``[c_out, c_in, side, side]``, for depthwise ``[c, 1, side, side]``."""
    weights: DType
    dtype: DType
    bias: int
    fraction: int
    shift: int

    @property
    def out(self) -> int:
        return len(self.weight) if self.op in ("conv", "linear") else self.channels

    def graph(self, mult: int) -> Graph:
        biases, mults = np.full(self.out, self.bias), np.full(self.out, mult)
        rule = Requant(biases, mults, self.shift, self.dtype.min, self.dtype.max, self.fraction)
        common: dict[str, Any] = {"name": "op", "inputs": ("input",), "dtype": self.dtype}
        node: Node
        if self.op in ("conv", "depthwise"):
            depthwise = self.op == "depthwise"
            weighted: dict[str, Any] = {
                "weight": self.weight,
                "weight_dtype": self.weights,
                "groups": len(self.weight) if depthwise else 1,
            }
            node = Conv(**common, **weighted, kernel=self.side, requant=rule)
        elif self.op == "linear":
            weight = self.weight.transpose(0, 2, 3, 1)
            node = Linear(**common, weight=weight, weight_dtype=self.weights, requant=rule)
        elif self.op == "avg_pool":
            node = AvgPool(**common, kernel=self.side, requant=rule)
        elif self.op == "add":
            branch = dataclasses.replace(rule, lo=-(2**62), hi=2**62 - 1)
            node = Add(**common, a=branch, b=branch, lo=self.dtype.min, hi=self.dtype.max)
        else:
            node = {"global_pool": GlobalPool, "requantize": Requantize}[self.op](**common, requant=rule)
        return single(node, Shape(self.side, self.side, self.channels), self.source)

    def frames(self) -> Iterator[np.ndarray]:
        """Images, objects ``[side, side, c]``, that give each channel its lowest and its highest sum."""
        shape = (self.side, self.side, self.channels)
        for inner, outer in ((self.source.min, self.source.max), (self.source.max, self.source.min)):
            if self.op in ("conv", "depthwise", "linear"):
                for row in self.weight:
                    image = np.where(row > 0, outer, inner).transpose(1, 2, 0).astype(object)
                    yield np.broadcast_to(image, shape)
            else:
                yield np.full(shape, outer, dtype=object)

    def sums(self, image: np.ndarray) -> list[list[int]]:
        """By site of the output and channel, in Python's integers."""
        if self.op in ("requantize", "add"):
            return image.reshape(-1, self.channels).tolist()
        if self.op in ("avg_pool", "global_pool"):
            return [image.reshape(-1, self.channels).sum(axis=0).tolist()]
        planes = image.transpose(2, 0, 1)
        products = self.weight.astype(object) * (planes[:, None] if self.op == "depthwise" else planes)
        return [products.reshape(len(self.weight), -1).sum(axis=1).tolist()]

    def numbers(self, mult: int) -> Iterator[int]:
        """All that the formula of ``Requant`` names, for every extreme image."""
        for image in self.frames():
            for acc in itertools.chain(*self.sums(image)):
                biased = (acc << self.fraction) + self.bias
                yield from (acc, acc << self.fraction, biased, biased * mult, biased * mult + (1 << self.shift >> 1))

    def fits(self, mult: int) -> bool:
        return all(number in FITS for number in self.numbers(mult))

    def exact(self, image: np.ndarray, mult: int) -> list[list[int]]:
        """What the node gives, in rationals."""
        return [[self._output(acc, mult) for acc in site] for site in self.sums(image)]

    def _output(self, acc: int, mult: int) -> int:
        value = Fraction(((acc << self.fraction) + self.bias) * mult, 2**self.shift)
        if self.op == "add":
            # a branch is rounded to an integer of the steps of the sum, of a tapered format half ones
            branch = min(max((value + Fraction(1, 2)).__floor__(), -(2**62)), 2**62 - 1)
            value = Fraction(2 * branch, 2 if isinstance(self.dtype, DyBitType) else 1)
        value = min(max(value, Fraction(self.dtype.min)), Fraction(self.dtype.max))
        if isinstance(self.dtype, IntType):
            return (value + Fraction(1, 2)).__floor__()
        return min(self.dtype.values().tolist(), key=lambda v: (abs(v - value), -v))


def largest_mult(case: Case) -> int:
    """The largest multiplier whose numbers fit, by bisection; -1 where not even 0 does."""
    low, high = -1, 65535
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if case.fits(middle) else (low, middle - 1)
    return low


@st.composite
def cases(draw: st.DrawFn) -> Case:
    op, source, weights = draw(st.sampled_from(OPS)), draw(st.sampled_from(SOURCES)), draw(st.sampled_from(WEIGHTS))
    side, channels, out = draw(st.integers(1, 7)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    # whether every weight is as large as its format has it, as the worst case of a bound is
    rng, whole = np.random.default_rng(draw(st.integers(0, 99))), draw(st.booleans())
    shape = (channels, 1, side, side) if op == "depthwise" else (out, channels, side, side)
    weight = np.full(shape, weights.max) if whole else tensor(rng, weights, *shape)
    bias = draw(st.sampled_from([0, 2**31 - 1, -(2**31)]) | st.integers(-(2**31), 2**31 - 1))
    fraction = draw(st.just(16) | st.integers(0, 16))
    dtype = draw(st.sampled_from(OUTPUTS))
    return Case(op, source, side, channels, weight, weights, dtype, bias, fraction, draw(st.integers(0, 40)))


def check_golden(case: Case, mult: int) -> None:
    graph = case.graph(mult)
    for image in case.frames():
        features = golden.run(graph, Frame.from_dense(image.astype(np.int64)))["op"].features
        assert features.tolist() == case.exact(image, mult)


@given(cases(), st.integers(0, 65535))
def test_a_graph_is_valid_where_its_numbers_fit_and_golden_is_then_exact(case: Case, some: int) -> None:
    most = largest_mult(case)
    for mult in {some, max(most, 0), min(most + 1, 65535)}:
        if mult <= most:
            check_golden(case, mult)
        else:
            with pytest.raises(GraphError, match="int64 holds"):
                case.graph(mult)


def seven_by_seven(weight: int) -> Case:
    """The convolution of one channel whose sums are as large as 49 products of DyBit's largest values."""
    return Case("conv", UDYBIT8, 7, 1, np.full((1, 1, 7, 7), weight), DYBIT8, INT8, 0, 16, 40)


@pytest.mark.parametrize("weight, sums", [(-4096, "-3288334336 to 0"), (4096, "0 to 3288334336")])
def test_a_sum_times_its_multiplier_beyond_int64_is_refused(weight: int, sums: str) -> None:
    case = seven_by_seven(weight)
    furthest = 49 * 2**14 * weight * 2**16 * 65535 + 2**39
    most = largest_mult(case)
    assert 0 < most < 65535
    with pytest.raises(
        GraphError,
        match=f"node 'op', field 'requant.mult': 65535 brings channel 0, with sums of {sums}, fraction 16 and bias 0, "
        f"to {furthest}; int64 holds {-(2**63)} to {2**63 - 1}, multipliers up to {most}",
    ):
        case.graph(65535)
    check_golden(case, most)


@pytest.mark.parametrize("op", ["requantize", "add", "avg_pool", "global_pool"])
@pytest.mark.parametrize("dtype", [INT8, DYBIT8], ids=str)
def test_inputs_of_32_bits_are_bounded(op: str, dtype: DType) -> None:
    none = np.zeros((1, 1, 3, 3), np.int64)
    case = Case(op, IntType(32, False), 3, 2, none, INT8, dtype, -77, 16, 40)
    most = largest_mult(case)
    assert 0 < most < 65535
    check_golden(case, most)
    with pytest.raises(GraphError, match=f"{most + 1} brings channel 0, .*, multipliers up to {most}"):
        case.graph(most + 1)


def test_the_bound_is_met_to_the_last_one() -> None:
    """A bias that brings a product to 2**63 - 1 is valid, one more is not, nor is anything that rounding adds."""
    mult = 7 * 73 * 127
    biased, rest = divmod(2**63 - 1, mult)
    assert rest == 0
    weight, bias = divmod(biased, 255 << 16)
    # more products than a frame may have channels
    taps = np.zeros(4 * -(-weight // (4 * 127)), int)
    taps[: weight // 127], taps[-1] = 127, weight % 127
    case = Case("conv", UINT8, 2, len(taps) // 4, taps.reshape(1, -1, 2, 2), INT8, INT8, bias, 16, 0)
    check_golden(case, mult)
    for more, to in (({"bias": bias + 1}, 2**63 - 1 + mult), ({"shift": 1}, 2**63)):
        with pytest.raises(GraphError, match=f"to {to}; .*, multipliers up to {mult - 1}"):
            dataclasses.replace(case, **more).graph(mult)


def test_a_fraction_that_brings_sums_beyond_int64_is_refused() -> None:
    case = Case("global_pool", IntType(32, False), 1, 1, np.zeros((1, 1, 1, 1), int), INT8, INT8, 0, 16, 0)
    (node,) = case.graph(1).nodes[1:]
    with pytest.raises(
        GraphError, match=r"'requant.fraction': 16 brings channel 0, with sums of 0 to \d+ and bias 0, to"
    ):
        single(node, Shape(4096, 4096, 1), case.source)
    largest = single(node, Shape(256, 127, 1), case.source)
    assert largest["op"].ranges(case.source, Shape(256, 127, 1)) == [(0, 256 * 127 * (2**32 - 1))]


def test_sums_that_int64_does_not_hold_are_counted_exactly() -> None:
    """2**18 products of 2**45: each fits, their sum does not, and numpy would say that it is negative."""
    weight = np.full((1, 512, 512, 1), 2**14)
    rule = Requant(np.zeros(1, np.int64), np.zeros(1, np.int64), 0, -1, 1)
    node = Linear(name="op", inputs=("input",), dtype=INT8, weight=weight, weight_dtype=UDYBIT8, requant=rule)
    assert node.ranges(IntType(32), Shape(512, 512, 1)) == [(-(2**63), 2**63 - 2**32)]
    less = dataclasses.replace(node, requant=dataclasses.replace(rule, bias=np.array([-1])))
    with pytest.raises(GraphError, match=f"with sums of -{2**63} to {2**63 - 2**32} .*, to -{2**63 + 1};"):
        single(less, Shape(512, 512, 1), IntType(32))


@given(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**16 - 1), st.integers(0, 40))
def test_requantize_rounds_half_up_exactly(acc: int, bias: int, mult: int, shift: int) -> None:
    rule = Requant(np.array([bias]), np.array([mult]), shift, -(2**40), 2**40)
    assert rule.integer(np.array([[acc]])).item() == by_hand(acc, 0, rule)


def test_a_tapered_format_is_rounded_once() -> None:
    """4.75 steps are nearer to 4 than to 6; rounded to an integer first they would be a tie, which goes up."""
    dtype = DyBitType(4)
    rule = Requant(np.array([3]), np.array([1]), 2, dtype.min, dtype.max, fraction=2)
    assert rule.integer(np.array([[4]])).tolist() == [[5]]
    assert rule.to_dtype(np.array([[4], [5], [-6]]), dtype).tolist() == [[4], [6], [-6]]
    assert rule.to_dtype(np.array([[4]]), IntType(8)).tolist() == [[5]]
