"""Whether golden computes what a quantized network computes."""

from __future__ import annotations

import numpy as np
import torch

from models.data.dataset import Dataset
from models.ir import golden
from models.ir.graph import Graph
from models.quant.network import QuantizedNetwork


class GoldenMismatch(RuntimeError):
    """Golden and the quantized network differ; the message names node and image."""


def compare_with_golden(network: QuantizedNetwork, graph: Graph, data: Dataset, images: int) -> None:
    """Raise where any integer of any node differs on the first ``images`` test images."""
    integers = network.integers(torch.from_numpy(data.test_x[:images]))
    for i, frame in enumerate(data.frames("test", images)):
        for name, result in golden.run(graph, frame).items():
            expected = integers[name][i].permute(1, 2, 0).numpy()
            if not np.array_equal(result.to_dense(), expected):
                raise GoldenMismatch(f"node {name!r} of test image {i}: golden differs from the quantized network")
