"""How much each layer suffers from each format, measured without any training."""

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
"""Images at a time: few enough for their values to stay near the processor."""


@torch.no_grad()
def measure_sensitivity(
    plan: FloatPlan,
    data: Dataset,
    formats: Sequence[str] = FORMATS,
    base: str = "int8",
    calibration: str | Calibration = "mse",
    progress: Progress | None = None,
) -> dict[str, dict[str, float]]:
    """By layer and format, the increase of the mean cross-entropy when that layer alone leaves ``base``.

    Measured on the first ``IMAGES`` images of the training split, which may be all. Of each batch, what comes before a
    layer is computed once. The layer's bias is corrected, those after it are as in the network of ``base``.
    """
    for name in (*formats, base):
        check_format(name)
    scales = Calibration(plan, data, calibration) if isinstance(calibration, str) else calibration

    def network(name: str) -> QuantizedNetwork:
        return QuantizedNetwork(plan, resolve(plan, data.input_dtype, name), scales)

    usual = network(base)
    correct_bias(usual, scales)
    others = {name: network(name).layers for name in formats if name != base}
    seen = usual.values(scales.images)
    for parts in others.values():
        for part in parts.values():
            correct_layer(part, seen, scales)
    after = {layer: _after(plan, layer) for layer in plan.quantizable_layers}
    result = {layer: dict.fromkeys(formats, 0.0) for layer in plan.quantizable_layers}
    x, y = torch.from_numpy(data.train_x)[:IMAGES], torch.from_numpy(data.train_y)[:IMAGES].long()
    starts = range(0, len(x), BATCH)
    for done, start in enumerate(starts):
        if progress:
            progress("sensitivity", done, len(starts))
        values = usual.values(x[start : start + BATCH])
        classes = y[start : start + BATCH]
        reference = _loss(values[plan.output], classes)
        for layer, behind in after.items():
            for name, parts in others.items():
                changed = dict(values)
                for part in (parts[layer], *(usual.layers[name] for name in behind)):
                    changed[part.layer.name] = part(*(changed[source] for source in part.layer.inputs))
                result[layer][name] += (_loss(changed[plan.output], classes) - reference) / len(x)
    if progress:
        progress("sensitivity", len(starts), len(starts))
    return result


def _after(plan: FloatPlan, name: str) -> tuple[str, ...]:
    """The layers that depend on one, in order."""
    reached = {name}
    for layer in plan.layers:
        if reached.intersection(layer.inputs):
            reached.add(layer.name)
    return tuple(layer.name for layer in plan.layers if layer.name in reached - {name})


def _loss(logits: Tensor, classes: Tensor) -> float:
    """Cross-entropy, summed over the images."""
    return float(F.cross_entropy(logits.flatten(1).double(), classes, reduction="sum"))
