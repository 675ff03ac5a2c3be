"""How much each layer suffers from each format: what a network with that layer alone changed loses."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.data import Dataset
from models.plan import FloatPlan
from models.quant import measure_sensitivity, quantize


def test_sensitivity_is_what_one_layer_alone_costs(trained: FloatPlan, digits: Dataset) -> None:
    calls: list[tuple[str, int, int]] = []
    found = measure_sensitivity(trained, digits, ("int8", "int2"), progress=lambda *call: calls.append(call))
    assert set(found) == set(trained.quantizable_layers)
    assert all(layer["int8"] == 0.0 for layer in found.values())
    assert found["stem"]["int2"] > 0.05
    assert calls[-1] == ("sensitivity", 16, 16)
    x, y = torch.from_numpy(digits.train_x), torch.from_numpy(digits.train_y)
    usual = quantize(trained, digits, "int8", epochs=0)
    for layer in ("stem", "block2_conv1", "block2_add", "fc"):
        network = quantize(
            trained, digits, dict.fromkeys(trained.quantizable_layers, "int8") | {layer: "int2"}, epochs=0
        )
        after = False
        for part, same in zip(network.layers.values(), usual.layers.values(), strict=True):
            if after and hasattr(part, "bias"):
                part.bias.data.copy_(same.bias)
            after = after or part.layer.name == layer
        with torch.no_grad():
            losses = [float(nn.functional.cross_entropy(own.fake_logits(x).double(), y)) for own in (network, usual)]
        assert found[layer]["int2"] == pytest.approx(losses[0] - losses[1], rel=1e-5)
