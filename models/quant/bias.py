"""Bias correction: what quantization adds to the mean of a layer's outputs is taken from the layer's bias.

Inputs of one sign add a weight's rounding error up instead of cancelling it (Nagel et al., arXiv 1906.04721). That
part of the error costs nothing to put right, as every channel has a bias.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from models.layers.layer import WeightedLayer
from models.quant.calibrate import Calibration, channel_means
from models.quant.network import QuantizedLayer, QuantizedNetwork


@torch.no_grad()
def correct_bias(network: QuantizedNetwork, calibration: Calibration) -> None:
    """Change ``network``'s biases so that, before any clip, each channel's mean is that of the float network.

    Over the images of ``calibration``. Layers in order, so that each sees those before it corrected.
    """
    values: dict[str, Tensor] = {}
    for name, part in network.layers.items():
        correct_layer(part, values, calibration)
        inputs = [values[source] for source in part.layer.inputs] or [calibration.images]
        values[name] = part(*inputs)


@torch.no_grad()
def correct_layer(part: QuantizedLayer, values: Mapping[str, Tensor], calibration: Calibration) -> None:
    """The same for one layer, if it has a bias; ``values``: what those before it give for the images of calibration."""
    layer = part.layer
    if isinstance(layer, WeightedLayer):
        found = layer.weigh(values[layer.inputs[0]], part.quantized_weight(), part.bias)
        part.bias.sub_(channel_means(found) - calibration.means[layer.name])
