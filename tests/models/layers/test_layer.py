"""What layers share: the clip of a result, and nodes that stand for the layers of a plan one by one."""

from __future__ import annotations

import pytest
import torch

from models.ir.node import Shape
from models.layers.clip import ClipLayer
from models.layers.layer import NO_CLIP
from tests.models.nets import quantized


def test_a_result_is_clipped_to_its_bounds() -> None:
    x = torch.tensor([-torch.inf, -1.0, 2.0, torch.inf])
    clips = [((-2.0, 1.0), [-2.0, -1.0, 1.0, 1.0]), ((0.0, torch.inf), [0.0, 0.0, 2.0, torch.inf])]
    for bounds, expected in [*clips, (NO_CLIP, x.tolist())]:
        layer = ClipLayer(name="clip", inputs=("x",), shape=Shape(1, 1, 4), clip=bounds)
        assert layer.clipped(x).tolist() == expected


@pytest.mark.parametrize("name", ["functional", "densely_connected", "pre_activation"])
def test_nodes_have_names_inputs_ops_and_shapes_of_their_layers(name: str) -> None:
    """The graph finds its shapes by itself."""
    network = quantized(name, "int4")
    graph = network.export()
    layers = [(layer.name, layer.inputs, layer.kind, layer.shape) for layer in network.plan.layers]
    assert [(node.name, node.inputs, node.op, graph.shapes[node.name]) for node in graph.nodes] == layers
