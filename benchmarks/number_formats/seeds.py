"""Why two seeds differ after training: each scale of one, alone, in place of the other's.

A seed draws the images that scales are calibrated on. Taking over the scale of a single layer's output tells which
layer the accuracy hangs on, and whether that layer's own error of rounding would have told.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from benchmarks.number_formats.tables import assignment, calibrated, loaded, right
from models.quant.bias import correct_bias
from models.quant.formats import resolve
from models.quant.network import QuantizedNetwork
from models.quant.qat import relative_mse

IMAGES = 500
"""Of training, the last ones, on which errors are measured."""


def one_scale(network: str, family: str, bits: tuple[int, int], seed: int, other: int) -> dict[str, Any]:
    """The layer whose scale, taken over from ``other``, brings the logits nearest to the float network's, what the test
    accuracy is then, and the errors with the scale of each."""
    data, plan = loaded(network)
    images = torch.from_numpy(data.train_x[-IMAGES:])
    scales, formats = calibrated(network, seed), resolve(plan, data.input_dtype, assignment(plan, family, bits))
    theirs = QuantizedNetwork(plan, formats, calibrated(network, other)).layers
    with torch.no_grad():
        wanted = plan.values(images)

    def quantized(taken: str | None = None) -> QuantizedNetwork:
        own = QuantizedNetwork(plan, formats, scales)
        if taken:
            own.layers[taken].log_scale.data = theirs[taken].log_scale.data
        correct_bias(own, scales)
        return own.eval()

    def given(own: QuantizedNetwork) -> dict[str, Tensor]:
        with torch.no_grad():
            return own.values(images)

    def error(values: dict[str, Tensor], name: str) -> float:
        return round(float(relative_mse(values, wanted, [name]).sqrt()), 3)

    plain = quantized()
    before = given(plain)
    rows: dict[str, dict[str, float]] = {}
    for name in (name for name, layer in theirs.items() if layer.learns_scale):
        after = given(quantized(name))
        rows[name] = {
            "layer's error": error(before, name),
            "with the other scale": error(after, name),
            "logits' error then": error(after, plan.output),
        }
    best = min(rows, key=lambda name: rows[name]["logits' error then"])
    percent = 100 / len(data.test_x)
    return {
        "logits' error": error(before, plan.output),
        "accuracy": round(percent * int(right(plain.logits, data).sum()), 2),
        "layer": best,
        "accuracy with its other scale": round(percent * int(right(quantized(best).logits, data).sum()), 2),
        "layers": rows,
    }
