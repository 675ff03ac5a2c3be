"""The sliding window of convolution and pooling: which sites it makes active, and what each of them sees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.ir.frame import Frame

Sizes = int | tuple[int, ...]
"""One number for all directions, or one for each: ``(rows, columns)``, for padding ``(top, left, bottom, right)``."""


@dataclass(frozen=True)
class Axis:
    """A window along one direction of the frame.

    Output n sees the inputs ``stride*n + dilation*k - before``. Its cell are the ``stride`` inputs from
    ``stride*n + cell_offset`` on.

    Parameters
        kernel      taps
        stride      step from one output's window to the next one's
        before      zeros before the first input, 0 to ``(span - 1) // 2``
        after       zeros after the last input, 0 to ``span // 2``
        dilation    distance of two taps
    """

    kernel: int
    stride: int = 1
    before: int = 0
    after: int = 0
    dilation: int = 1

    @property
    def span(self) -> int:
        """Inputs from the first tap to the last, both counted."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def cell_offset(self) -> int:
        """Where the cell of output 0 starts in the input; 0 for 'same' padding of an odd kernel and strides up to 2.

        It starts at the middle of the window, or before it where the window would end too early for so large a stride.
        """
        return max(0, min((self.span - 1) // 2, self.span - self.stride)) - self.before

    @property
    def below(self) -> int:
        """Distance from input ``stride * n`` to the last one of output ``n``'s window."""
        return self.span - 1 - self.before

    @property
    def extent(self) -> int:
        """Distance from input ``stride * n`` to the last one of output ``n``'s window or its cell."""
        return max(self.below, self.cell_offset + self.stride - 1)

    @property
    def may_miss(self) -> bool:
        """Whether a window may see none of the inputs of its cell."""
        return self.stride > self.kernel or self.dilation > 1

    def padded(self, side: int) -> int:
        """Inputs and zeros of a side of the input."""
        return self.before + side + self.after

    def outputs(self, side: int) -> int:
        """Outputs along a side of the input."""
        return (self.padded(side) - self.span) // self.stride + 1

    def taps_inside(self, side: int) -> list[int]:
        """How many taps of each output lie inside a side of the input."""
        starts = [self.stride * n - self.before for n in range(self.outputs(side))]
        return [sum(0 <= start + self.dilation * k < side for k in range(self.kernel)) for start in starts]

    def outputs_seeing(self, side: int) -> list[tuple[int, int]]:
        """By tap, the (first, last) output whose tap lies inside a side of the input, unlimited by the outputs."""
        offsets = [self.before - self.dilation * k for k in range(self.kernel)]
        return [(-(-offset // self.stride), (side - 1 + offset) // self.stride) for offset in offsets]


@dataclass(frozen=True)
class Window:
    """A window over rows and columns.

    An output site is active when any site of its cell is (for stride 1: when its centre is); the dense frame is the
    case in which every site is.

    Parameters
        y     along the rows of the frame, from the top
        x     along the columns, from the left
    """

    y: Axis
    x: Axis

    @classmethod
    def of(
        cls,
        kernel: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
    ) -> Window:
        """A window by its sizes.

        Parameters
            kernel      one side for both directions, or (rows, columns)
            stride      alike
            padding     alike, or (top, left, bottom, right)
            dilation    alike
        """
        zeros = both(padding)
        sizes = zip(both(kernel), both(stride), zeros[:2], zeros[-2:], both(dilation), strict=True)
        return cls(*(Axis(*own) for own in sizes))

    @property
    def taps(self) -> int:
        """The number of kernel positions."""
        return self.y.kernel * self.x.kernel

    @property
    def pointwise(self) -> bool:
        """Whether a window is a single site, at stride 1."""
        return self.taps == self.y.stride == self.x.stride == 1

    @property
    def may_be_empty(self) -> bool:
        """Whether a window of an active site may see no active site."""
        return self.y.may_miss or self.x.may_miss

    @property
    def pads(self) -> bool:
        """Whether there is any padding."""
        return any((self.y.before, self.y.after, self.x.before, self.x.after))

    @property
    def symmetric(self) -> bool:
        """Whether there is as much padding after the input as before it."""
        return self.y.before == self.y.after and self.x.before == self.x.after

    @property
    def positions(self) -> list[tuple[int, int]]:
        """Row and column of each tap from the window's corner, row by row."""
        y, x = self.y, self.x
        return [(y.dilation * ky, x.dilation * kx) for ky in range(y.kernel) for kx in range(x.kernel)]

    @property
    def center_tap(self) -> int | None:
        """The tap that sees the site at which a window of stride 1 and 'same' padding stands; None if there is none."""
        return self.positions.index(center) if (center := (self.y.before, self.x.before)) in self.positions else None

    def out_sides(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the output."""
        return self.y.outputs(height), self.x.outputs(width)

    def out_sites(self, frame: Frame) -> tuple[int, int, np.ndarray]:
        """(height, width, sites) of the output: the cells with an active site."""
        height, width = self.out_sides(frame.height, frame.width)
        cells = (frame.sites - (self.y.cell_offset, self.x.cell_offset)) // self._strides
        keep = (cells >= 0).all(axis=1) & (cells[:, 0] < height) & (cells[:, 1] < width)
        raster = np.unique(cells[keep, 0] * width + cells[keep, 1])
        return height, width, np.stack([raster // width, raster % width], axis=1)

    def input_rows(self, frame: Frame, sites: np.ndarray) -> np.ndarray:
        """int64 ``[taps, n]``: for each tap and output site, the index of the input site that it sees, or -1."""
        sides = self.y.padded(frame.height) + self.y.span, self.x.padded(frame.width) + self.x.span
        index = np.full(sides, -1, dtype=np.int64)
        index[frame.sites[:, 0] + self.y.before, frame.sites[:, 1] + self.x.before] = np.arange(len(frame.sites))
        y, x = (sites * self._strides).T
        return np.stack([index[y + below, x + right] for below, right in self.positions])

    def needs(self, frame: Frame, sites: np.ndarray, sparse: bool) -> tuple[np.ndarray, np.ndarray]:
        """How many tokens each output site needs, and whether the last of them must have arrived completely.

        A site of a sparse frame is complete when its window and its cell are; of a dense frame, when its window is.

        Parameters
            frame      active sites of the input
            sites      active sites of the output
            sparse     whether frames may have inactive sites
        """
        extents = [axis.extent if sparse else axis.below for axis in (self.y, self.x)]
        rows, columns = np.minimum(self._strides * sites + extents, (frame.height - 1, frame.width - 1)).T
        corners = rows * frame.width + columns
        places = frame.sites[:, 0] * frame.width + frame.sites[:, 1]
        before = np.searchsorted(places, corners)
        return np.maximum.accumulate(before + 1), np.isin(corners, places)

    @property
    def _strides(self) -> np.ndarray:
        return np.array([self.y.stride, self.x.stride])


def both(value: int | Sequence[int]) -> tuple[int, ...]:
    """One number for each direction."""
    numbers = tuple(value) if isinstance(value, Sequence) else (value,)
    return numbers * 2 if len(numbers) == 1 else numbers


def missing_zeros(side: int, kernel: int, stride: int = 1, dilation: int = 1) -> int:
    """Zeros along a side with which every stride has an output: what TensorFlow and ONNX call SAME."""
    return max(0, (-(-side // stride) - 1) * stride + dilation * (kernel - 1) + 1 - side)


def same_padding(kernel: int | Sequence[int], dilation: int | Sequence[int] = 1) -> tuple[int, int, int, int]:
    """The padding, (top, left, bottom, right), with which an output of stride 1 has the size of its input.

    Where it cannot be even, there is one row or column more after the input, as in PyTorch.
    """
    missing = [d * (k - 1) for k, d in zip(both(kernel), both(dilation), strict=True)]
    top, left = (own // 2 for own in missing)
    bottom, right = (own - own // 2 for own in missing)
    return top, left, bottom, right
