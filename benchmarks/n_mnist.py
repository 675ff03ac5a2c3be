"""N-MNIST: the zoo's network trained on ``Train`` and scored on ``Test``, in float and in four formats.

Reads the folder that ``n_mnist`` finds under NETWEAVE_DATA, the official set or a part of it. Each quantized
network starts from the float one; some of its integers are compared with golden.
"""

from __future__ import annotations

import time
from typing import Any

import torch
from torch import nn

from models import data
from models.data import Dataset
from models.evaluate import accuracy
from models.quant import quantize
from models.train import train
from models.verify import compare_with_golden
from models.zoo import load_model

NETWORK = "n_mnist_net"
FORMATS = ("int8", "dybit8", "int4", "dybit4")
EPOCHS = 120
QUANTIZED_EPOCHS = 10
SEED = 0
CHECKED = 10
THREADS = 1
"""The tensors of so small a network are done sooner than a second thread has started."""


def measure() -> dict[str, Any]:
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        images = data.load("n_mnist")
        figures: dict[str, Any] = {
            "recordings": {"train": len(images.train_x), "test": len(images.test_x)},
            "active sites": round(float(images.masks("test").mean()), 3),
            "threads": THREADS,
        }
        network = load_model(NETWORK, SEED)
        figures["weights"] = sum(parameter.numel() for parameter in network.parameters())
        begin = time.perf_counter()
        train(network, images, EPOCHS, SEED)
        figures["float"] = {**_scored(network, images), "epochs": EPOCHS, "seconds": _since(begin)}
        for name in FORMATS:
            begin = time.perf_counter()
            quantized = quantize(network, images, name, epochs=QUANTIZED_EPOCHS, seed=SEED)
            compare_with_golden(quantized, quantized.export(), images, CHECKED)
            figures[name] = {**_scored(quantized, images), "epochs": QUANTIZED_EPOCHS, "seconds": _since(begin)}
    finally:
        torch.set_num_threads(before)
    return figures


def _scored(network: nn.Module, images: Dataset) -> dict[str, Any]:
    reached = accuracy(network, images, "test")
    low, high = reached.interval
    return {
        "correct": reached.correct,
        "of": reached.total,
        "accuracy": round(reached.value, 4),
        "95 % interval": [round(low, 4), round(high, 4)],
    }


def _since(begin: float) -> float:
    return round(time.perf_counter() - begin, 1)
