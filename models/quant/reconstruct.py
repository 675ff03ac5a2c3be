"""Layer-wise reconstruction: which weights are rounded up and which down, chosen for what the layer gives.

The nearest value is best for a weight alone, but a layer adds products up, and its inputs are quantized too (Nagel
et al., arXiv 2004.10568, learn the choice by gradients). Before any clip the squared error of a channel's outputs is
a quadratic form in the channel's weights, whose matrix is the covariance of the layer's inputs. It is made smaller here
one weight at a time, the same one of all channels at once: the best real value for it follows from the others, and of
the format's two values beside the weight that was, the nearer to it is taken. No step makes the error larger, on any
grid.
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
    """Of a layer's ``n`` inputs to a channel, and of the outputs wanted, over images and sites, all float64.

    ``covariance`` [g, n, n] and ``inputs`` [g, n], the mean: one for all channels or, of a depthwise layer, one each.
    ``cross`` [c_out, n]: the covariance of outputs and inputs. ``outputs`` [c_out]: the mean.
    """

    covariance: Tensor
    cross: Tensor
    inputs: Tensor
    outputs: Tensor


@torch.no_grad()
def reconstruct(network: QuantizedNetwork, calibration: Calibration, steps: int) -> None:
    """Choose ``network``'s weights, and their biases, for outputs near those of the float network before any clip.

    Over the images of ``calibration``, ``steps`` times for every weight. Layers in order, so that each makes up for the
    errors of those before it. A weight that is no longer rounded to the nearest takes the value that it is rounded to.
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
        for images, ours, wanted in zip(batches, quantized, real, strict=True):
            if not layer.inputs:
                ours[layer.name] = wanted[layer.name] = part(images)
                continue
            ours[layer.name] = part(*(ours[name] for name in layer.inputs))
            value = layer.compute(*(wanted[name] for name in layer.inputs))
            wanted[layer.name] = clip(value, *layer.clip) if isinstance(layer, ClippedLayer) else value
        for name in layer.inputs:
            consumers[name] -= 1
            if not consumers[name]:
                for values in (*real, *quantized):
                    del values[name]


def moments(layer: WeightedLayer, found: Sequence[Tensor], wanted: Sequence[Tensor]) -> Moments:
    """Of the inputs that the layer finds, and of its float outputs for those ``wanted``."""
    count, covariance, cross, inputs, outputs = 0, *(torch.zeros((), dtype=torch.float64) for _ in range(4))
    for ours, real in zip(found, wanted, strict=True):
        x, y = layer.seen(ours), _channels(layer.compute(real))
        count += x.shape[1]
        covariance = covariance + (x.mT @ x).double()
        cross = cross + (y.t().view(len(x), -1, x.shape[1]) @ x).double().flatten(0, 1)
        inputs = inputs + x.sum(dim=1).double()
        outputs = outputs + y.sum(dim=0).double()
    count = max(count, 1)
    inputs, outputs = inputs / count, outputs / count
    return Moments(
        covariance / count - inputs[:, :, None] * inputs[:, None, :],
        cross / count - outputs[:, None] * inputs,
        inputs,
        outputs,
    )


def rounded(weight: Tensor, dtype: DType, known: Moments, steps: int) -> Tensor:
    """Decoded values of ``dtype`` for ``weight`` [c_out, n], in steps of its scale as ``known`` must be too.

    Each is one of the two values beside the weight, or the last where it lies beyond.
    """
    values = torch.from_numpy(dtype.values()).double()
    above = torch.bucketize(weight, values).clamp(max=len(values) - 1)
    high = values[above]
    low = torch.where(high > weight, values[(above - 1).clamp(min=0)], high)
    chosen = nearest_value(weight, dtype)
    slope = (chosen[:, None, :] @ known.covariance)[:, 0] - known.cross
    for _ in range(steps):
        for index, row in enumerate(known.covariance.unbind(dim=1)):
            curve = row[:, index]
            best = chosen[:, index] - torch.where(curve > 0, slope[:, index] / curve, 0.0)
            move = nearest_value(best, dtype).clamp(low[:, index], high[:, index]) - chosen[:, index]
            chosen[:, index] += move
            slope += move[:, None] * row
    return chosen


def _fit(part: QuantizedLayer, layer: WeightedLayer, known: Moments, steps: int) -> None:
    assert part.weight_dtype is not None
    scale = part.log_weight_scale.exp2().double()[:, None]
    weight = part.weight.flatten(1).double() / scale
    in_steps = Moments(known.covariance, known.cross / scale, known.inputs, known.outputs)
    chosen = rounded(weight, part.weight_dtype, in_steps, steps)
    weight = torch.where(chosen == nearest_value(weight, part.weight_dtype), weight, chosen)
    part.weight.copy_((weight * scale).view_as(part.weight))
    part.bias.copy_(known.outputs - (chosen * scale * known.inputs).sum(dim=1))


def _channels(y: Tensor) -> Tensor:
    """[m, c]: the values of each channel, of a sparse tensor at active sites."""
    return y.features if isinstance(y, SparseTensor) else y.permute(0, 2, 3, 1).flatten(0, 2)
