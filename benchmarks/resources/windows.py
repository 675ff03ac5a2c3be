"""Random sliding-window generators on their own, most of which give all taps of a window at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from amaranth.lib import wiring

from hw.fpga.device import Device, Resources
from hw.fpga.families.family import FpgaFamily
from hw.fpga.families.registry import family
from hw.fpga.formulas import ResourceEstimate, total
from hw.line_buffer.sliding_window import SlidingWindow
from hw.line_buffer.token_buffer import WindowGeometry
from hw.resources import sources
from hw.streams.layout import TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from models.ir.window import Window

KERNELS = (2, 3, 3, 5, 5, 7)
TAP_BITS = 200
"""Bits of the words of all taps at most: more take Yosys long and say nothing new."""


@dataclass(frozen=True)
class SiteGenerator:
    """A sliding-window generator of its own.

    Parameters
        layout     layout of the input
        geometry   the window, with the rows to store
        parallel   whether all taps of a window are read at once
    """

    layout: TokenLayout
    geometry: WindowGeometry
    parallel: bool

    def parts(self, f: FpgaFamily) -> list[ResourceEstimate]:
        return [*sources.sliding_window(f, self.layout, self.geometry, self.parallel)]

    def resources(self, device: Device) -> Resources:
        f = family(device)
        return total(f, self.parts(f))

    def component(self) -> wiring.Component:
        return SlidingWindow(self.layout, self.geometry, self.parallel)


def draw_window(seed: int) -> tuple[str, SiteGenerator]:
    """The generator number ``seed``: kernel, stride, frame and words, all random; the same at every call."""
    rng = np.random.default_rng([seed, 2])
    kernel, parallel = int(rng.choice(KERNELS)), bool(rng.integers(5))
    stride, words = int(rng.choice([1, 1, 2])), int(rng.choice([1, 1, 2, 3]))
    height, width = (int(rng.integers(kernel + 1, 21)) for _ in range(2))
    bits = int(rng.integers(2, 1 + max(2, min(12, TAP_BITS // kernel**2))))
    shape = Shape(height, width, words)
    geometry = WindowGeometry(height, width, words, Window.of(kernel, stride, (kernel - 1) // 2))
    title = f"k{kernel}s{stride} {height}x{width}x{words} of {bits} bits{' at once' * parallel}"
    return title, SiteGenerator(TokenLayout(shape, IntType(bits), 1), geometry, parallel)
