"""Whether golden computes what a quantized network computes, and whether the float network computes numbers at all."""

from __future__ import annotations

import torch
from torch import Tensor

from models.data.dataset import Dataset
from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.plan import FloatPlan
from models.quant.network import QuantizedNetwork
from models.sparse import SparseTensor

OVERFLOW_SAMPLE = 64
"""Training images on which a float network is checked for overflow."""


class GoldenMismatch(RuntimeError):
    """Golden and the quantized network differ; the message names node and image."""


class OverflowingError(ValueError):
    """A float network whose values leave the range of floats; the message names network, layer and data set."""


def compare_with_golden(network: QuantizedNetwork, graph: Graph, data: Dataset, images: int) -> None:
    """Raise where any integer of any node differs from golden's.

    Parameters
        network    the quantized network
        graph      its integer graph
        data       the data set
        images     how many test images to compare, from the first
    Raises         GoldenMismatch: an integer differs
    """
    integers = network.integers(torch.from_numpy(data.test_x[:images]))
    expected = {name: _frames(value) for name, value in integers.items()}
    for i, frame in enumerate(data.frames("test", images)):
        for name, result in golden.run(graph, frame).items():
            if result != expected[name][i]:
                raise GoldenMismatch(f"node {name!r} of test image {i}: golden differs from the quantized network")


def refuse_overflow(plan: FloatPlan, data: Dataset) -> None:
    """Raise where a layer of the float network gives infinities or NaN on the first training images.

    Parameters
        plan       the float network
        data       the data set
    Raises         OverflowingError: an output is not finite
    """
    with torch.no_grad():
        for name, values in plan.values(torch.from_numpy(data.train_x[:OVERFLOW_SAMPLE])).items():
            features = values.features if isinstance(values, SparseTensor) else values
            if not torch.isfinite(features).all():
                why = "are not finite; the images or the weights up to it are too large, or its training has diverged"
                raise OverflowingError(f"network {plan.name!r}, layer {name!r}: its outputs on {data.name!r} {why}")


def _frames(x: Tensor) -> list[Frame]:
    if isinstance(x, SparseTensor):
        return x.frames()
    return [Frame.from_dense(image.numpy()) for image in x.permute(0, 2, 3, 1)]
