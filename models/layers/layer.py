"""The base classes of the layers of a float network."""

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
    """One layer of a float network.

    Parameters
        name       name, unique in its plan
        inputs     names of the layers whose outputs it takes
        shape      shape of the output
    """

    kind: ClassVar[str]
    """The op of the layer's graph node."""
    keeps_format: ClassVar[bool] = False
    """Whether the output has the format and the scale of the input."""

    name: str
    inputs: tuple[str, ...]
    shape: Shape

    @abstractmethod
    def compute(self, *inputs: Tensor) -> Tensor:
        """The float result before any clip. The input layer takes images."""

    @abstractmethod
    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        """The integer result, int64 [n, c, h, w], of integer inputs."""

    @abstractmethod
    def node(self, integers: Integers) -> Node:
        """The graph node, which computes the same integers."""

    def common(self, integers: Integers) -> dict[str, Any]:
        """The arguments that every node takes."""
        return {"name": self.name, "inputs": self.inputs, "dtype": integers.dtype, "scale": integers.scale}


@dataclass(frozen=True, eq=False, kw_only=True)
class ClippedLayer(Layer):
    """A layer that computes a new result and may clip it.

    Parameters
        clip     real bounds of the result
    """

    rounds_inputs: ClassVar[bool] = False
    """Whether each input is rounded to steps of the output, with its guard bits, before the inputs are combined."""

    stacks_inputs: ClassVar[bool] = False
    """Whether the inputs are concatenated and then requantized as one input."""

    tabulated: ClassVar[bool] = False
    """Whether the integers are a table of the results for each value of the input."""

    clip: tuple[float, float] = NO_CLIP

    def clipped(self, *inputs: Tensor) -> Tensor:
        """The float result after the clip."""
        result = self.compute(*inputs)
        return result if self.clip == NO_CLIP else result.clamp(*self.clip)

    def sum(self, integers: Integers, x: Tensor) -> Tensor:
        """The int64 accumulator of an input ``x``, which is requantized. A layer that sums nothing returns ``x``."""
        return x

    def results(self, values: Tensor) -> Tensor:
        """For a layer with a table, the results for float64 ``values`` [v] before any clip, as [1 or c, v]."""
        raise TypeError(f"layer {self.name!r}: {self.kind} has no table")

    def divisor(self, source: Shape, dtype: DType) -> float:
        """The divisor that turns an integer sum into the result.

        Parameters
            source     shape of the input
            dtype      format of the output
        """
        return 1.0

    def branch(self, requant: RequantParams, source: DType, dtype: DType) -> RequantParams:
        """The requantization of one input, which may have clip bounds of its own.

        Parameters
            requant     factors and bounds of the output
            source      format of the input
            dtype       format of the output
        """
        return requant

    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        return integers.requants[0].nearest_value(self.sum(integers, inputs[0]), integers.dtype)


@dataclass(frozen=True, eq=False, kw_only=True)
class WeightedLayer(ClippedLayer):
    """A layer with weights.

    Parameters
        weight     float [c_out, ...]
        bias       float [c_out]
    """

    weight: Tensor
    bias: Tensor

    @abstractmethod
    def weigh(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The result for other weights and another bias."""

    @abstractmethod
    def unfold(self, x: Tensor) -> Tensor:
        """The inputs that each output sees (im2col), [g, m, n].

        For each of the ``m`` outputs of a channel these are the inputs of its ``n`` weights. The channels fall into
        ``g`` equal parts, each of which shares its inputs.
        """

    @abstractmethod
    def absorbs_norm(self, moves_zero: bool, sparse: bool) -> bool:
        """Whether the weights can absorb a batch norm in front of the layer.

        Parameters
            moves_zero     whether the norm maps zero to another value
            sparse         whether images have active sites only, so that zeros lie around these
        """

    def by_input(self, factor: Tensor) -> Tensor:
        """A factor per input channel, for each weight: it broadcasts against the first two axes of ``weight``."""
        return factor[None]

    def compute(self, *inputs: Tensor) -> Tensor:
        return self.weigh(inputs[0], self.weight, self.bias)

    def sum(self, integers: Integers, x: Tensor) -> Tensor:
        assert integers.weight is not None
        return self.weigh(integers.exact(x), integers.exact(integers.weight), None).long()

    def common(self, integers: Integers) -> dict[str, Any]:
        return {
            **super().common(integers),
            "weight_dtype": integers.weight_dtype,
            "requant": integers.requants[0].export(),
        }
