"""What layers of a float network share."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from models.ir.dtype import DType
from models.ir.node import Node, Shape
from models.layers.integers import Integers, RequantParams

NO_CLIP = (-math.inf, math.inf)


@dataclass(frozen=True, eq=False, kw_only=True)
class Layer(ABC):
    """One layer; ``shape`` is that of the output."""

    kind: ClassVar[str]
    """The op of the graph node that the layer becomes."""
    keeps_format: ClassVar[bool] = False
    """Whether the output has format and scale of the input."""

    name: str
    inputs: tuple[str, ...]
    shape: Shape

    @abstractmethod
    def compute(self, *inputs: Tensor) -> Tensor:
        """The layer's result in float, before any clip; of the input layer, what it makes of images."""

    @abstractmethod
    def integer(self, own: Integers, *inputs: Tensor) -> Tensor:
        """The layer's result in integers, int64 [n, c, h, w], from inputs of the same kind."""

    @abstractmethod
    def node(self, own: Integers) -> Node:
        """The graph node of this layer, which computes the same integers."""

    def common(self, own: Integers) -> dict[str, Any]:
        """What every node has."""
        return {"name": self.name, "inputs": self.inputs, "dtype": own.dtype, "scale": own.scale}


@dataclass(frozen=True, eq=False, kw_only=True)
class ClippedLayer(Layer):
    """A layer with a result of its own, which ``clip`` bounds."""

    rounds_inputs: ClassVar[bool] = False
    """Whether each input is rounded by itself, to steps of the output less its guard bits, before they are combined."""

    stacks_inputs: ClassVar[bool] = False
    """Whether its inputs' channels lie one behind the other, and are requantized as those of one input."""

    clip: tuple[float, float] = NO_CLIP

    def clipped(self, *inputs: Tensor) -> Tensor:
        """The layer's result in float."""
        result = self.compute(*inputs)
        return result if self.clip == NO_CLIP else result.clamp(*self.clip)

    def sum(self, own: Integers, x: Tensor) -> Tensor:
        """int64: what is requantized, of an input ``x``; that input itself where the layer sums nothing."""
        return x

    def divisor(self, source: Shape, dtype: DType) -> float:
        """What an integer sum is divided by to be the layer's result.

        Parameters
            source     shape of the input
            dtype      format of the output
        """
        return 1.0

    def branch(self, requant: RequantParams, source: DType, dtype: DType) -> RequantParams:
        """The requantization of an input of format ``source``, which may be clipped otherwise than the output."""
        return requant

    def integer(self, own: Integers, *inputs: Tensor) -> Tensor:
        return own.requants[0].nearest_value(self.sum(own, inputs[0]), own.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightedLayer(ClippedLayer):
    """``weight`` [c_out, ...] and ``bias`` [c_out]; ``weigh`` takes others in their place."""

    weight: Tensor
    bias: Tensor

    @abstractmethod
    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The layer's result with ``weight`` and ``bias`` in place of its own."""

    @abstractmethod
    def seen(self, x: Tensor) -> Tensor:
        """[g, m, n]: of each of ``m`` outputs of a channel the inputs to its weights, for all channels or for each."""

    @abstractmethod
    def takes_in(self, moves_zero: bool, sparse: bool) -> bool:
        """Whether its weights can do what a batch norm before it does.

        Parameters
            moves_zero     whether that makes something else of zero
            sparse         whether images have active sites only: what is not active is zero, too
        """

    @property
    def by_input(self) -> tuple[slice | None, slice | None]:
        """How a factor for each input channel is indexed to fit ``weight``'s first two dimensions."""
        return None, slice(None)

    def compute(self, *inputs: Tensor) -> Tensor:
        return self.weigh(inputs[0], self.weight, self.bias)

    def sum(self, own: Integers, x: Tensor) -> Tensor:
        assert own.weight is not None
        return self.weigh(own.exact(x), own.exact(own.weight), None).long()

    def common(self, own: Integers) -> dict[str, Any]:
        return {**super().common(own), "weight_dtype": own.weight_dtype, "requant": own.requants[0].export()}
