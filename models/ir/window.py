"""The sliding window of convolution and pooling: which sites it makes active, and what each of them sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.ir.frame import Frame


@dataclass(frozen=True)
class Window:
    """A k x k window, its stride and zero padding.

    Output site (y, x) sees input sites ``stride*y + ky - padding``. It is active when any site of its stride x stride
    cell is (for stride 1: when its centre is); the dense frame is the case in which every site is.

    Parameters
        kernel     side of the window, 1 to 7
        stride     1 or 2
        padding    0 to ``(kernel - 1) // 2``
    """

    kernel: int
    stride: int
    padding: int

    @property
    def taps(self) -> int:
        """The number of kernel positions."""
        return self.kernel**2

    @property
    def pointwise(self) -> bool:
        """Whether a window is a single site, at stride 1."""
        return self.kernel == self.stride == 1

    @property
    def cell_offset(self) -> int:
        """Where the cell of output site 0 starts in the input; 0 for 'same' padding."""
        return (self.kernel - 1) // 2 - self.padding

    @property
    def below(self) -> int:
        """Distance from input row ``stride * y`` to the last row of output ``y``'s window."""
        return self.kernel - 1 - self.padding

    @property
    def extent(self) -> int:
        """Distance from input row ``stride * y`` to the last row of output ``y``'s window or its cell."""
        return max(self.below, self.cell_offset + self.stride - 1)

    def out_side(self, side: int) -> int:
        """Output sites along a side of the input."""
        return (side + 2 * self.padding - self.kernel) // self.stride + 1

    def out_sites(self, frame: Frame) -> tuple[int, int, np.ndarray]:
        """(height, width, sites) of the output: the cells with an active site."""
        height, width = self.out_side(frame.height), self.out_side(frame.width)
        cells = (frame.sites - self.cell_offset) // self.stride
        keep = (cells >= 0).all(axis=1) & (cells[:, 0] < height) & (cells[:, 1] < width)
        raster = np.unique(cells[keep, 0] * width + cells[keep, 1])
        return height, width, np.stack([raster // width, raster % width], axis=1)

    def input_rows(self, frame: Frame, sites: np.ndarray) -> np.ndarray:
        """int64 ``[k*k, n]``: for each tap (ky-major) and output site, the index of the input site it sees, or -1."""
        k, border = self.kernel, self.padding
        index = np.full((frame.height + 2 * border + k, frame.width + 2 * border + k), -1, dtype=np.int64)
        index[frame.sites[:, 0] + border, frame.sites[:, 1] + border] = np.arange(len(frame.sites))
        y, x = self.stride * sites[:, 0], self.stride * sites[:, 1]
        return np.stack([index[y + ky, x + kx] for ky in range(k) for kx in range(k)])

    def needs(self, frame: Frame, sites: np.ndarray, sparse: bool) -> tuple[np.ndarray, np.ndarray]:
        """How many tokens each output site needs, and whether the last of them must have arrived completely.

        A site of a sparse frame is complete when its window and its cell are; of a dense frame, when its window is.

        Parameters
            frame      active sites of the input
            sites      active sites of the output
            sparse     whether frames may have inactive sites
        """
        extent = self.extent if sparse else self.below
        rows, columns = np.minimum(self.stride * sites + extent, (frame.height - 1, frame.width - 1)).T
        corners = rows * frame.width + columns
        places = frame.sites[:, 0] * frame.width + frame.sites[:, 1]
        before = np.searchsorted(places, corners)
        return np.maximum.accumulate(before + 1), np.isin(corners, places)
