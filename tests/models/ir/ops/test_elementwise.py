"""Nodes that take one site at a time: no site's output depends on another."""

from __future__ import annotations

import numpy as np
import pytest

from models.ir.frame import Frame
from models.ir.node import Node, Shape
from models.ir.ops.add import Add
from models.ir.ops.concat import Concat
from models.ir.ops.elementwise import ElementwiseNode
from models.ir.ops.lookup import Lookup
from models.ir.ops.registry import NODES
from models.ir.ops.requantize import Requantize
from models.ir.requant import Requant
from tests.models.ir.builders import UINT8, random_frame

RULE = Requant.identity(2, 0, 255)
OPS: list[Node] = [
    Add(name="op", inputs=(), dtype=UINT8, a=RULE, b=RULE, lo=0, hi=255),
    Concat(name="op", inputs=(), dtype=UINT8, requant=Requant.identity(4, 0, 255)),
    Lookup(name="op", inputs=(), dtype=UINT8, source=UINT8, table=np.arange(255, -1, -1)[None]),
    Requantize(name="op", inputs=(), dtype=UINT8, requant=RULE),
]


def test_these_are_all_of_them() -> None:
    assert {type(node) for node in OPS} == {kind for kind in NODES.values() if issubclass(kind, ElementwiseNode)}


@pytest.mark.parametrize("node", OPS, ids=lambda node: node.op)
def test_an_output_follows_its_own_site_alone(node: Node) -> None:
    rng = np.random.default_rng(0)
    frame = random_frame(rng, Shape(3, 4, 2), UINT8, 0.6)
    inputs = [frame.with_features(rng.integers(0, 100, frame.features.shape)) for _ in range(node.arity)]
    before = node.compute(*inputs)
    assert before.sites.tolist() == frame.sites.tolist()
    for number, own in enumerate(inputs):
        for site in range(len(frame.sites)):
            features = own.features.copy()
            features[site] += 1
            changed: list[Frame] = [*inputs]
            changed[number] = own.with_features(features)
            differ = (node.compute(*changed).features != before.features).any(axis=1)
            assert np.flatnonzero(differ).tolist() == [site]
