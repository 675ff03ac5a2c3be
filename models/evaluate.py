"""Accuracy over a split, with its confidence interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import nn

from models.data.dataset import Dataset
from models.layers.input import input_layer
from models.quant.network import QuantizedNetwork
from models.sparse import images

BATCH = 256
Z95 = 1.959963984540054


@dataclass(frozen=True)
class Accuracy:
    """``correct`` of ``total`` images."""

    correct: int
    total: int

    @property
    def value(self) -> float:
        return self.correct / self.total

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson score interval."""
        n, p, z = self.total, self.value, Z95
        centre = p + z * z / (2 * n)
        margin = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        # at either end the bound is exact, whatever rounding makes of it
        low = (centre - margin) / (1 + z * z / n) if self.correct else 0.0
        high = (centre + margin) / (1 + z * z / n) if self.correct < n else 1.0
        return low, high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.value:.2%} ({self.correct}/{self.total}, 95 % interval {low:.2%} to {high:.2%})"


def predicted(network: nn.Module, data: Dataset, split: str) -> np.ndarray:
    """int64 ``[n]``: for each image of a split the class of the largest output; the network runs in eval mode."""
    x = torch.from_numpy(data.split(split)[0])
    training = network.training
    network.eval()
    quantized = isinstance(network, QuantizedNetwork)
    prepare = partial(images, sparse=data.sparse) if quantized else input_layer(data).module_input
    try:
        with torch.no_grad():
            outputs = torch.cat([network(prepare(part)) for part in x.split(BATCH)])
    finally:
        network.train(training)
    if outputs.shape != (len(x), data.classes):
        raise ValueError(f"network outputs have shape {tuple(outputs.shape)}, not ({len(x)}, {data.classes})")
    return outputs.argmax(dim=1).numpy()


def right(network: nn.Module, data: Dataset, split: str) -> np.ndarray:
    """bool ``[n]``: of which images of a split the largest output is their class."""
    return predicted(network, data, split) == data.split(split)[1]


def accuracy(network: nn.Module, data: Dataset, split: str) -> Accuracy:
    """Images of a split whose largest output is their class."""
    correct = right(network, data, split)
    return Accuracy(int(correct.sum()), len(correct))
