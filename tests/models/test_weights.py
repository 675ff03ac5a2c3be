"""Weights on disk: they come back as they were, and files that are none are named."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from models.weights import WeightsError, load_weights, save_weights


def net(width: int = 4) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(36 * width, 10))


def test_round_trip(tmp_path: Path) -> None:
    source, copy = net(), net()
    save_weights(source, tmp_path / "w.npz")
    load_weights(copy, tmp_path / "w.npz")
    x = torch.rand(3, 1, 8, 8)
    assert torch.equal(source.eval()(x), copy.eval()(x))


def test_bad_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    with pytest.raises(WeightsError, match=r"w\.npz: is not there"):
        load_weights(net(), path)
    save_weights(net(), path)
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(WeightsError, match=r"w\.npz: is truncated"):
        load_weights(net(), path)
    save_weights(net(width=5), path)
    with pytest.raises(WeightsError, match=r"w\.npz: does not fit(.|\n)*size mismatch"):
        load_weights(net(), path)
