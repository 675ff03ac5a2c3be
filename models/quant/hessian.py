"""Sensitivity from curvature: how much the loss bends along a layer, times how far a format moves the layer.

HAWQ-V2's measure (Dong et al., arXiv 1911.03852): the mean of the Hessian's eigenvalues, which is its trace over its
size, times the squared quantization error; here of a layer's weights and of its activations alike, and halved, so that
it estimates what the loss increases by, to second order about the float network. The trace is Hutchinson's estimate:
the mean of v·Hv over vectors v of random signs.
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
"""For each batch, whose vectors are its own."""

Vectors = Callable[[Tensor], Iterable[Tensor]]


@dataclass(frozen=True)
class Traces:
    """By layer, the trace of the Hessian of the mean loss: in its ``weight``, and in its ``output`` for these images.

    ``output`` leaves out the network's result, whose format is fixed.
    """

    weight: dict[str, float]
    output: dict[str, float]


def signs(count: int, generator: torch.Generator) -> Vectors:
    """``count`` vectors of random signs for each tensor that they are asked for."""

    def draw(like: Tensor) -> Iterator[Tensor]:
        for _ in range(count):
            yield (2 * torch.randint(0, 2, like.shape, generator=generator) - 1).to(like.dtype)

    return draw


def trace(gradient: Tensor, variable: Tensor, vectors: Iterable[Tensor]) -> float:
    """The mean of v·Hv over ``vectors``, H the derivative by ``variable`` of ``gradient``, which has a graph."""
    products = []
    for vector in vectors:
        (product,) = torch.autograd.grad(
            gradient, variable, vector, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        products.append(float((vector * product).sum(dtype=torch.float64)))
    return sum(products) / len(products)


def traces(plan: FloatPlan, x: Tensor, y: Tensor, vectors: Vectors) -> Traces:
    """For the mean cross-entropy of images ``x`` [n, C, H, W] of classes ``y`` [n]."""
    weights = {
        layer.name: layer.weight.detach().clone().requires_grad_()
        for layer in plan.layers
        if isinstance(layer, WeightedLayer)
    }
    layers = tuple(
        dataclasses.replace(layer, weight=weights[layer.name]) if isinstance(layer, WeightedLayer) else layer
        for layer in plan.layers
    )
    # what comes before the first weights has a gradient too
    values = dataclasses.replace(plan, layers=layers).values(x.detach().clone().requires_grad_())
    outputs = {name: _numbers(values[name]) for name in plan.quantizable_layers if name != plan.output}
    variables = (*weights.values(), *outputs.values())
    loss = F.cross_entropy(values[plan.output].flatten(1), y)
    gradients = torch.autograd.grad(loss, variables, create_graph=True)
    found = [
        trace(gradient, variable, vectors(variable)) for gradient, variable in zip(gradients, variables, strict=True)
    ]
    return Traces(
        dict(zip(weights, found[: len(weights)], strict=True)), dict(zip(outputs, found[len(weights) :], strict=True))
    )


def hessian_sensitivity(
    plan: FloatPlan,
    data: Dataset,
    formats: Sequence[str] = FORMATS,
    calibration: str | Calibration = "mse",
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, dict[str, float]]:
    """By layer and format, what curvature lets expect the mean cross-entropy to increase by, from that layer alone.

    From ``IMAGES`` images, evenly spread over the training split. Deterministic for one seed on one machine.
    """
    for name in formats:
        check_format(name)
    scales = Calibration(plan, data, calibration) if isinstance(calibration, str) else calibration
    parts = {name: _parts(plan, data, name, scales) for name in formats}
    chosen = torch.linspace(0, len(data.train_x) - 1, min(IMAGES, len(data.train_x))).long()
    x, y = torch.from_numpy(data.train_x)[chosen], torch.from_numpy(data.train_y)[chosen].long()
    vectors = signs(VECTORS, torch.Generator().manual_seed(seed))
    result = {layer: dict.fromkeys(formats, 0.0) for layer in plan.quantizable_layers}
    starts = range(0, len(x), BATCH)
    for done, start in enumerate(starts):
        if progress:
            progress("sensitivity", done, len(starts))
        images, classes = x[start : start + BATCH], y[start : start + BATCH]
        found = traces(plan, images, classes, vectors)
        share = len(images) / len(x)
        with torch.no_grad():
            values = plan.values(images)
            for name in formats:
                for layer in plan.quantizable_layers:
                    part = parts[name][layer]
                    moved = found.weight.get(layer, 0.0) * _weight_error(part)
                    if layer != plan.output:
                        moved += found.output[layer] * _output_error(part, values)
                    result[layer][name] += share * moved / 2
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
    """Mean square over all images and, of sparse ones, active sites; of an add, its branches' rounding included."""
    value = values[part.layer.name]
    if isinstance(part.layer, WeightedLayer):
        found = fake_quantize(value, part.log_scale.exp2(), part.dtype)
    else:
        found = part(*(values[name] for name in part.layer.inputs))
    error = (_numbers(found) - _numbers(value)).double().square()
    return float(error.mean()) if error.numel() else 0.0


def _numbers(x: Tensor) -> Tensor:
    return x.features if isinstance(x, SparseTensor) else x
