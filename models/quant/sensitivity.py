"""Sensitivity of each layer to each format, measured without any training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from models.data.dataset import Dataset
from models.plan import FloatPlan
from models.quant.bias import correct_bias, correct_layer
from models.quant.calibrate import Calibration
from models.quant.formats import FORMATS, check_format, resolve
from models.quant.network import QuantizedNetwork
from models.train import Progress

IMAGES = 2048
BATCH = 64
"""Images per batch, few enough for their values to stay in the cache."""


@torch.no_grad()
def measure_sensitivity(
    plan: FloatPlan,
    data: Dataset,
    formats: Sequence[str] = FORMATS,
    base: str = "int8",
    calibration: str | Calibration = "mse",
    progress: Progress | None = None,
) -> dict[str, dict[str, float]]:
    """Measure how much the mean cross-entropy increases when one layer alone has another format than ``base``.

    The loss is that of the first ``IMAGES`` training images. The bias of the layer is corrected; the biases after it
    stay those of the ``base`` network. In each batch, the layers before it are computed once.

    Parameters
        plan            float network
        data            data set
        formats         formats to measure
        base            format of all other layers
        calibration     method, or a calibration of the same plan
        progress        called with what is done so far
    Returns             increase of the loss by layer and format
    """
    for name in (*formats, base):
        check_format(name)
    scales = Calibration(plan, data, calibration) if isinstance(calibration, str) else calibration

    def network(name: str) -> QuantizedNetwork:
        return QuantizedNetwork(plan, resolve(plan, data.input_dtype, name), scales)

    baseline = network(base)
    correct_bias(baseline, scales)
    others = {name: network(name).layers for name in formats if name != base}
    baseline_values = baseline.values(scales.images)
    for parts in others.values():
        for part in parts.values():
            correct_layer(part, baseline_values, scales)
    downstream = {layer: _downstream(plan, layer) for layer in plan.quantizable_layers}
    result = {layer: dict.fromkeys(formats, 0.0) for layer in plan.quantizable_layers}
    x, y = torch.from_numpy(data.train_x)[:IMAGES], torch.from_numpy(data.train_y)[:IMAGES].long()
    starts = range(0, len(x), BATCH)
    for batch, start in enumerate(starts):
        if progress:
            progress("sensitivity", batch, len(starts))
        values = baseline.values(x[start : start + BATCH])
        classes = y[start : start + BATCH]
        reference = _loss(values[plan.output], classes)
        for layer, dependents in downstream.items():
            for name, parts in others.items():
                changed = dict(values)
                for part in (parts[layer], *(baseline.layers[name] for name in dependents)):
                    changed[part.layer.name] = part(*(changed[source] for source in part.layer.inputs))
                result[layer][name] += (_loss(changed[plan.output], classes) - reference) / len(x)
    if progress:
        progress("sensitivity", len(starts), len(starts))
    return result


def _downstream(plan: FloatPlan, name: str) -> tuple[str, ...]:
    """The layers that depend on the layer ``name``, in topological order."""
    dependents = {name}
    for layer in plan.layers:
        if dependents.intersection(layer.inputs):
            dependents.add(layer.name)
    return tuple(layer.name for layer in plan.layers if layer.name in dependents - {name})


def _loss(logits: Tensor, classes: Tensor) -> float:
    """The cross-entropy, summed over the images."""
    return float(F.cross_entropy(logits.flatten(1).double(), classes, reduction="sum"))
