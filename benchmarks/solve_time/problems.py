"""The problems on which the solver is measured: published networks and chains of blocks, on the devices they are for.

Sparse networks have the activity of frames cut from 3ET+ to the published share of active sites. No cycle depends on
weights, which are random where none are at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from benchmarks.esda_designs import eye_grids
from benchmarks.inputs.data import DATA
from benchmarks.inputs.nets import Builder
from dse.candidates import Table
from dse.problem import Problem
from hw.fpga.device import Device, Resources
from hw.fpga.families.registry import DEVICES
from models import data
from models.data.dataset import Dataset
from models.data.eye_tracking import SCALE
from models.frontend.esda_network import load_esda
from models.ir.activity import with_activity
from models.ir.formats.integer import IntType
from models.ir.graph import Graph
from models.ir.ops.conv import Conv
from models.ir.ops.linear import Linear
from models.quant import quantize
from models.zoo import load_model
from models.zoo.published import PUBLISHED

STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""MobileNetV2's expansion, channels, blocks and stride (arXiv 1801.04381)."""


def part(device: Device, share: float) -> Resources:
    return Resources(*(int(share * getattr(device, kind)) for kind in Resources.names()))


@cache
def table(name: str) -> Table:
    """Every folding, memory and multiplier of a network's ops in int8: of a name in ``NETWORKS``."""
    device, graph = NETWORKS[name]
    return Table({"int8": graph()}, DEVICES[device])


def problem(name: str, share: float) -> Problem:
    """A network within a share of its device."""
    return table(name).problem(part(DEVICES[NETWORKS[name][0]], share))


def see(name: str) -> Graph:
    """SEE-A and SEE-D as published, SEE-B and SEE-C of the published shape."""
    grids = eye_grids()
    masks = [(grid != 0).any(axis=0) for grid in grids]
    golden = DATA / "esda_golden" / f"{name}.json"
    if golden.is_file():
        graph, _ = load_esda(golden)
    else:
        pixels, none = (grids * SCALE).astype(np.float32), np.zeros(len(grids), np.int64)
        shape = PUBLISHED[name.lower().replace("-", "_")]
        images = Dataset(name, pixels, none, pixels, none, pixels, none, shape.head, IntType(8), SCALE, sparse=True)
        graph = quantize(shape.build(), images, "int8", epochs=0).export()
    return with_activity(graph, masks)


def resnet20() -> Graph:
    images = data.load(f"cifar10:{DATA / 'cifar10'}")
    return quantize(load_model("resnet20"), images, "int8", epochs=0).export()


def mobilenet_v2(side: int = 224) -> Graph:
    net = Builder(np.random.default_rng(0), (side, side, 3), IntType(8))
    net.conv(32, 3, "int8", stride=2)
    channels = 32
    for expansion, out, blocks, stride in STAGES:
        for block in range(blocks):
            _inverted_residual(net, channels, out, expansion, 1 if block else stride)
            channels = out
    net.conv(1280, 1, "int8")
    net.global_pool("int8")
    return net.linear(1000, "int8")


def chain(blocks: int) -> Graph:
    """A stem, so many blocks of 16 channels at 32 x 32, pooling and a linear layer: four ops a block and three more."""
    net = Builder(np.random.default_rng(0), (32, 32, 2), IntType(8))
    net.conv(16, 3, "int8")
    for _ in range(blocks):
        _inverted_residual(net, 16, 16, 3, 1)
    net.global_pool("int8")
    return net.linear(10, "int8")


def _inverted_residual(net: Builder, channels: int, out: int, expansion: int, stride: int) -> None:
    entering = net.last
    if expansion > 1:
        net.conv(expansion * channels, 1, "int8")
    net.conv(expansion * channels, 3, "int8", stride=stride, depthwise=True)
    leaving = net.conv(out, 1, "int8")
    if stride == 1 and channels == out:
        net.add(leaving, entering, "int8")


def of_int4_weights(graph: Graph) -> tuple[Graph, dict[str, float]]:
    """With weights rounded to 4 bits, and each layer's squared error as a share of the squares of all weights."""
    nodes, errors = [], {}
    for node in graph.nodes:
        if isinstance(node, Conv | Linear):
            rounded = np.clip(np.rint(node.weight / 16), -8, 7).astype(np.int64)
            errors[node.name] = float(((node.weight - 16.0 * rounded) ** 2).sum())
            node = replace(node, weight=rounded, weight_dtype=IntType(4))
        nodes.append(node)
    squares = sum(float((n.weight**2.0).sum()) for n in graph.nodes if isinstance(n, Conv | Linear))
    return graph.replace(nodes=tuple(nodes)), {name: error / squares for name, error in errors.items()}


NETWORKS: dict[str, tuple[str, Callable[[], Graph]]] = {
    **{name: ("zcu102", lambda name=name: see(name)) for name in ("SEE-A", "SEE-B", "SEE-C", "SEE-D")},
    "MobileNetV2": ("zcu102", mobilenet_v2),
    "ResNet-20": ("zu3eg", resnet20),
}
"""The device of each, and its graph."""
