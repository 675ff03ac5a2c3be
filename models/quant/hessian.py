"""Sensitivity from curvature: the curvature of the loss along a layer, times the layer's squared quantization error.

This is HAWQ-V2's measure (Dong et al., arXiv 1911.03852): the mean eigenvalue of the Hessian, its trace over its size,
times the squared quantization error. Here it covers a layer's weights and its activations, and is halved, so that it
estimates the increase of the loss to second order about the float network. The trace is Hutchinson's estimate, the mean
of v·Hv over vectors v of random signs.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.data.dataset import Dataset
from models.layers.layer import WeightedLayer
from models.plan import FloatPlan
from models.quant.calibrate import Calibration
from models.quant.fake import fake_quantize
from models.quant.formats import FORMATS, check_format, resolve
from models.quant.network import QuantizedLayer, QuantizedNetwork
from models.sparse import SparseTensor
from models.train import Progress

IMAGES = 512
BATCH = 128
VECTORS = 16
"""Vectors per batch; each batch draws its own."""

Vectors = Callable[[Tensor], Iterable[Tensor]]


@dataclass(frozen=True)
class Traces:
    """Traces of the Hessian of the mean loss of some images, by layer.

    Parameters
        weight     trace with respect to a layer's weights
        output     trace with respect to a layer's output, without the network's result, whose format is fixed
    """

    weight: dict[str, float]
    output: dict[str, float]


def random_signs(count: int, generator: torch.Generator) -> Vectors:
    """A source of ``count`` vectors of random signs, with the shape of a given tensor."""

    def draw(like: Tensor) -> Iterator[Tensor]:
        for _ in range(count):
            yield (2 * torch.randint(0, 2, like.shape, generator=generator) - 1).to(like.dtype)

    return draw


def trace(gradient: Tensor, variable: Tensor, vectors: Iterable[Tensor]) -> float:
    """The mean of v·Hv over ``vectors``.

    Parameters
        gradient     gradient of a function, with its autograd graph
        variable     variable with respect to which H is its derivative
        vectors      vectors v
    """
    products = []
    for vector in vectors:
        (product,) = torch.autograd.grad(
            gradient, variable, vector, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        products.append(float((vector * product).sum(dtype=torch.float64)))
    return sum(products) / len(products)


def traces(plan: FloatPlan, x: Tensor, y: Tensor, vectors: Vectors) -> Traces:
    """Estimate the traces for the mean cross-entropy of some images.

    Parameters
        plan        float network
        x           images [n, C, H, W]
        y           their classes [n]
        vectors     source of random vectors
    """
    weights = {
        layer.name: layer.weight.detach().clone().requires_grad_()
        for layer in plan.layers
        if isinstance(layer, WeightedLayer)
    }
    layers = tuple(
        dataclasses.replace(layer, weight=weights[layer.name]) if isinstance(layer, WeightedLayer) else layer
        for layer in plan.layers
    )
    # layers before the first weights need a gradient too
    values = dataclasses.replace(plan, layers=layers).values(x.detach().clone().requires_grad_())
    outputs = {name: _numbers(values[name]) for name in plan.quantizable_layers if name != plan.output}
    variables = (*weights.values(), *outputs.values())
    loss = F.cross_entropy(values[plan.output].flatten(1), y)
    gradients = torch.autograd.grad(loss, variables, create_graph=True)
    estimates = [
        trace(gradient, variable, vectors(variable)) for gradient, variable in zip(gradients, variables, strict=True)
    ]
    return Traces(
        dict(zip(weights, estimates[: len(weights)], strict=True)),
        dict(zip(outputs, estimates[len(weights) :], strict=True)),
    )


def hessian_sensitivity(
    plan: FloatPlan,
    data: Dataset,
    formats: Sequence[str] = FORMATS,
    calibration: str | Calibration = "mse",
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, float]]:
    """Estimate from curvature how much the mean cross-entropy increases when one layer alone is quantized.

    The estimate uses ``IMAGES`` images, evenly spread over the training split. It is deterministic for one seed on one
    machine.

    Parameters
        plan            float network
        data            data set
        formats         formats to estimate
        calibration     method, or a calibration of the same plan
        seed            seed of the random vectors
        progress        called with what is done so far
    Returns             increase of the loss by layer and format
    """
    for name in formats:
        check_format(name)
    scales = Calibration(plan, data, calibration) if isinstance(calibration, str) else calibration
    parts = {name: _parts(plan, data, name, scales) for name in formats}
    indices = torch.linspace(0, len(data.train_x) - 1, min(IMAGES, len(data.train_x))).long()
    x, y = torch.from_numpy(data.train_x)[indices], torch.from_numpy(data.train_y)[indices].long()
    vectors = random_signs(VECTORS, torch.Generator().manual_seed(seed))
    result = {layer: dict.fromkeys(formats, 0.0) for layer in plan.quantizable_layers}
    starts = range(0, len(x), BATCH)
    for batch, start in enumerate(starts):
        if progress:
            progress("sensitivity", batch, len(starts))
        images, classes = x[start : start + BATCH], y[start : start + BATCH]
        curvature = traces(plan, images, classes, vectors)
        fraction = len(images) / len(x)
        with torch.no_grad():
            values = plan.values(images)
            for name in formats:
                for layer in plan.quantizable_layers:
                    part = parts[name][layer]
                    increase = curvature.weight.get(layer, 0.0) * _weight_error(part)
                    if layer != plan.output:
                        increase += curvature.output[layer] * _output_error(part, values)
                    result[layer][name] += fraction * increase / 2
    if progress:
        progress("sensitivity", len(starts), len(starts))
    return result


def _parts(plan: FloatPlan, data: Dataset, name: str, scales: Calibration) -> dict[str, QuantizedLayer]:
    return QuantizedNetwork(plan, resolve(plan, data.input_dtype, name), scales).layers


def _weight_error(part: QuantizedLayer) -> float:
    """Mean square, 0 for a layer without weights."""
    if not isinstance(part.layer, WeightedLayer):
        return 0.0
    return float((part.quantized_weight() - part.weight).double().square().mean())


def _output_error(part: QuantizedLayer, values: dict[str, Tensor]) -> float:
    """Mean square of a layer's quantization error, at active sites. It includes the rounding of an add's branches."""
    value = values[part.layer.name]
    if isinstance(part.layer, WeightedLayer):
        output = fake_quantize(value, part.log_scale.exp2(), part.dtype)
    else:
        output = part(*(values[name] for name in part.layer.inputs))
    error = (_numbers(output) - _numbers(value)).double().square()
    return float(error.mean()) if error.numel() else 0.0


def _numbers(x: Tensor) -> Tensor:
    return x.features if isinstance(x, SparseTensor) else x
