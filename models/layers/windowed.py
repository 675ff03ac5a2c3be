"""What layers share that slide a window over their input."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from models.ir.window import Sizes, Window
from models.layers.layer import Layer


@dataclass(frozen=True, eq=False, kw_only=True)
class WindowLayer(Layer):
    """A layer that sees its input through a window.

    Parameters
        stride      step of the window, or (down, right)
        padding     zeros on each side, or (above and below, left and right), or (top, left, bottom, right)
    """

    stride: Sizes = 1
    padding: Sizes = 0

    @property
    @abstractmethod
    def window(self) -> Window:
        """Its sizes along both directions."""

    @property
    def strides(self) -> tuple[int, int]:
        """Rows and columns from one window to the next."""
        return self.window.y.stride, self.window.x.stride

    def padded(self, images: Tensor, value: float = 0.0) -> tuple[Tensor, tuple[int, int]]:
        """The images, with the padding that PyTorch's functions cannot express, and what they shall pad.

        Parameters
            images     [n, c, h, w]
            value      what lies around the images
        """
        y, x = self.window.y, self.window.x
        if self.window.symmetric:
            return images, (y.before, x.before)
        return F.pad(images, (x.before, x.after, y.before, y.after), value=value), (0, 0)


@dataclass(frozen=True, eq=False, kw_only=True)
class PoolLayer(WindowLayer):
    """A pooling.

    Parameters
        kernel     side of the window, or (rows, columns)
    """

    kernel: Sizes

    @property
    def window(self) -> Window:
        return Window.of(self.kernel, self.stride, self.padding)

    @property
    def sides(self) -> tuple[int, int]:
        """Rows and columns of a window."""
        return self.window.y.kernel, self.window.x.kernel
