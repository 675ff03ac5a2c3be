"""Backbones by their numbers: what is built, what is refused, and that it is what the integer graph computes."""

from __future__ import annotations

from fractions import Fraction

import pytest
from torch import nn

from models.frontend.trace import trace
from models.ir.node import Shape
from models.ir.ops.conv import Conv
from models.quant import quantize
from models.verify import compare_with_golden
from models.zoo import load_model
from models.zoo.parametric import Architecture, ArchitectureError
from tests.models.nets import random_data, randomized


@pytest.mark.parametrize(
    "spec", ["backbone:w0.5-d2.1-k3-e2", "backbone:w1.25-d1.16-k7-e1-i1", "backbone:w8-d1.1-k5-e16-i64-c101"]
)
def test_an_architecture_is_what_its_text_says(spec: str) -> None:
    assert str(Architecture.parse(spec)) == spec


def test_numbers_become_layers() -> None:
    model = load_model("backbone:w0.5-d2.1-k5-e3-i1-c4")
    convolutions = [m for m in model.modules() if isinstance(m, nn.Conv2d)]
    made = [(c.in_channels, c.out_channels, c.kernel_size[0], c.stride[0], c.groups) for c in convolutions]
    block = [(24, 24, 5, 2, 24), (24, 12, 1, 1, 1), (12, 36, 1, 1, 1), (36, 36, 5, 1, 36), (36, 12, 1, 1, 1)]
    last = [(12, 36, 1, 1, 1), (36, 36, 5, 2, 36), (36, 24, 1, 1, 1), (24, 32, 1, 1, 1)]
    assert made == [(1, 8, 3, 2, 1), (8, 24, 1, 1, 1), *block, *last]
    plan = trace(model.eval(), Shape(16, 16, 1), "net", sparse=True)
    assert plan[plan.output].shape == Shape(1, 1, 4)


def test_channels_can_be_folded() -> None:
    for width in (Fraction(1, 8), Fraction(3, 8), Fraction(5, 8), Fraction(11, 10)):
        for module in Architecture(width, (1, 1), 3, 1).build().modules():
            if isinstance(module, nn.Conv2d):
                assert module.out_channels >= 4
                assert module.out_channels % 4 == 0


def test_it_computes_what_its_integer_graph_does() -> None:
    data = random_data(2, 12, classes=10, sparse=True)
    network = quantize(randomized(load_model("backbone:w0.25-d2.1-k5-e2"), 0), data, "int4", epochs=0)
    graph = network.export()
    compare_with_golden(network, graph, data, 8)
    assert {node.kernel for node in graph.nodes if isinstance(node, Conv)} == {1, 3, 5}


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ("backbone:", r"'backbone:' is no architecture; one looks like 'backbone:w0\.5-d2\.1-k3-e2'"),
        ("backbone:w1-d2.1-k3", "is no architecture"),
        ("backbone:w0-d1.1-k3-e1", "width: 0 must be 1/8 to 8"),
        ("backbone:w1-d1-k3-e1", r"depths: \(1,\) must be 2 numbers of 1 to 16 blocks"),
        ("backbone:w1-d1.0-k3-e1", r"depths: \(1, 0\) must be"),
        ("backbone:w1-d1.1-k4-e1", "kernel: 4 must be one of 3, 5, 7"),
        ("backbone:w1-d1.1-k3-e17", "expansion: 17 must be 1 to 16"),
        ("backbone:w1-d1.1-k3-e1-i0", "inputs: 0 must be 1 to 64"),
        ("backbone:w1-d1.1-k3-e1-c1", "classes: 1 must be 2 or more"),
    ],
)
def test_what_cannot_be_is_named(spec: str, why: str) -> None:
    with pytest.raises(ArchitectureError, match=why):
        load_model(spec)
