"""What a circuit that multiplies a feature by a weight says about itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from amaranth.hdl import Module, Mux, Signal, Value, signed

from hw.arithmetic.circuits.constant import ConstantProduct
from hw.arithmetic.codecs.codec import Significand, signed_width
from hw.arithmetic.codecs.registry import codec
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate
from models.ir import accumulator
from models.ir.dtype import DType

Product = tuple[Value, Value | None]
"""A signed product, and a bit that is still to be added to it or None."""


class ProductCount(NamedTuple):
    """The products of an array, as their resources are counted.

    Parameters
        features   format of the features
        weights    format of the weights
        pe         lanes
        terms      products of each lane in a step
        operands   features that a step brings
        remaining  fraction of the products' logic that Yosys leaves
    """

    features: DType
    weights: DType
    pe: int
    terms: int
    operands: int
    remaining: float = 1.0

    @property
    def macs(self) -> int:
        """Products in a step."""
        return self.pe * self.terms

    @property
    def remaining_macs(self) -> float:
        """The products that Yosys does not remove, as far as their logic goes."""
        return self.remaining * self.pe * self.terms


class Circuit(ABC):
    """A way to multiply features by weights, with registers before and behind each product.

    Its instances have no state: two of one class are equal.

    Parameters
        name       what results and tests call it
    """

    name: ClassVar[str]

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    def stages(self, features: DType, weights: DType) -> int:
        """Registers in series in a product, with the one at its output.

        Parameters
            features   format of the features
            weights    format of the weights
        """
        return 1

    def width(self, features: DType, weights: DType) -> int:
        """Bits of a feature times a weight.

        Parameters
            features   format of the features
            weights    format of the weights
        """
        ends = [a * b for a in (features.min, features.max) for b in (weights.min, weights.max)]
        return accumulator.width(min(ends), max(ends))

    def carried(self, weights: DType) -> bool:
        """Whether each product comes with a carry: a bit that is still to be added to it.

        Parameters
            weights    format of the weights
        """
        return False

    @abstractmethod
    def feature(self, m: Module, name: str, dtype: DType, code: Value, counts: Value) -> Any:
        """A feature in the form that its products take, registered. It counts as 0 where ``counts`` is low.

        Parameters
            m          module that gets the logic
            name       prefix of the signals' names
            dtype      format of the feature
            code       its code
            counts     1 bit
        """

    @abstractmethod
    def weight(self, m: Module, name: str, dtype: DType, code: Value) -> Any:
        """A weight in the form that its product takes, registered.

        Parameters
            m          module that gets the logic
            name       prefix of the signals' names
            dtype      format of the weight
            code       its code
        """

    @abstractmethod
    def product(
        self, feature: Any, weight: Any, dtypes: tuple[DType, DType], register: Callable[[Value], Value]
    ) -> Product:
        """The product, not yet registered at its output.

        Parameters
            feature    as ``feature`` returns it
            weight     as ``weight`` returns it
            dtypes     format of the feature and of the weight
            register   returns the register of a value
        """

    @abstractmethod
    def operand_bits(self, dtype: DType, *, feature: bool) -> int:
        """Bits of the registers of a feature or a weight before it is multiplied.

        Parameters
            dtype      format of the feature or the weight
            feature    whether it is a feature
        """

    @abstractmethod
    def operand_luts(self, f: FpgaFamily, dtype: DType, *, feature: bool) -> float:
        """LUTs between the code of a feature or a weight and the registers of ``operand_bits``.

        Parameters
            f          the device's family
            dtype      format of the feature or the weight
            feature    whether it is a feature
        """

    @abstractmethod
    def resources(self, f: FpgaFamily, count: ProductCount, spans: Sequence[int]) -> ResourceEstimate:
        """The products without their operands.

        Parameters
            f          the device's family
            count      the products
            spans      bits of the weights that each multiplication of a term takes
        """

    def waiting_bits(self, count: ProductCount, share: float) -> float:
        """Bits of the registers inside the products.

        Parameters
            count      the products
            share      the fraction of a weight's bits that are neither constant nor copies of others
        """
        return 0.0

    @abstractmethod
    def constant(self, features: DType, weights: DType, value: int) -> ConstantProduct:
        """The product with a weight that never changes.

        Parameters
            features   format of the features
            weights    format of the weights
            value      the weight, not 0
        """


class DecodedCircuit(Circuit):
    """A circuit whose operands are decoded integers, and whose product is as wide as both together."""

    def width(self, features: DType, weights: DType) -> int:
        return signed_width(features) + signed_width(weights)

    def feature(self, m: Module, name: str, dtype: DType, code: Value, counts: Value) -> Value:
        return decoded_feature(m, name, dtype, code, counts)

    def weight(self, m: Module, name: str, dtype: DType, code: Value) -> Value:
        value = Signal(signed(signed_width(dtype)), name=name)
        m.d.sync += value.eq(codec(dtype).decode(m, code, name))
        return value

    def operand_bits(self, dtype: DType, *, feature: bool) -> int:
        return decoded_width(dtype, feature=feature)

    def operand_luts(self, f: FpgaFamily, dtype: DType, *, feature: bool) -> float:
        return codec(dtype).decoder_luts(f.lut_inputs)


def registered(m: Module, name: str, value: Value) -> Signal:
    """The register of a value.

    Parameters
        m          module that gets it
        name       name of the register
        value      what it takes in each cycle
    """
    register = Signal(value.shape(), name=name)
    m.d.sync += register.eq(value)
    return register


def decoded_feature(m: Module, name: str, dtype: DType, code: Value, counts: Value) -> Signal:
    """The decoded integer of a feature, registered. It counts as 0 where ``counts`` is low.

    Parameters
        m          module that gets the logic
        name       name of the register
        dtype      format of the feature
        code       its code
        counts     1 bit
    """
    value = Signal(signed(signed_width(dtype)), name=name)
    m.d.sync += value.eq(Mux(counts, codec(dtype).decode(m, code, name), 0))
    return value


def registered_significand(m: Module, name: str, parts: Significand) -> Significand:
    """A significand with all its parts registered.

    Parameters
        m          module that gets the registers
        name       prefix of their names
        parts      the significand
    """
    digits, shift, negative = (
        None if part is None else registered(m, f"{name}_{label}", part)
        for label, part in zip(parts._fields, parts, strict=True)
    )
    assert digits is not None
    return Significand(digits, shift, negative)


def significand_width(dtype: DType) -> int:
    """Bits of the registers of a significand, its shift and its sign.

    Parameters
        dtype      format of the number
    """
    return sum(codec(dtype).significand_bits) + (dtype.tapered and dtype.signed)


def decoded_width(dtype: DType, *, feature: bool) -> int:
    """Bits of the register of a decoded feature or weight; features keep no sign that is always 0.

    Parameters
        dtype      format of the feature or the weight
        feature    whether it is a feature
    """
    return dtype.decoded_width if feature else signed_width(dtype)
