"""Batch normalisation, until it is folded into other layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NoReturn

from torch import Tensor

from models.layers.integers import Integers
from models.layers.layer import Layer


@dataclass(frozen=True, eq=False, kw_only=True)
class BatchNormLayer(Layer):
    """``scale`` and ``offset`` [c]; only until ``fold_batchnorm`` has run."""

    kind: ClassVar[str] = "batch_norm"

    scale: Tensor
    offset: Tensor

    def compute(self, *inputs: Tensor) -> Tensor:
        return inputs[0] * self.scale[:, None, None] + self.offset[:, None, None]

    def integer(self, own: Integers, *inputs: Tensor) -> NoReturn:
        raise TypeError(f"layer {self.name!r}: a batch norm is folded into other layers before it is quantized")

    def node(self, own: Integers) -> NoReturn:
        raise TypeError(f"layer {self.name!r}: a batch norm is folded into other layers before it is quantized")
