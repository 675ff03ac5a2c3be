from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from models.data import Dataset
from models.frontend.trace import trace
from models.layers.layer import WeightedLayer
from models.plan import FloatPlan
from models.quant.bias import correct_bias
from models.quant.calibrate import Calibration
from models.quant.formats import resolve
from models.quant.network import QuantizedLayer, QuantizedNetwork
from models.sparse import SparseTensor
from tests.models.nets import NETS, net, random_data


def sparse_net() -> tuple[nn.Module, Dataset]:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4),
        nn.Conv2d(4, 6, 1),
        nn.ReLU6(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 5),
    )
    return model.eval(), random_data(2, 8, sparse=True)


def columns(x: Tensor) -> Tensor:
    """float64 [n, c]: the values of each channel, of a sparse tensor at active sites."""
    return (x.features if isinstance(x, SparseTensor) else x.permute(0, 2, 3, 1).flatten(0, 2)).detach().double()


def shifts(network: QuantizedNetwork, plan: FloatPlan, x: Tensor) -> dict[str, float]:
    """Of every layer with weights, the largest shift of a channel's mean before any clip, over the float deviation."""
    found, quantized = {}, {}
    real = plan.values(x)
    for part in network.parts:
        assert isinstance(part, QuantizedLayer)
        layer = part.layer
        inputs = [quantized[name] for name in layer.inputs] or [x]
        if isinstance(layer, WeightedLayer):
            ours = columns(layer.weigh(inputs[0], part.quantized_weight(), part.bias))
            wanted = columns(layer.compute(real[layer.inputs[0]]))
            found[layer.name] = float((ours.mean(dim=0) - wanted.mean(dim=0)).abs().max() / wanted.std())
        quantized[layer.name] = part(*inputs)
    return found


@pytest.mark.parametrize("form", ["int4", "dybit4", "dybit2xint8"])
@pytest.mark.parametrize("name", [*NETS, "sparse"])
def test_no_channel_is_left_with_a_shift_of_its_mean(name: str, form: str) -> None:
    model, data = sparse_net() if name == "sparse" else net(name)
    plan = trace(model, data.shape, name, data.sparse)
    scales = Calibration(plan, data)
    network = QuantizedNetwork(plan, resolve(plan, data.input_dtype, form), scales)
    x = torch.from_numpy(data.train_x)
    before = shifts(network, plan, x)
    correct_bias(network, scales)
    after = shifts(network, plan, x)
    assert max(before.values()) > 1e-2
    # what float32 leaves of a mean
    assert max(after.values()) < 1e-5


def test_only_biases_change() -> None:
    model, data = net("pools")
    plan = trace(model, data.shape)
    scales = Calibration(plan, data)
    network = QuantizedNetwork(plan, resolve(plan, data.input_dtype, "int3"), scales)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    correct_bias(network, scales)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {name for name in before if name.endswith(".bias")}
