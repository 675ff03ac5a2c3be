from __future__ import annotations

import pytest
import torch
from torch import nn

from models.data import Dataset
from models.evaluate import accuracy
from models.plan import FloatPlan
from models.quant import quantize
from models.quant.qat import NetworkError, relative_mse
from models.sparse import SparseTensor
from tests.models.nets import net


def float_accuracy(plan: FloatPlan, data: Dataset) -> float:
    with torch.no_grad():
        found = plan.logits(torch.from_numpy(data.test_x)).argmax(dim=1)
    return float((found == torch.from_numpy(data.test_y)).double().mean())


@pytest.mark.whole
def test_int8_loses_half_a_point_at_most(trained: FloatPlan, digits: Dataset) -> None:
    network = quantize(trained, digits, "int8", epochs=2)
    assert not network.training
    assert accuracy(network, digits, "test").value >= float_accuracy(trained, digits) - 0.005


@pytest.mark.few(1)
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


def test_outputs_must_be_one_a_class() -> None:
    model, data = net("kernel7")
    assert isinstance(model, nn.Sequential)
    with pytest.raises(NetworkError, match="network 'network' gives 1x1x4; data set 'random' needs 1x1x5"):
        quantize(model[:5].append(nn.AdaptiveAvgPool2d(1)), data, "int8", epochs=0)
