from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend.trace import trace as trace_network
from models.layers.input import InputLayer
from models.layers.layer import ClippedLayer, WeightedLayer
from models.plan import FloatPlan
from models.quant.calibrate import Calibration
from models.quant.fake import fake_quantize
from models.quant.formats import resolve
from models.quant.hessian import VECTORS, hessian_sensitivity, random_signs, trace, traces
from models.sparse import SparseTensor, images
from tests.models.nets import CLASSES, random_data


class Tiny(nn.Module):
    """Full, depthwise and pointwise convolutions, a residual add, and both kinds of mean and maximum."""

    def __init__(self) -> None:
        super().__init__()
        self.full = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        self.depthwise = nn.Conv2d(3, 3, 3, padding=1, groups=3)
        self.pointwise = nn.Conv2d(3, 3, 1)
        self.largest = nn.MaxPool2d(2)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(3, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.full(x))
        x = F.relu(x + self.pointwise(F.relu6(self.depthwise(x))))
        return self.fc(self.pool(self.largest(x)).flatten(1))


def tiny(sparse: bool) -> tuple[FloatPlan, Tensor, Tensor]:
    """In float64, with three images."""
    torch.manual_seed(0)
    data = random_data(2, 6, sparse=sparse)
    plan = trace_network(Tiny().eval(), data.shape, "tiny", sparse).to(torch.float64)
    chosen = [0, 2, 4]
    return plan, torch.from_numpy(data.train_x)[chosen].double(), torch.from_numpy(data.train_y)[chosen]


def basis(like: Tensor) -> Iterator[Tensor]:
    """Orthogonal, of the length that sign vectors have: the mean of v·Hv over them is the trace."""
    n = like.numel()
    yield from (math.sqrt(n) * torch.eye(n, dtype=like.dtype)).view(n, *like.shape)


def loss_after(plan: FloatPlan, x: Tensor, y: Tensor, name: str, weight: Tensor | None, move: Tensor | None) -> Tensor:
    """With another weight in a layer, or its output moved."""
    values: dict[str, Tensor] = {}
    for layer in plan.layers:
        if isinstance(layer, InputLayer):
            values[layer.name] = images(x, layer.sparse)
            continue
        if layer.name == name and weight is not None:
            assert isinstance(layer, WeightedLayer)
            layer = dataclasses.replace(layer, weight=weight)
        value = layer.compute(*(values[source] for source in layer.inputs))
        if isinstance(layer, ClippedLayer):
            value = value.clamp(*layer.clip)
        if layer.name == name and move is not None:
            value = (
                SparseTensor(value.features + move, value.sites) if isinstance(value, SparseTensor) else value + move
            )
        values[layer.name] = value
    return F.cross_entropy(values[plan.output].flatten(1), y)


def diagonal_sum(hessian: Tensor) -> float:
    n = math.isqrt(hessian.numel())
    return float(hessian.reshape(n, n).trace())


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_traces_are_those_of_the_whole_hessian(sparse: bool) -> None:
    plan, x, y = tiny(sparse)
    found = traces(plan, x, y, basis)
    assert set(found.weight) == {"full", "depthwise", "pointwise", "fc"}
    assert set(found.output) == set(plan.quantizable_layers) - {"fc"}
    hessian = torch.autograd.functional.hessian
    for name, value in found.weight.items():
        layer = plan[name]
        assert isinstance(layer, WeightedLayer)
        wanted = hessian(lambda w, name=name: loss_after(plan, x, y, name, w, None), layer.weight)
        assert value == pytest.approx(diagonal_sum(wanted), rel=1e-9)
        assert value > 0
    values = plan.values(x)
    for name, value in found.output.items():
        own = values[name]
        still = torch.zeros_like(own.features if isinstance(own, SparseTensor) else own)
        wanted = hessian(lambda move, name=name: loss_after(plan, x, y, name, None, move), still)
        assert value == pytest.approx(diagonal_sum(wanted), rel=1e-9)


def quadratic(n: int) -> tuple[Tensor, Tensor, Tensor]:
    """A symmetric matrix of integers, where its quadratic form is asked of, and the gradient there."""
    generator = torch.Generator().manual_seed(1)
    half = torch.randint(-9, 10, (n, n), generator=generator).double()
    matrix = half + half.t()
    x = torch.arange(n).double().requires_grad_()
    (gradient,) = torch.autograd.grad(x @ matrix @ x / 2, x, create_graph=True)
    return matrix, x, gradient


def test_all_sign_vectors_give_the_trace_of_a_quadratic() -> None:
    matrix, x, gradient = quadratic(8)
    every = [torch.tensor(v).double() for v in itertools.product((-1.0, 1.0), repeat=8)]
    assert trace(gradient, x, every) == float(matrix.trace())


def test_random_sign_vectors_come_as_near_as_their_variance_says() -> None:
    matrix, x, gradient = quadratic(12)
    generator, count = torch.Generator().manual_seed(2), 1000
    # of v·Hv: twice the squares of H's entries beside its diagonal
    variance = 2 * float((matrix - matrix.diag().diag()).square().sum())
    single = torch.tensor([trace(gradient, x, random_signs(1, generator)(x)) for _ in range(count)]).double()
    assert abs(float(single.mean()) - float(matrix.trace())) < 3 * math.sqrt(variance / count)
    assert float(single.var()) == pytest.approx(variance, rel=0.2)
    assert set(torch.cat(list(random_signs(20, generator)(x))).tolist()) == {-1.0, 1.0}


@pytest.mark.parametrize("sparse", [False, True], ids=["dense", "sparse"])
def test_sensitivity_is_half_the_trace_times_the_mean_squared_error(sparse: bool) -> None:
    data = random_data(2, 6, sparse=sparse)
    torch.manual_seed(0)
    plan = trace_network(Tiny().eval(), data.shape, "tiny", sparse)
    calls: list[tuple[str, int, int]] = []
    found = hessian_sensitivity(plan, data, ("int8", "int3"), progress=lambda *call: calls.append(call))
    assert calls == [("sensitivity", 0, 1), ("sensitivity", 1, 1)]
    assert list(found) == list(plan.quantizable_layers)

    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    curves = traces(plan, x, y, random_signs(VECTORS, torch.Generator().manual_seed(0)))
    scales, formats = Calibration(plan, data), resolve(plan, data.input_dtype, "int3")
    layer = plan["depthwise"]
    assert isinstance(layer, WeightedLayer)
    scale = scales.weight("depthwise", formats.weight["depthwise"]).float().view(-1, 1, 1, 1)
    of_weight = float((fake_quantize(layer.weight, scale, formats.weight["depthwise"]) - layer.weight).square().mean())
    value = plan.values(x)["depthwise"]
    value = value.features if isinstance(value, SparseTensor) else value
    one = torch.tensor(scales.activation("depthwise", formats.output["depthwise"]))
    of_output = float((fake_quantize(value, one, formats.output["depthwise"]) - value).square().mean())
    wanted = (curves.weight["depthwise"] * of_weight + curves.output["depthwise"] * of_output) / 2
    assert found["depthwise"]["int3"] == pytest.approx(wanted, rel=1e-4)
    assert all(layer["int8"] < layer["int3"] for layer in found.values())
    assert hessian_sensitivity(plan, data, ("int8", "int3")) == found
