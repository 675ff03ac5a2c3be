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
    """Images of a data set, and what a module takes in their place."""

    kind: ClassVar[str] = "input"

    inputs: tuple[str, ...] = ()
    sparse: bool = False
    """Whether images have active sites only, or all of them."""
    flat: bool = False
    """Whether the module takes the channels of the one site as ``[n, features]``."""
    normalization: Normalization | None = None
    """What images were made with from the numbers behind them."""
    restored: bool = False
    """Whether the module takes those numbers, not the images."""

    def compute(self, *inputs: Tensor) -> Tensor:
        return images(inputs[0], self.sparse)

    def given(self, x: Tensor) -> Tensor:
        """What the module takes for images ``x`` [n, C, H, W]."""
        x = self.compute(x)
        if self.restored and self.normalization:
            parts = astuple(self.normalization)
            offset, unit = (torch.tensor(part, dtype=x.dtype)[:, None, None] for part in parts)
            x = x * unit + offset
        return x.flatten(1) if self.flat else x

    def integer(self, own: Integers, *inputs: Tensor) -> Tensor:
        return _encode(self.compute(*inputs), own)

    def node(self, own: Integers) -> Input:
        offset, unit = astuple(self.normalization) if self.normalization else ((), ())
        return Input(**self.common(own), shape=self.shape, sparse=self.sparse, offset=offset, unit=unit)


def input_layer(data: Dataset) -> InputLayer:
    """The input of networks for the images of ``data``."""
    return InputLayer(
        name="input",
        shape=data.shape,
        sparse=data.sparse,
        flat=data.flat,
        normalization=data.normalization,
        restored=data.restored,
    )


@elementwise
def _encode(x: Tensor, own: Integers) -> Tensor:
    steps = x.double() / own.scale
    integers = steps.round()
    low, high = own.dtype.min, own.dtype.max
    on_grid = (steps - integers).abs() <= 1e-3
    if not (on_grid & (integers >= low) & (integers <= high)).all():
        raise ValueError(f"input images must hold {own.scale:.6g} times integers of {own.dtype}, {low} to {high}")
    return integers.long()
