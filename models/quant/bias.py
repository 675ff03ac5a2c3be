"""Bias correction: a layer's bias compensates the shift that quantization adds to the mean of each output channel.

With inputs of one sign the rounding errors of weights add up instead of cancelling (Nagel et al., arXiv 1906.04721).
Correcting this part of the error is free, as every channel has a bias.
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
    """Correct all biases so that, before any clip, the mean of each channel is that of the float network.

    The means are over the images of ``calibration``. Layers are corrected in order, each on corrected inputs.

    Parameters
        network         quantized network, changed in place
        calibration     calibration of the same plan
    """
    values: dict[str, Tensor] = {}
    for name, part in network.layers.items():
        correct_layer(part, values, calibration)
        inputs = [values[source] for source in part.layer.inputs] or [calibration.images]
        values[name] = part(*inputs)


@torch.no_grad()
def correct_layer(part: QuantizedLayer, values: Mapping[str, Tensor], calibration: Calibration) -> None:
    """Correct the bias of one layer, if it has one.

    Parameters
        part            the layer, changed in place
        values          outputs of the layers before it, for the images of ``calibration``
        calibration     calibration of the same plan
    """
    layer = part.layer
    if isinstance(layer, WeightedLayer):
        outputs = layer.weigh(values[layer.inputs[0]], part.quantized_weight(), part.bias)
        part.bias.sub_(channel_means(outputs) - calibration.means[layer.name])
