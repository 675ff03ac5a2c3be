"""A network rounded to grids after training, in float: the same method for every format, and for some tensors alone.

Weights and outputs take scales of least squared error, outputs from the float network's on calibration images; then,
layer by layer, the mean by which a channel's sum has moved on those images goes into its bias. Dense networks only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from benchmarks.number_formats.fit import fitted, rounded, sqnr
from benchmarks.number_formats.grids import Grid, grid
from models.ir.dtype import DType
from models.ir.formats.integer import IntType
from models.layers.input import InputLayer
from models.layers.layer import ClippedLayer, Layer, WeightedLayer
from models.plan import FloatPlan
from models.quant.formats import LOGITS, resolve, uniform

SAMPLE = 1 << 14
BATCH = 250
ENDS = "int8"
"""Of the first and last layer's weights, what the last one reads, and what only an add reads."""


class Rounded:
    """A plan whose weights and outputs are rounded to grids; tensors that are not named stay float."""

    def __init__(
        self, plan: FloatPlan, calibration: Tensor, weights: Mapping[str, Grid], outputs: Mapping[str, Grid]
    ) -> None:
        """``calibration``: images [n, C, H, W]."""
        self.plan, self.outputs = plan, outputs
        with torch.no_grad():
            values = plan.values(calibration)
            self.scales = {
                name: fitted(sample(values[name]), own).to(calibration.dtype) for name, own in outputs.items()
            }
            self.weights: dict[str, Tensor] = {}
            for layer in plan.layers:
                if isinstance(layer, WeightedLayer):
                    self.weights[layer.name] = layer.weight
                    if layer.name in weights:
                        self.weights[layer.name] = _weight(layer, weights[layer.name])
            self.biases = {layer.name: layer.bias for layer in plan.layers if isinstance(layer, WeightedLayer)}
            self._correct(calibration, values)

    def _correct(self, x: Tensor, wanted: Mapping[str, Tensor]) -> None:
        found: dict[str, Tensor] = {}
        for layer in self.plan.layers:
            inputs = [found[name] for name in layer.inputs]
            if isinstance(layer, WeightedLayer):
                before = layer.compute(*(wanted[name] for name in layer.inputs))
                moved = before - layer.weigh(inputs[0], self.weights[layer.name], self.biases[layer.name])
                self.biases[layer.name] = self.biases[layer.name] + moved.mean(dim=(0, 2, 3))
            found[layer.name] = self._value(layer, x, inputs)

    def _value(self, layer: Layer, x: Tensor, inputs: list[Tensor]) -> Tensor:
        if isinstance(layer, InputLayer):
            return x
        if isinstance(layer, WeightedLayer):
            value = layer.weigh(inputs[0], self.weights[layer.name], self.biases[layer.name])
        else:
            value = layer.compute(*inputs)
        if isinstance(layer, ClippedLayer):
            value = value.clamp(*layer.clip)
        if layer.name in self.outputs:
            value = rounded(value, self.scales[layer.name], self.outputs[layer.name])
        return value

    def classes(self, x: Tensor) -> Tensor:
        """int64 [n]: the largest output of each image."""
        parts = (part.contiguous(memory_format=torch.channels_last) for part in x.split(BATCH))
        return torch.cat([self.values(part)[self.plan.output].flatten(1).argmax(dim=1) for part in parts])

    def values(self, x: Tensor) -> dict[str, Tensor]:
        """Every layer's result for images ``x`` [n, C, H, W]."""
        values: dict[str, Tensor] = {}
        with torch.no_grad():
            for layer in self.plan.layers:
                values[layer.name] = self._value(layer, x, [values[name] for name in layer.inputs])
        return values


def sample(value: Tensor) -> Tensor:
    """float64 ``[1, n]``: some of a tensor's values, and its ends."""
    flat = value.flatten()
    some = flat[:: max(1, len(flat) // SAMPLE) | 1]
    return torch.cat([some, torch.stack([flat.min(), flat.max()])]).double()[None]


def _weight(layer: WeightedLayer, own: Grid) -> Tensor:
    rows = layer.weight.flatten(1).double()
    return rounded(rows, fitted(rows, own)[:, None], own).view_as(layer.weight).to(layer.weight.dtype)


def grids(plan: FloatPlan, input_dtype: IntType, name: str) -> tuple[dict[str, Grid], dict[str, Grid]]:
    """(by layer with weights, by layer with an output of its own) the grid of the 4-bit format ``name``, or of int8."""
    formats = resolve(plan, input_dtype, uniform(plan, "int4", "int4", ENDS, ENDS))

    def own(dtype: DType) -> Grid:
        return grid(name, dtype.signed) if dtype.width == 4 else Grid.of(dtype)

    weights = {layer: own(dtype) for layer, dtype in formats.weight.items()}
    outputs = {
        layer: own(dtype)
        for layer, dtype in formats.output.items()
        if isinstance(plan[layer], ClippedLayer) and dtype != LOGITS
    }
    return weights, outputs


def errors(
    plan: FloatPlan, calibration: Tensor, input_dtype: IntType, names: tuple[str, ...]
) -> list[dict[str, object]]:
    """Decibels of signal over error of every tensor that takes 4 bits, by format; none of what all formats hold."""
    rows: list[dict[str, object]] = []
    with torch.no_grad():
        values = plan.values(calibration)
    by_name = {name: grids(plan, input_dtype, name) for name in names}
    for layer in plan.layers:
        weights = layer.weight.flatten(1).double() if isinstance(layer, WeightedLayer) else None
        kinds = {"weights": weights, "output": sample(values[layer.name])}
        for place, (kind, tensor) in enumerate(kinds.items()):
            own = {name: both[place].get(layer.name) for name, both in by_name.items()}
            if tensor is not None and all(found is not None and len(found.values) <= 16 for found in own.values()):
                decibels = {name: round(sqnr(tensor, found), 2) for name, found in own.items() if found is not None}
                if all(map(math.isfinite, decibels.values())):
                    rows.append({"layer": layer.name, "tensor": kind, **decibels})
    return rows
