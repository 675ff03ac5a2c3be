"""Calibration: the scale of every tensor, from the weights and from a sample of activations."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import torch
from torch import Tensor

from models.data.dataset import Dataset
from models.ir.dtype import DType
from models.layers.layer import WeightedLayer
from models.plan import FloatPlan
from models.quant.formats import LOGITS
from models.rounding import nearest_value
from models.sparse import SparseTensor

METHODS = ("minmax", "percentile", "mse")
IMAGES = 512
SAMPLE = 1 << 14
PERCENTILE = 0.999
# candidate scales: this many per octave, down to this many octaves of saturation, then between the best one's neighbors
SEARCH_STEPS = 12
FINE_STEPS = 4
SATURATION = 6
LOGIT_MARGIN = 2.0
# all channels of a layer share one shift, so their scales may not lie further apart
SCALE_SPREAD = 2.0**-10


def choose_scale(rows: Tensor, dtype: DType, method: str) -> Tensor:
    """Choose a scale for each row; a row of zeros has scale 0.

    Parameters
        rows       float64 [c, n]
        dtype      format of the values
        method     ``minmax``, ``percentile`` or ``mse``, the least squared error
    """
    magnitude = rows.abs()
    extent = magnitude.amax(dim=1)
    if method == "percentile":
        extent = torch.where(extent > 0, magnitude.quantile(PERCENTILE, dim=1), extent)
    largest = extent / max(dtype.max, -dtype.min if dtype.signed else 0)
    if method != "mse":
        return largest
    # the search starts where nothing saturates; a tapered format, whose steps are finest well below its largest value,
    # starts where all values lie on its even steps
    top = extent / dtype.max * 2.0**dtype.headroom
    coarse = [-step / SEARCH_STEPS for step in range((SATURATION + dtype.headroom) * SEARCH_STEPS + 1)]
    fine = [step / (SEARCH_STEPS * FINE_STEPS) for step in range(1 - FINE_STEPS, FINE_STEPS)]
    scale = _least_error_scale(rows, dtype, _least_error_scale(rows, dtype, top, coarse), fine)
    # for fixed steps of all values, least squares gives the best scale
    steps = nearest_value(rows / torch.where(scale > 0, scale, 1.0)[:, None], dtype)
    square = steps.square().sum(dim=1)
    return torch.where(square > 0, (rows * steps).sum(dim=1) / square, scale)


def _least_error_scale(rows: Tensor, dtype: DType, scale: Tensor, octaves: Iterable[float]) -> Tensor:
    """For each row, the scale of least squared error among those at the distances ``octaves`` from ``scale``."""
    best, least = scale, torch.full_like(scale, torch.inf)
    for octave in octaves:
        candidate = scale * 2.0**octave
        safe = torch.where(candidate > 0, candidate, 1.0)[:, None]
        error = (nearest_value(rows / safe, dtype) * safe).sub_(rows).square_().sum(dim=1)
        better = error < least
        best, least = torch.where(better, candidate, best), torch.where(better, error, least)
    return best


class Calibration:
    """The scales of a plan's tensors for any format; each is computed once.

    They rest on ``images`` [n, C, H, W], ``IMAGES`` of the training split, and on a sample of ``SAMPLE`` values of each
    layer at active sites.

    Parameters
        plan       float network
        data       data set whose training split is used
        method     ``minmax``, ``percentile`` or ``mse``
    """

    def __init__(self, plan: FloatPlan, data: Dataset, method: str = "mse") -> None:
        if method not in METHODS:
            raise ValueError(f"unknown calibration {method!r}; valid are {', '.join(METHODS)}")
        self.plan = plan
        self.method = method
        self._data = data
        self._scales: dict[tuple[str, str, DType], Tensor] = {}
        indices = torch.linspace(0, len(data.train_x) - 1, min(IMAGES, len(data.train_x))).long()
        # convolutions of few channels take less than half as long in this memory order
        self.images = torch.from_numpy(data.train_x)[indices].contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            values = plan.values(self.images)
        self._samples: dict[str, Tensor] = {}
        for name, value in values.items():
            flat = (value.features if isinstance(value, SparseTensor) else value).flatten()
            if not len(flat):
                flat = flat.new_zeros(1)
            # an odd stride visits every site and channel
            sample = flat[:: max(1, len(flat) // SAMPLE) | 1]
            ends = torch.stack([flat.min(), flat.max()])
            self._samples[name] = torch.cat([sample, ends]).double()

    @cached_property
    def means(self) -> dict[str, Tensor]:
        """The mean output [c_out] of each channel before any clip, for every layer with weights, in float."""
        with torch.no_grad():
            values = self.plan.values(self.images)
            return {
                layer.name: channel_means(layer.compute(*(values[name] for name in layer.inputs)))
                for layer in self.plan.layers
                if isinstance(layer, WeightedLayer)
            }

    def activation(self, name: str, dtype: DType) -> float:
        """The scale of a layer's output."""
        layer = self.plan[name]
        if not layer.inputs:
            return self._data.input_scale
        key = (name, "output", dtype)
        if key not in self._scales:
            rows = self._samples[name][None]
            if dtype == LOGITS:
                scale = choose_scale(rows, dtype, "minmax") * LOGIT_MARGIN
            else:
                scale = choose_scale(rows, dtype, self.method)
            self._scales[key] = torch.where(scale > 0, scale, 1.0)
        return float(self._scales[key])

    def weight(self, name: str, dtype: DType) -> Tensor:
        """float64 ``[c_out]``: the scale of each output channel's weights."""
        key = (name, "weight", dtype)
        if key not in self._scales:
            layer = self.plan[name]
            assert isinstance(layer, WeightedLayer)
            scale = choose_scale(layer.weight.flatten(1).double(), dtype, self.method)
            self._scales[key] = limit_spread(scale)
        return self._scales[key]


def channel_means(x: Tensor) -> Tensor:
    """The mean [c] of each channel over all images and all sites, or the active sites of sparse images."""
    if isinstance(x, SparseTensor):
        return x.features.mean(dim=0) if len(x.sites) else x.features.new_zeros(x.shape[1])
    return x.mean(dim=(0, 2, 3))


def limit_spread(scale: Tensor) -> Tensor:
    """Raise the smallest channel scales to what the layer's shared shift can resolve."""
    largest = scale.max()
    return scale.clamp(min=float(largest) * SCALE_SPREAD) if largest > 0 else torch.ones_like(scale)
