"""Float training: a short deterministic recipe, and the batches it shares with quantization-aware training."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.data.dataset import Augment, Dataset
from models.frontend.endings import ENDINGS
from models.layers.input import input_layer
from models.sparse import images

Progress = Callable[[str, int, int], None]

EPOCHS = 30
BATCH = 64
LEARNING_RATE = 4e-3
WEIGHT_DECAY = 0.05
LABEL_SMOOTHING = 0.1


def augment_images(x: Tensor, augment: Augment, generator: torch.Generator) -> Tensor:
    """Images that are moved, turned, resized and flipped at random; pixels from outside are zero.

    Parameters
        x          images ``[n, C, H, W]``
        augment    which changes are allowed, and how large
        generator  source of the random numbers
    """
    if augment == Augment():
        return x
    n, _, height, width = x.shape
    down, right, turn, size = 2 * torch.rand(4, n, generator=generator) - 1
    angle = turn * math.radians(augment.rotate)
    grow = 1 + size * augment.zoom
    cos, sin = grow * angle.cos(), grow * angle.sin()
    move_x, move_y = right * (2 * augment.shift / width), down * (2 * augment.shift / height)
    # drawn last, so that the others of a data set that allows no flip are what they were
    side = torch.where(torch.rand(n, generator=generator) < 0.5, -1.0, 1.0) if augment.flip else torch.ones(n)
    theta = torch.stack([side * cos, -side * sin, side * move_x, sin, cos, move_y], dim=1).view(n, 2, 3)
    grid = F.affine_grid(theta, list(x.shape), align_corners=False)
    mode = "nearest" if augment.nearest else "bilinear"
    return F.grid_sample(x, grid, mode, align_corners=False)


def batches(data: Dataset, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch of augmented training batches in random order; a last partial batch is left out.

    Parameters
        data       the data set
        generator  source of the random numbers
    """
    x, y = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y).long()
    size = min(BATCH, len(x))
    order = torch.randperm(len(x), generator=generator)
    for start in range(0, len(x) - size + 1, size):
        indices = order[start : start + size]
        yield images(augment_images(x[indices], data.augment, generator), data.sparse), y[indices]


def train(
    model: nn.Module,
    data: Dataset,
    epochs: int = EPOCHS,
    seed: int = 0,
    progress: Progress | None = None,
    ending: str = "",
) -> nn.Module:
    """Train a model in place on the training split and return it in eval mode.

    Training is deterministic for one seed on one machine, and leaves torch's global random state as it was.

    Parameters
        model      the network
        data       the data set
        epochs     passes over the training split
        seed       seed of the order, the augmentation and the model's own random layers
        progress   called after each epoch with the name of the stage, the epoch and their number
        ending     key of ``ENDINGS`` of the model's last function; the loss is that of its inputs
    """
    generator = torch.Generator().manual_seed(seed)
    module_input, logits = input_layer(data).module_input, ENDINGS[ending].undo
    steps = epochs * max(1, len(data.train_x) // BATCH)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps + 1, pct_start=0.2)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model.train()
        for epoch in range(epochs):
            for x, y in batches(data, generator):
                loss = F.cross_entropy(logits(model(module_input(x))), y, label_smoothing=LABEL_SMOOTHING)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            if progress:
                progress("train", epoch + 1, epochs)
    return model.eval()
