from __future__ import annotations

import pytest
import torch
from torch import nn

from models.data import Dataset, load
from models.evaluate import accuracy
from models.frontend.trace import trace
from models.plan import FloatPlan
from models.quant import measure_sensitivity, quantize
from models.quant.qat import NetworkError, relative_mse
from models.sparse import SparseTensor
from models.train import train
from models.zoo import load_model
from tests.models.nets import net


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="module")
def trained(digits: Dataset) -> FloatPlan:
    """digits_cnn after the standard recipe, at least 98 % right."""
    model = train(load_model("digits_cnn"), digits)
    assert accuracy(model, digits, "test").value >= 0.98
    return trace(model, digits.shape, "digits_cnn")


def float_accuracy(plan: FloatPlan, data: Dataset) -> float:
    with torch.no_grad():
        found = plan.logits(torch.from_numpy(data.test_x)).argmax(dim=1)
    return float((found == torch.from_numpy(data.test_y)).double().mean())


def test_int8_loses_half_a_point_at_most(trained: FloatPlan, digits: Dataset) -> None:
    network = quantize(trained, digits, "int8", epochs=2)
    assert not network.training
    assert accuracy(network, digits, "test").value >= float_accuracy(trained, digits) - 0.005


@pytest.mark.parametrize("form", ["int4", "dybit4"])
def test_four_bits_lose_two_points_at_most(trained: FloatPlan, digits: Dataset, form: str) -> None:
    network = quantize(trained, digits, form, epochs=3)
    assert accuracy(network, digits, "test").value >= float_accuracy(trained, digits) - 0.02


def test_training_recovers_what_two_bits_lose(trained: FloatPlan, digits: Dataset) -> None:
    before = accuracy(quantize(trained, digits, "int2", epochs=0), digits, "test").value
    after = accuracy(quantize(trained, digits, "int2", epochs=2), digits, "test").value
    # how much two bits lose depends on the processor's rounding of the float network: 17 points, or more
    lost = float_accuracy(trained, digits) - before
    assert lost > 0.05
    assert after - before > lost / 4


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


def test_noise_adds_up_relative_errors_of_layers_dense_and_sparse() -> None:
    real = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    ours = torch.tensor([3.0, 6.0]).view(1, 2, 1, 1)
    sparse, triple, none = (SparseTensor.from_dense(x) for x in (real, 3 * real, 0 * real))
    found = {"a": ours, "b": 0.5 * real, "c": triple, "d": none, "e": 0 * real, "f": ours}
    wanted = {"a": real, "b": real, "c": sparse, "d": none, "e": 0 * real, "f": 0 * real}
    assert float(relative_mse(found, wanted, ["a", "b", "c", "d", "e"])) == pytest.approx(4 / 25 + 1 / 4 + 4)


def test_training_is_deterministic_and_follows_its_seed() -> None:
    model, data = net("depthwise")
    state = torch.random.get_rng_state()
    calls: list[tuple[str, int, int]] = []
    runs = [
        quantize(model, data, "int4", epochs=2, seed=seed, progress=lambda *call: calls.append(call))
        for seed in (0, 0, 1)
    ]
    weights = [torch.cat([p.detach().flatten() for p in run.parameters()]) for run in runs]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert calls[:2] == [("quantize", 1, 2), ("quantize", 2, 2)]
    float_runs = [train(net("depthwise")[0], data, epochs=1, seed=seed) for seed in (0, 0, 1)]
    weights = [torch.cat([p.detach().flatten() for p in run.parameters()]) for run in float_runs]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_no_epochs_leave_the_weights_alone() -> None:
    model, data = net("pools")
    before = [p.clone() for p in model.parameters()]
    train(model, data, epochs=0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_outputs_must_be_one_a_class() -> None:
    model, data = net("kernel7")
    assert isinstance(model, nn.Sequential)
    with pytest.raises(NetworkError, match="network 'network' gives 1x1x4; data set 'random' needs 1x1x5"):
        quantize(model[:5].append(nn.AdaptiveAvgPool2d(1)), data, "int8", epochs=0)
