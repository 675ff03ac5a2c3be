"""Whether golden computes what a quantized network computes."""

from __future__ import annotations

import torch
from torch import Tensor

from models.data.dataset import Dataset
from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph
from models.quant.network import QuantizedNetwork
from models.sparse import SparseTensor


class GoldenMismatch(RuntimeError):
    """Golden and the quantized network differ; the message names node and image."""


def compare_with_golden(network: QuantizedNetwork, graph: Graph, data: Dataset, images: int) -> None:
    """Raise where any integer of any node differs on the first ``images`` test images."""
    integers = network.integers(torch.from_numpy(data.test_x[:images]))
    expected = {name: _frames(value) for name, value in integers.items()}
    for i, frame in enumerate(data.frames("test", images)):
        for name, result in golden.run(graph, frame).items():
            if result != expected[name][i]:
                raise GoldenMismatch(f"node {name!r} of test image {i}: golden differs from the quantized network")


def _frames(x: Tensor) -> list[Frame]:
    if isinstance(x, SparseTensor):
        return x.frames()
    return [Frame.from_dense(image.numpy()) for image in x.permute(0, 2, 3, 1)]
