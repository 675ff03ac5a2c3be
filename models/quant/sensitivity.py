"""How much each layer suffers from each format, measured without any training."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F

from models.data.dataset import Dataset
from models.plan import Plan
from models.quant.bias import correct_bias
from models.quant.calibrate import Calibration
from models.quant.formats import FORMATS, check_format, resolve
from models.quant.network import QuantizedNetwork
from models.train import Progress

IMAGES = 2048
BATCH = 256


def measure_sensitivity(
    plan: Plan,
    data: Dataset,
    formats: Sequence[str] = FORMATS,
    base: str = "int8",
    calibration: str | Calibration = "mse",
    progress: Progress | None = None,
) -> dict[str, dict[str, float]]:
    """By layer and format, the increase of the mean cross-entropy when that layer alone leaves ``base``.

    Measured on the first ``IMAGES`` images of the training split, which may be all.
    """
    for name in (*formats, base):
        check_format(name)
    scales = Calibration(plan, data, calibration) if isinstance(calibration, str) else calibration
    reference = _loss(plan, data, scales, dict.fromkeys(plan.choices, base))
    result: dict[str, dict[str, float]] = {}
    for done, layer in enumerate(plan.choices):
        if progress:
            progress("sensitivity", done, len(plan.choices))
        result[layer] = {}
        for name in formats:
            assignment = dict.fromkeys(plan.choices, base) | {layer: name}
            result[layer][name] = 0.0 if name == base else _loss(plan, data, scales, assignment) - reference
    if progress:
        progress("sensitivity", len(plan.choices), len(plan.choices))
    return result


def _loss(plan: Plan, data: Dataset, scales: Calibration, assignment: dict[str, str]) -> float:
    network = QuantizedNetwork(plan, resolve(plan, data.input_dtype, assignment), scales)
    correct_bias(network, scales)
    x, y = torch.from_numpy(data.train_x)[:IMAGES], torch.from_numpy(data.train_y)[:IMAGES]
    with torch.no_grad():
        logits = torch.cat([network.fake_logits(part) for part in x.split(BATCH)])
    return float(F.cross_entropy(logits.double(), y))
