"""A training step of the SEE-D backbone on sparse images, against the same network as dense convolutions.

Forward, backward and optimizer over a batch, the sparse image made anew for each step. Dense and sparse
steps alternate within one run, so that their ratio holds on a noisy machine. ``spconv`` 2.3.8 installs but is
no peer on a processor: it has no depthwise convolution, and its backward pass asks for CUDA.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.sparse import SparseTensor
from models.zoo import load_model
from models.zoo.published import PUBLISHED

NETWORK = "see_d"
BATCH = 32
THREADS = (1, 2)
DENSITIES = (0.01, 0.05, 0.1, 0.2)
STEPS = 6
CLUSTER = 7
"""Pixels over which the noise behind clustered sites is smooth."""


def scattered(density: float, generator: torch.Generator) -> Tensor:
    """bool [n, H, W]: every site active by itself, as likely as another; no recording is as bad."""
    height, width, _ = PUBLISHED[NETWORK].shape
    return torch.rand(BATCH, height, width, generator=generator) < density


def clustered(density: float, generator: torch.Generator) -> Tensor:
    """bool [n, H, W]: sites in patches and along edges, the ``density`` of largest values of smooth noise."""
    height, width, _ = PUBLISHED[NETWORK].shape
    noise = torch.rand(BATCH, 1, height, width, generator=generator)
    smooth = F.avg_pool2d(noise, CLUSTER, 1, CLUSTER // 2, count_include_pad=False).flatten(1)
    least = smooth.quantile(1 - density, dim=1, keepdim=True)
    return (smooth >= least).view(BATCH, height, width)


def step(network: nn.Module, make: Callable[[], Tensor]) -> Callable[[], None]:
    """One training step on the images that ``make`` gives."""
    optimizer = torch.optim.Adam(network.parameters())

    def run() -> None:
        optimizer.zero_grad()
        network(make()).square().mean().backward()
        optimizer.step()

    return run


def alternate(*runs: Callable[[], None]) -> list[float]:
    """Milliseconds of the quickest step of each, taken turn by turn: other work on the machine can only add."""
    times: list[list[float]] = [[] for _ in runs]
    for turn in range(STEPS + 1):
        for run, own in zip(runs, times, strict=True):
            begin = time.perf_counter()
            run()
            if turn:  # the first prepares
                own.append(time.perf_counter() - begin)
    return [1e3 * min(own) for own in times]


def measure() -> dict[str, Any]:
    before = torch.get_num_threads()
    figures: dict[str, Any] = {"batch": BATCH}
    try:
        for threads in THREADS:
            torch.set_num_threads(threads)
            figures |= compare(threads)
    finally:
        torch.set_num_threads(before)
    return figures


def compare(threads: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    generator = torch.Generator().manual_seed(0)
    for kind, masks in (("scattered", scattered), ("clustered", clustered)):
        for density in DENSITIES:
            mask = masks(density, generator)
            x = torch.randn(BATCH, 3, *mask.shape[1:], generator=generator) * mask[:, None]
            dense, sparse = alternate(
                step(load_model(NETWORK), lambda x=x: x),
                step(load_model(NETWORK), lambda x=x, mask=mask: SparseTensor.from_dense(x, mask)),
            )
            figures[f"{kind}, {density:.0%} active, {threads} thread{'s' * (threads > 1)}"] = {
                "dense, ms a step": round(dense, 1),
                "sparse, ms a step": round(sparse, 1),
                "times faster": round(dense / sparse, 2),
            }
    return figures
