from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.inputs.data import DATA
from models.data import DatasetError, load
from models.evaluate import accuracy
from models.frontend.trace import trace
from models.ir.node import Shape
from models.quant import quantize
from models.train import batches, train
from models.verify import compare_with_golden
from models.zoo import load_model

WEIGHTS = DATA / "cifar10" / "resnet20_float.npz"


@pytest.fixture
def published_files(monkeypatch: pytest.MonkeyPatch) -> None:
    if not WEIGHTS.is_file():
        pytest.skip(f"needs {WEIGHTS}")
    monkeypatch.setenv("NETWEAVE_DATA", str(DATA))


def described(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """The network as its publisher describes it: the way around narrows by slicing and is padded with zeros."""

    def conv_norm(x: Tensor, conv: str, norm: str, stride: int = 1) -> Tensor:
        y = F.conv2d(x, state[f"{conv}.weight"], None, stride, 1)
        mean, variance, weight, bias = (state[f"{norm}.{p}"] for p in ("running_mean", "running_var", "weight", "bias"))
        return F.batch_norm(y, mean, variance, weight, bias)

    x = F.relu(conv_norm(x, "conv1", "bn1"))
    for stage in (1, 2, 3):
        for block in range(3):
            name = f"layer{stage}.{block}"
            stride = 2 if stage > 1 and block == 0 else 1
            y = F.relu(conv_norm(x, f"{name}.conv1", f"{name}.bn1", stride))
            y = conv_norm(y, f"{name}.conv2", f"{name}.bn2")
            if stride == 2:
                added = x.shape[1] // 2
                x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, added, added))
            x = F.relu(y + x)
    x = F.avg_pool2d(x, x.shape[3]).flatten(1)
    return F.linear(x, state["linear.weight"], state["linear.bias"])


@pytest.mark.usefixtures("published_files")
def test_published_weights_compute_what_their_publisher_describes() -> None:
    data = load("cifar10")
    x, y = torch.from_numpy(data.test_x[:200]), torch.from_numpy(data.test_y[:200])
    with np.load(WEIGHTS) as archive:
        state = {name: torch.from_numpy(archive[name]) for name in archive.files}
    network = train(load_model("resnet20:cifar10"), data, epochs=0)
    plan = trace(network, data.shape)
    with torch.no_grad():
        wanted = described(state, x).argmax(dim=1)
        assert torch.equal(network(x).argmax(dim=1), wanted)
        assert torch.equal(plan.logits(x).argmax(dim=1), wanted)
    assert int((wanted == y).sum()) >= 180


@pytest.mark.usefixtures("published_files")
def test_training_images_are_shifted_and_flipped_whole() -> None:
    data = load("cifar10")
    few = replace(data, train_x=data.train_x[:64], train_y=data.train_y[:64])
    (x, y), *rest = batches(few, torch.Generator().manual_seed(0))
    assert not rest
    reach, flips = 4, 0
    for image, label in zip(x.numpy(), y, strict=True):
        found = set()
        for source in few.train_x[few.train_y == int(label)]:
            for flipped in (False, True):
                padded = np.pad(source[:, :, ::-1] if flipped else source, ((0, 0), (reach, reach), (reach, reach)))
                windows = np.lib.stride_tricks.sliding_window_view(padded, source.shape)[0]
                if (windows == image).all(axis=(2, 3, 4)).any():
                    found.add(flipped)
        assert len(found) == 1
        flips += found.pop()
    assert 16 < flips < 48


def test_shortcuts_are_convolutions_of_ones_and_zeros() -> None:
    network = load_model("resnet20")
    plan = trace(network, Shape(32, 32, 3))
    assert sum(layer.kind == "add" for layer in plan.layers) == 9
    assert sum(p.numel() for p in network.parameters()) == 269_722
    x = torch.randn(2, 16, 32, 32)
    narrowed = network.get_submodule("layer2.0.shortcut")(x)
    assert torch.equal(narrowed, F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 8, 8)))


@pytest.mark.slow
@pytest.mark.usefixtures("published_files")
def test_published_accuracy_is_reached_in_float_and_kept_by_8_bits() -> None:
    data = load("cifar10")
    network = load_model("resnet20:cifar10").eval()
    low, high = accuracy(network, data, "test").interval
    assert low < 0.9173 < high
    quantized = quantize(network, data, "int8", epochs=0)
    compare_with_golden(quantized, quantized.export(), data, 1)
    some = replace(data, test_x=data.test_x[:1000], test_y=data.test_y[:1000])
    assert accuracy(quantized, some, "test").value > 0.90


def test_weights_are_looked_for_in_the_folder_of_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NETWEAVE_DATA", raising=False)
    with pytest.raises(DatasetError, match="NETWEAVE_DATA names no folder"):
        load_model("resnet20:cifar10")
