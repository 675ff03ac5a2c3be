"""Golden: the exact integers every stage must reproduce.

Written as a sparse computation over active sites; the dense network is the case in which every
site is active. ``run`` gives every node's frame; ``accumulate`` the bare sums before requantizing.
All of it is in int64, which no number of a valid graph leaves (``Node.check``).
"""

from __future__ import annotations

import numpy as np

from models.ir.dtype import DType
from models.ir.frame import Frame
from models.ir.graph import (
    Add,
    AvgPool,
    Conv,
    GlobalPool,
    Graph,
    Input,
    Linear,
    MaxPool,
    Node,
    Requant,
    Requantize,
    Window,
)


def requantize(acc: np.ndarray, requant: Requant) -> np.ndarray:
    """``clip((((acc << fraction) + bias) * mult + half) >> shift, lo, hi)`` over ``[..., channels]``."""
    half = (1 << requant.shift) >> 1
    scaled = (_scaled(acc, requant) + half) >> requant.shift
    return np.clip(scaled, requant.lo, requant.hi)


def halves(acc: np.ndarray, requant: Requant) -> np.ndarray:
    """Twice the requantized sums, rounded down, and no further out than twice ``lo`` and ``hi``."""
    scaled = _scaled(acc, requant)
    if not requant.shift:
        return np.clip(scaled, requant.lo, requant.hi) << 1
    return np.clip(scaled >> (requant.shift - 1), 2 * requant.lo, 2 * requant.hi)


def _scaled(acc: np.ndarray, requant: Requant) -> np.ndarray:
    return ((acc << requant.fraction) + requant.bias) * requant.mult


def to_dtype(values: np.ndarray, requant: Requant, dtype: DType) -> np.ndarray:
    """The nearest value of the format to the requantized sums, rounded once: of an integer ``requantize``."""
    return dtype.rounded(halves(values, requant))


def window_sites(node: Window, frame: Frame) -> tuple[int, int, np.ndarray]:
    """(height, width, sites) of a window op's output: the cells with an active site."""
    height, width = node.out_side(frame.height), node.out_side(frame.width)
    cells = (frame.sites - node.cell_offset) // node.stride
    keep = (cells >= 0).all(axis=1) & (cells[:, 0] < height) & (cells[:, 1] < width)
    raster = np.unique(cells[keep, 0] * width + cells[keep, 1])
    return height, width, np.stack([raster // width, raster % width], axis=1)


def window_taps(node: Window, frame: Frame, sites: np.ndarray) -> np.ndarray:
    """int64 ``[k*k, n]``: for each tap (ky-major) and output site, the row of the input site it sees, or -1."""
    k, border = node.kernel, node.padding
    index = np.full((frame.height + 2 * border + k, frame.width + 2 * border + k), -1, dtype=np.int64)
    index[frame.sites[:, 0] + border, frame.sites[:, 1] + border] = np.arange(len(frame.sites))
    y, x = node.stride * sites[:, 0], node.stride * sites[:, 1]
    return np.stack([index[y + ky, x + kx] for ky in range(k) for kx in range(k)])


def accumulate(node: Node, frame: Frame) -> tuple[int, int, np.ndarray, np.ndarray]:
    """(height, width, sites, sums) of a node that sums: convolution, average and global pooling, linear."""
    if isinstance(node, Conv | AvgPool):
        height, width, sites = window_sites(node, frame)
        taps = window_taps(node, frame, sites)
        channels = node.weight.shape[0] if isinstance(node, Conv) else frame.channels
        acc = np.zeros((len(sites), channels), dtype=np.int64)
        for tap, rows in enumerate(taps):
            seen = rows >= 0
            features = frame.features[rows[seen]]
            if isinstance(node, AvgPool):
                acc[seen] += features
            else:
                weight = node.weight[:, :, tap // node.kernel, tap % node.kernel]
                acc[seen] += features * weight[:, 0] if node.depthwise else features @ weight.T
        return height, width, sites, acc
    origin = np.zeros((1, 2), dtype=np.int64)
    if isinstance(node, GlobalPool):
        return 1, 1, origin, frame.features.sum(axis=0, keepdims=True)
    if isinstance(node, Linear):
        weight = node.weight[:, frame.sites[:, 0], frame.sites[:, 1], :]
        return 1, 1, origin, np.einsum("onc,nc->o", weight, frame.features)[None, :]
    raise TypeError(f"node {node.name!r} of op {node.op!r} has no accumulator")


def step(node: Node, *inputs: Frame) -> Frame:
    """One node's output frame from its input frames."""
    if isinstance(node, MaxPool):
        (frame,) = inputs
        height, width, sites = window_sites(node, frame)
        taps = window_taps(node, frame, sites)
        padded = np.concatenate([frame.features, np.full((1, frame.channels), np.iinfo(np.int64).min)])
        return Frame(height, width, sites, padded[taps].max(axis=0))
    if isinstance(node, Add):
        a, b = inputs
        if not np.array_equal(a.sites, b.sites):
            raise ValueError(f"graph node {node.name!r}: its two inputs have different active sites")
        total = requantize(a.features, node.a) + requantize(b.features, node.b)
        guard = node.dtype.guard_bits
        features = node.dtype.rounded(np.clip(total, node.lo << guard, node.hi << guard) << (1 - guard))
        return Frame(a.height, a.width, a.sites, features)
    if isinstance(node, Requantize):
        (frame,) = inputs
        return Frame(frame.height, frame.width, frame.sites, to_dtype(frame.features, node.requant, node.dtype))
    height, width, sites, acc = accumulate(node, inputs[0])
    return Frame(height, width, sites, to_dtype(acc, node.requant, node.dtype))  # type: ignore[attr-defined]


def run(graph: Graph, frame: Frame) -> dict[str, Frame]:
    """Every node's frame, keyed by node name, from the frame of the input node."""
    node = graph.input
    if (frame.height, frame.width, frame.channels) != node.shape:
        got = f"{frame.height}x{frame.width}x{frame.channels}"
        raise ValueError(f"graph {graph.name!r} takes frames of {node.shape}, not {got}")
    if not node.sparse and 0 < len(frame.sites) < frame.height * frame.width:
        sites = f"{len(frame.sites)} of {frame.height * frame.width}"
        raise ValueError(f"graph {graph.name!r} takes dense frames, not one with {sites} sites active")
    if not np.array_equal(node.dtype.nearest(frame.features), frame.features):
        raise ValueError(f"graph {graph.name!r} takes values of {node.dtype}; the frame has others")
    frames: dict[str, Frame] = {}
    for node in graph.nodes:
        frames[node.name] = frame if isinstance(node, Input) else step(node, *(frames[name] for name in node.inputs))
    return frames
