"""A network of ``digits_cnn``'s shape with random weights, at one format throughout."""

from __future__ import annotations

import numpy as np

from benchmarks.inputs.nets import Builder
from models.ir.formats.integer import IntType
from models.ir.graph import Graph


def digits_net(fmt: str, width: int = 16, side: int = 8) -> Graph:
    net = Builder(np.random.default_rng(7), (side, side, 1), IntType(8, signed=False))
    stem = net.conv(width, 3, fmt)
    net.conv(width, 3, fmt)
    main = net.conv(width, 3, fmt)
    first = net.add(main, stem, fmt)
    net.conv(2 * width, 3, fmt, stride=2)
    main = net.conv(2 * width, 3, fmt)
    around = net.conv(2 * width, 1, fmt, stride=2, after=first)
    net.add(main, around, fmt)
    net.global_pool(fmt)
    return net.linear(10, fmt)
