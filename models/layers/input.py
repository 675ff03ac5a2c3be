"""The input of a network: images."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.data.dataset import Dataset
from models.ir.normalization import Normalization
from models.ir.ops.input import Input
from models.layers.integers import Integers
from models.layers.layer import Layer
from models.sparse import elementwise, images


@dataclass(frozen=True, eq=False, kw_only=True)
class InputLayer(Layer):
    """The input of a network: images, and what the traced module takes in their place.

    Parameters
        sparse            whether images have active sites only
        flat              whether the module takes the channels of the only site as ``[n, features]``
        sequence          whether the module takes the only row as ``[n, C, L]``
        normalization     map from real numbers to images, if the data set has one
        restored          whether the module takes those real numbers, not the images
    """

    kind: ClassVar[str] = "input"

    inputs: tuple[str, ...] = ()
    sparse: bool = False
    flat: bool = False
    sequence: bool = False
    normalization: Normalization | None = None
    restored: bool = False

    def compute(self, *inputs: Tensor) -> Tensor:
        return images(inputs[0], self.sparse)

    def module_input(self, x: Tensor) -> Tensor:
        """The module's input for images ``x`` [n, C, H, W]."""
        x = self.compute(x)
        if self.restored and self.normalization:
            parts = astuple(self.normalization)
            offset, unit = (torch.tensor(part, dtype=x.dtype)[:, None, None] for part in parts)
            x = x * unit + offset
        return x.flatten(1) if self.flat else x.squeeze(2) if self.sequence else x

    def integer(self, integers: Integers, *inputs: Tensor) -> Tensor:
        return _encode(self.compute(*inputs), integers)

    def node(self, integers: Integers) -> Input:
        offset, unit = astuple(self.normalization) if self.normalization else ((), ())
        return Input(**self.common(integers), shape=self.shape, sparse=self.sparse, offset=offset, unit=unit)


def input_layer(data: Dataset) -> InputLayer:
    """The input layer for the images of ``data``."""
    return InputLayer(
        name="input",
        shape=data.shape,
        sparse=data.sparse,
        flat=data.flat,
        sequence=data.sequence,
        normalization=data.normalization,
        restored=data.restored,
    )


@elementwise
def _encode(x: Tensor, integers: Integers) -> Tensor:
    steps = x.double() / integers.scale
    codes = steps.round()
    low, high = integers.dtype.min, integers.dtype.max
    on_grid = (steps - codes).abs() <= 1e-3
    if not (on_grid & (codes >= low) & (codes <= high)).all():
        raise ValueError(
            f"input images must hold {integers.scale:.6g} times integers of {integers.dtype}, {low} to {high}"
        )
    return codes.long()
