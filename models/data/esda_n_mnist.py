"""``esda_n_mnist``: N-MNIST as ESDA's network takes it, the first 1,024 events of 200 ms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from models.data.counts import Counts
from models.data.dataset import Dataset
from models.data.n_mnist import Progress, n_mnist

COUNTS = Counts(stop=200_000, within=None, most=127, first=1024)


def esda_n_mnist(folder: str | Path | None = None, progress: Progress | None = None) -> Dataset:
    """The recordings of ``n_mnist`` as counts without denoising; ESDA's network takes the integers."""
    return replace(n_mnist(folder, progress, COUNTS), name="esda_n_mnist")
