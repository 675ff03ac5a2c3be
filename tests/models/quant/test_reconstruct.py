from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor

from models.frontend.trace import trace
from models.ir.dtype import DType
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.layers.layer import WeightedLayer
from models.plan import FloatPlan
from models.quant import quantize
from models.quant.bias import correct_bias
from models.quant.calibrate import Calibration
from models.quant.formats import resolve
from models.quant.network import QuantizedLayer, QuantizedNetwork
from models.quant.reconstruct import Moments, choose_rounding, moments, reconstruct
from models.verify import compare_with_golden
from tests.models.nets import NETS, net
from tests.models.quant.test_bias import columns, shifts, sparse_net

FORMS = ("int4", "dybit4", "dybit3xint8")


def made(name: str, form: str) -> tuple[QuantizedNetwork, Calibration, FloatPlan, Tensor]:
    model, data = sparse_net() if name == "sparse" else net(name)
    plan = trace(model, data.shape, name, data.sparse)
    scales = Calibration(plan, data)
    network = QuantizedNetwork(plan, resolve(plan, data.input_dtype, form), scales)
    correct_bias(network, scales)
    return network, scales, plan, scales.images


def outputs(part: QuantizedLayer, x: Tensor) -> Tensor:
    """float64, before any clip."""
    assert isinstance(part.layer, WeightedLayer)
    with torch.no_grad():
        return columns(part.layer.weigh(x, part.quantized_weight(), part.bias))


@pytest.mark.few(10)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [*NETS, "sparse"])
def test_every_layer_comes_nearer_to_the_float_one_than_by_nearest_rounding(name: str, form: str) -> None:
    plain, *_ = made(name, form)
    network, scales, plan, x = made(name, form)
    reconstruct(network, scales, 2)
    real, found = plan.values(x), {}
    gains = []
    for part, before in zip(network.parts, plain.parts, strict=True):
        assert isinstance(part, QuantizedLayer)
        assert isinstance(before, QuantizedLayer)
        layer = part.layer
        inputs = [found[name] for name in layer.inputs] or [x]
        if isinstance(layer, WeightedLayer):
            wanted = columns(layer.compute(real[layer.inputs[0]]))
            # the weights that nearest rounding has, with the bias that is best for them on these very inputs
            with torch.no_grad():
                nearest = columns(layer.weigh(inputs[0], before.quantized_weight(), None))
            nearest = nearest - nearest.mean(dim=0) + wanted.mean(dim=0)
            errors = [float((y - wanted).square().sum()) for y in (outputs(part, inputs[0]), nearest)]
            dust = 1e-9 * float(wanted.square().sum())
            assert errors[0] <= errors[1] + dust
            gains.append((errors[0] + dust) / (errors[1] + dust))
        with torch.no_grad():
            found[layer.name] = part(*inputs)
    assert min(gains) < 0.97
    assert max(shifts(network, plan, x).values()) < 1e-5


@pytest.mark.few(10)
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", [*NETS, "sparse"])
def test_weights_stay_beside_what_they_were(name: str, form: str) -> None:
    plain, *_ = made(name, form)
    network, scales, *_ = made(name, form)
    reconstruct(network, scales, 2)
    moved = 0
    for part, before in zip(network.parts, plain.parts, strict=True):
        assert isinstance(part, QuantizedLayer)
        assert isinstance(before, QuantizedLayer)
        if not isinstance(part.layer, WeightedLayer):
            continue
        assert torch.equal(part.log_weight_scale, before.log_weight_scale)
        assert part.weight_dtype is not None
        scale = part.log_weight_scale.detach().exp2().view(-1, *[1] * (part.weight.dim() - 1))
        chosen, old = ((w.quantized_weight() / scale).round().long() for w in (part, before))
        grid = part.weight_dtype.values().tolist()
        places = [torch.tensor([grid.index(v) for v in steps.flatten().tolist()]) for steps in (chosen, old)]
        assert int((places[0] - places[1]).abs().max()) <= 1
        flipped = (chosen != old).flatten()
        # a weight whose rounding did not change is left as it was, for a training to come
        assert torch.equal(part.weight.flatten()[~flipped], before.weight.flatten()[~flipped])
        moved += int(flipped.sum())
    assert moved > 0


@pytest.mark.parametrize("dtype", [IntType(3), DyBitType(3), DyBitType(4)], ids=str)
def test_of_few_weights_no_other_rounding_of_one_is_better_and_few_of_all_are(dtype: DType) -> None:
    generator = torch.Generator().manual_seed(0)
    n, channels = 6, 8
    x = torch.randn(200, n, generator=generator, dtype=torch.float64)
    x = (x + x @ torch.randn(n, n, generator=generator, dtype=torch.float64)).relu()
    weight = torch.randn(channels, n, generator=generator, dtype=torch.float64) * dtype.max / 3
    x0 = x - x.mean(dim=0)
    covariance = (x0.T @ x0)[None] / len(x)
    known = Moments(covariance, weight @ covariance[0], x.mean(dim=0)[None], weight @ x.mean(dim=0))
    chosen = choose_rounding(weight, dtype, known, 10)

    def error(steps: Tensor) -> float:
        return float((x0 @ (steps - weight[channel])).square().sum())

    ours, least, nearest = 0.0, 0.0, 0.0
    grid = dtype.values().tolist()
    for channel in range(channels):
        beside = []
        for value in weight[channel].tolist():
            below, above = [v for v in grid if v <= value], [v for v in grid if v >= value]
            beside.append((below or above)[-1:] + (above or below)[:1])
        choices = [torch.tensor(c, dtype=torch.float64) for c in itertools.product(*beside)]
        assert any(torch.equal(chosen[channel], choice) for choice in choices)
        closest = [
            min(pair, key=lambda v, w=w: abs(v - w)) for pair, w in zip(beside, weight[channel].tolist(), strict=True)
        ]
        own = error(chosen[channel])
        for choice in choices:
            assert int((choice != chosen[channel]).sum()) != 1 or error(choice) >= own
        ours += own
        least += min(map(error, choices))
        nearest += error(torch.tensor(closest, dtype=torch.float64))
    assert least <= ours < (least + nearest) / 2


@pytest.mark.parametrize("name", ["digits_cnn", "depthwise", "sparse"])
def test_moments_are_those_of_all_inputs_and_outputs(name: str) -> None:
    _, _, plan, x = made(name, "int8")
    values = plan.values(x)
    for layer in plan.layers:
        if not isinstance(layer, WeightedLayer):
            continue
        inputs = values[layer.inputs[0]]
        found = moments(layer, [inputs], [inputs])
        y = columns(layer.compute(inputs))
        torch.testing.assert_close(found.outputs, y.mean(dim=0), rtol=1e-4, atol=1e-5)
        # the variance of what the float weights give follows from the inputs' covariance alone
        weight = layer.weight.detach().flatten(1).double()
        variance = ((weight[:, None, :] @ found.covariance)[:, 0] * weight).sum(dim=1)
        torch.testing.assert_close(variance, y.var(dim=0, correction=0), rtol=1e-3, atol=1e-5)
        torch.testing.assert_close((found.cross * weight).sum(dim=1), variance, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("form", ["int4", "dybit4"])
@pytest.mark.parametrize("name", ["digits_cnn", "depthwise", "pre_activation"])
def test_integers_equal_golden_after_reconstruction(name: str, form: str) -> None:
    model, data = net(name)
    network = quantize(model, data, form, epochs=0, reconstruction=2)
    compare_with_golden(network, network.export(), data, 4)
    plain = quantize(model, data, form, epochs=0)
    assert any(not torch.equal(a, b) for a, b in zip(network.parameters(), plain.parameters(), strict=True))
