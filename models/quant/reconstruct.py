"""Layer-wise reconstruction: weights are rounded up or down so that the outputs of their layer change least.

The nearest value is best for a weight alone, but a layer adds products, and its inputs are quantized too (Nagel et al.,
arXiv 2004.10568, learn the choice by gradients). Before any clip the squared error of a channel's outputs is a
quadratic form in the channel's weights, whose matrix is the covariance of the layer's inputs. Coordinate descent makes
it smaller, one weight of all channels at a time: the best real value of a weight follows from the other weights, and
the weight becomes the nearer one of the format's two values beside the original weight. No step increases the error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from models.ir.dtype import DType
from models.layers.layer import ClippedLayer, WeightedLayer
from models.quant.calibrate import Calibration
from models.quant.fake import clip
from models.quant.network import QuantizedLayer, QuantizedNetwork
from models.rounding import nearest_value
from models.sparse import SparseTensor

BATCH = 64


@dataclass(frozen=True)
class Moments:
    """First and second moments of a layer's inputs and of its target outputs over images and sites, in float64.

    ``n`` is the number of inputs to a channel. ``g`` is 1, or the number of channels of a layer with groups.

    Parameters
        covariance     [g, n, n], covariance of the inputs
        cross          [c_out, n], covariance of outputs and inputs
        inputs         [g, n], mean of the inputs
        outputs        [c_out], mean of the outputs
    """

    covariance: Tensor
    cross: Tensor
    inputs: Tensor
    outputs: Tensor


@torch.no_grad()
def reconstruct(network: QuantizedNetwork, calibration: Calibration, steps: int) -> None:
    """Choose the rounding of all weights, and their biases, so that outputs before any clip match the float network.

    Layers are treated in order, so that each compensates the errors of those before it. A weight that is not rounded to
    its nearest value becomes the value that it is rounded to.

    Parameters
        network         quantized network, changed in place
        calibration     calibration whose images are used
        steps           passes over the weights of each layer
    """
    batches = calibration.images.split(BATCH)
    real: list[dict[str, Tensor]] = [{} for _ in batches]
    quantized: list[dict[str, Tensor]] = [{} for _ in batches]
    consumers = {layer.name: len(network.plan.consumers(layer.name)) for layer in network.plan.layers}
    for part in network.layers.values():
        layer = part.layer
        if isinstance(layer, WeightedLayer):
            (source,) = layer.inputs
            _fit(part, layer, moments(layer, [x[source] for x in quantized], [x[source] for x in real]), steps)
        for images, values, targets in zip(batches, quantized, real, strict=True):
            if not layer.inputs:
                values[layer.name] = targets[layer.name] = part(images)
                continue
            values[layer.name] = part(*(values[name] for name in layer.inputs))
            value = layer.compute(*(targets[name] for name in layer.inputs))
            targets[layer.name] = clip(value, *layer.clip) if isinstance(layer, ClippedLayer) else value
        for name in layer.inputs:
            consumers[name] -= 1
            if not consumers[name]:
                for values in (*real, *quantized):
                    del values[name]


def moments(layer: WeightedLayer, quantized: Sequence[Tensor], real: Sequence[Tensor]) -> Moments:
    """Moments of a layer's quantized inputs and of its float outputs.

    Parameters
        layer            float layer
        quantized        batches of inputs in the quantized network
        real             batches of inputs in the float network
    """
    count, covariance, cross, inputs, outputs = 0, *(torch.zeros((), dtype=torch.float64) for _ in range(4))
    for source, real_source in zip(quantized, real, strict=True):
        x, y = layer.unfold(source), _channels(layer.compute(real_source))
        count += x.shape[1]
        covariance = covariance + (x.mT @ x).double()
        cross = cross + (y.t().view(len(x), -1, x.shape[1]) @ x).double().flatten(0, 1)
        inputs = inputs + x.sum(dim=1).double()
        outputs = outputs + y.sum(dim=0).double()
    if 1 < len(inputs) < len(outputs):
        shares = len(outputs) // len(inputs)
        covariance, inputs = covariance.repeat_interleave(shares, dim=0), inputs.repeat_interleave(shares, dim=0)
    count = max(count, 1)
    inputs, outputs = inputs / count, outputs / count
    return Moments(
        covariance / count - inputs[:, :, None] * inputs[:, None, :],
        cross / count - outputs[:, None] * inputs,
        inputs,
        outputs,
    )


def choose_rounding(weight: Tensor, dtype: DType, statistics: Moments, steps: int) -> Tensor:
    """Round each weight to one of the two values beside it, or to the last value where it lies beyond.

    Parameters
        weight         [c_out, n], in steps of its scale
        dtype          format of the weights
        statistics     moments, in the same steps
        steps          passes over the weights
    Returns            decoded values [c_out, n]
    """
    values = torch.from_numpy(dtype.values()).double()
    above = torch.bucketize(weight, values).clamp(max=len(values) - 1)
    high = values[above]
    low = torch.where(high > weight, values[(above - 1).clamp(min=0)], high)
    decoded = nearest_value(weight, dtype)
    slope = (decoded[:, None, :] @ statistics.covariance)[:, 0] - statistics.cross
    for _ in range(steps):
        for index, row in enumerate(statistics.covariance.unbind(dim=1)):
            curve = row[:, index]
            best = decoded[:, index] - torch.where(curve > 0, slope[:, index] / curve, 0.0)
            move = nearest_value(best, dtype).clamp(low[:, index], high[:, index]) - decoded[:, index]
            decoded[:, index] += move
            slope += move[:, None] * row
    return decoded


def _fit(part: QuantizedLayer, layer: WeightedLayer, statistics: Moments, steps: int) -> None:
    assert part.weight_dtype is not None
    scale = part.log_weight_scale.exp2().double()[:, None]
    weight = part.weight.flatten(1).double() / scale
    in_steps = Moments(statistics.covariance, statistics.cross / scale, statistics.inputs, statistics.outputs)
    decoded = choose_rounding(weight, part.weight_dtype, in_steps, steps)
    weight = torch.where(decoded == nearest_value(weight, part.weight_dtype), weight, decoded)
    part.weight.copy_((weight * scale).view_as(part.weight))
    part.bias.copy_(statistics.outputs - (decoded * scale * statistics.inputs).sum(dim=1))


def _channels(y: Tensor) -> Tensor:
    """[m, c]: the values of each channel, of a sparse tensor at active sites."""
    return y.features if isinstance(y, SparseTensor) else y.permute(0, 2, 3, 1).flatten(0, 2)
