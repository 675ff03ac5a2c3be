from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from models.data import load
from models.quant import quantize
from models.verify import GoldenMismatch, compare_with_golden
from models.weights import WeightsError, load_weights, save_weights
from models.zoo import load_model


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


def test_golden_mismatch_is_found() -> None:
    data = load("digits")
    network = quantize(load_model("digits_cnn"), data, "int4", epochs=0)
    graph = network.export()
    compare_with_golden(network, graph, data, 2)
    node = graph["block1_conv1"]
    np.asarray(node.requant.bias)[0] += 1 << 12  # type: ignore[attr-defined]
    with pytest.raises(GoldenMismatch, match=r"node 'block1_conv1' of test image 0"):
        compare_with_golden(network, graph, data, 2)
