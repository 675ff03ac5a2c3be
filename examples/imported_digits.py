"""What the examples of other tools' networks share: the 8 x 8 digits, training, and images as a network takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn import functional as F

from models.frontend.importers import import_file

TRAINING, BATCH = 1400, 64
_pixels, LABELS = load_digits(return_X_y=True)
IMAGES = torch.tensor(_pixels, dtype=torch.float32).reshape(-1, 1, 8, 8) / 16
_order = torch.randperm(len(IMAGES), generator=torch.Generator().manual_seed(0))
SPLITS: dict[str, Tensor] = {"train": _order[:TRAINING], "test": _order[TRAINING:]}


def train(net: nn.Module, epochs: int) -> None:
    """Train a network on the training images; it is left ready for use."""
    optimizer, labels = torch.optim.Adam(net.parameters(), 3e-3), torch.tensor(LABELS)
    for _ in range(epochs):
        for batch in SPLITS["train"][torch.randperm(TRAINING)].split(BATCH):
            optimizer.zero_grad()
            F.cross_entropy(net(IMAGES[batch]), labels[batch]).backward()
            optimizer.step()
    net.eval()


def write_images(network: Path) -> None:
    """Write ``data.npz`` beside a network's file: the images as the integers that it takes."""
    integers = import_file(network).inputs(IMAGES.numpy()).transpose(0, 3, 1, 2)
    arrays = {f"x_{name}": integers[part.numpy()] for name, part in SPLITS.items()}
    arrays |= {f"y_{name}": LABELS[part.numpy()] for name, part in SPLITS.items()}
    np.savez(network.with_name("data.npz"), **arrays)
    print(f"written: {network}, {network.with_name('data.npz')}")
