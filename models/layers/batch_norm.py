"""Batch normalisation, before it is folded into other layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NoReturn

from torch import Tensor

from models.layers.integers import Integers
from models.layers.layer import Layer


@dataclass(frozen=True, eq=False, kw_only=True)
class BatchNormLayer(Layer):
    """A scale and an offset per channel. ``fold_batchnorm`` removes such layers from a plan.

    Parameters
        scale      float [c]
        offset     float [c]
    """

    kind: ClassVar[str] = "batch_norm"

    scale: Tensor
    offset: Tensor

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0] * self.scale[:, None, None] + self.offset[:, None, None]

    def integer(self, integers: Integers, *inputs: Tensor) -> NoReturn:
        raise TypeError(f"layer {self.name!r}: a batch norm is folded into other layers before it is quantized")

    def node(self, integers: Integers) -> NoReturn:
        raise TypeError(f"layer {self.name!r}: a batch norm is folded into other layers before it is quantized")
