"""Networks on channels of very different ranges: accuracy kept, every integer golden's, however they were trained."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.data import Dataset
from models.data.arrays import from_arrays
from models.evaluate import accuracy, right
from models.ir import golden
from models.ir.frame import Frame
from models.ir.serialize import load, save
from models.layers.input import input_layer
from models.quant import quantize
from models.quant.network import QuantizedNetwork
from models.quant.qat import plan_for
from models.train import train

RANGES = np.array([1e-4, 1.0, 1e3, 1e6, 1.0, 30.0])
OFFSETS = np.array([0.0, 2000.0, 0.0, -5e6, 0.0, 7.0])


def arrays(n: int = 600) -> dict[str, np.ndarray]:
    """Three classes that every one of six features tells something of."""
    rng = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = (rng.normal(size=(n, 6)) + 1.5 * rng.normal(size=(3, 6))[y]) * RANGES + OFFSETS
    return {"x_train": x, "y_train": y, "x_test": x[::3], "y_test": y[::3]}


@pytest.fixture(scope="module")
def data() -> Dataset:
    return from_arrays("wild", arrays())


@pytest.fixture(scope="module")
def trained(data: Dataset) -> nn.Module:
    """A plain network of the standard layers, trained on the features as the data set scales them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = nn.Flatten(), nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)
        return train(nn.Sequential(*layers), data, epochs=8)


@pytest.fixture(scope="module")
def elsewhere(data: Dataset, trained: nn.Module) -> nn.Module:
    """The same function of the numbers as they were given: a network trained where nothing was scaled."""
    model = copy.deepcopy(trained)
    first = model[1]  # type: ignore[index]
    assert data.normalization is not None
    offset, unit = (torch.tensor(part, dtype=torch.float64) for part in vars(data.normalization).values())
    weight = first.weight.data.double() / unit
    first.weight.data, first.bias.data = weight.float(), (first.bias.data.double() - weight @ offset).float()
    return model


def agree(network: QuantizedNetwork, data: Dataset) -> None:
    """Every integer of every node and test image is golden's, and the step that training saw but for what float rounds.

    Multipliers of 16 bits move what lies beside the middle of two steps.
    """
    graph = network.export()
    x = torch.from_numpy(data.test_x)
    integers = network.integers(x)
    with torch.no_grad():
        values = network.values(x)
    for node in graph.nodes[:-1]:
        off = (values[node.name].double() / node.scale).round().long() - integers[node.name]
        assert (off != 0).double().mean() <= (0 if node is graph.input else 0.01), node.name
    for index, frame in enumerate(data.frames("test")):
        for name, result in golden.run(graph, frame).items():
            ours = Frame.from_dense(integers[name][index].permute(1, 2, 0).numpy())
            assert result == ours, (name, index)


@pytest.mark.parametrize("form", ["int8", "int4", "dybit4"])
def test_a_trained_network_keeps_its_accuracy_and_its_integers(data: Dataset, trained: nn.Module, form: str) -> None:
    network = quantize(trained, data, form, epochs=1 if form != "int8" else 0)
    float_ = accuracy(trained, data, "test").value
    assert float_ > 0.9
    assert accuracy(network, data, "test").value >= float_ - (0.01 if form == "int8" else 0.06)
    agree(network, data)


def test_one_scale_for_all_features_would_not_do(trained: nn.Module) -> None:
    """What the data set says without scales of its own, by rounding all to one as before."""
    x = arrays()
    one = np.abs(x["x_train"]).max() / 127
    coarse = {key: np.rint(own / one) * one if key.startswith("x") else own for key, own in x.items()}
    rounded = from_arrays("one", {**coarse, "input_scale": np.array(one)})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = train(nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)), rounded, 8)
    assert accuracy(model, rounded, "test").value < 0.8


def test_a_network_trained_elsewhere_takes_the_numbers_as_they_are(
    data: Dataset, trained: nn.Module, elsewhere: nn.Module
) -> None:
    restored = replace(data, restored=True)
    plan = plan_for(elsewhere, restored)
    assert [layer.kind for layer in plan.layers] == ["input", "linear", "linear"], "the first layer takes the scales in"
    x = torch.from_numpy(data.test_x)
    with torch.no_grad():
        wanted = elsewhere(input_layer(restored).module_input(x))
        torch.testing.assert_close(plan.logits(x), wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))
    assert accuracy(elsewhere, data, "test").value < 0.5, "it was not trained on scaled numbers"
    assert accuracy(elsewhere, restored, "test").value == pytest.approx(accuracy(trained, data, "test").value, abs=0.01)
    network = quantize(elsewhere, restored, "int8", epochs=0)
    assert accuracy(network, restored, "test").value >= accuracy(elsewhere, restored, "test").value - 0.01
    agree(network, restored)


def test_a_host_needs_nothing_but_the_graph(data: Dataset, trained: nn.Module, tmp_path: Path) -> None:
    """Integers from the numbers, by the graph on disk, through golden: the classes of the quantized network."""
    network = quantize(trained, data, "int8", epochs=0)
    save(network.export(), tmp_path)
    graph = load(tmp_path)
    integers = graph.input.encode(arrays()["x_test"][:, None, None, :])
    classes = [golden.run(graph, Frame.from_dense(image))[graph.output].features.argmax() for image in integers]
    assert np.array_equal(np.array(classes) == data.test_y, right(network, data, "test"))


class Branches(nn.Module):
    """Padding, a depthwise layer, a batch norm and a shortcut, all on the images themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.full, self.deep = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1, groups=3)
        self.wide, self.fc = nn.Conv2d(3, 4, 1), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        y = self.full(x) + self.wide(self.deep(x)) + self.wide(self.norm(x))
        return self.fc(y.relu().mean(dim=(2, 3)))


@pytest.mark.parametrize("sparse", [0, 1])
def test_images_with_channels_of_different_ranges(sparse: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.random((60, 3, 6, 6)) * np.array([0.01, 10, 3e3])[:, None, None]
    if sparse:
        x *= rng.random((60, 1, 6, 6)) < 0.3
    labels = {"y_train": np.arange(60) % 3, "y_test": np.arange(20) % 3}
    data = from_arrays("wild", {"x_train": x, "x_test": x[:20], **labels, "sparse": np.array(sparse)})
    assert data.normalization is not None
    restored = replace(data, restored=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Branches().eval()
    plan = plan_for(model, restored, "wild")
    assert [layer.kind for layer in plan.layers[1:3]] == ["conv", "conv"]
    assert "norm" not in {layer.name for layer in plan.layers}, "a batch norm goes into the layer after it"
    pixels = torch.from_numpy(data.test_x)
    with torch.no_grad():
        wanted = model(input_layer(restored).module_input(pixels))
        torch.testing.assert_close(plan.logits(pixels), wanted, rtol=1e-3, atol=1e-3 * float(wanted.abs().max()))
    network = quantize(model, restored, "int8", epochs=0)
    graph = network.export()
    integers = network.integers(pixels[:4])
    for index, frame in enumerate(data.frames("test", 4)):
        for name, result in golden.run(graph, frame).items():
            ours = integers[name]
            image = ours.frames()[index] if sparse and graph.sparse[name] else None  # type: ignore[operator]
            assert result == (image or Frame.from_dense(ours[index].permute(1, 2, 0).numpy()))
    assert len(graph.input.unit) == 3
    assert not any(graph.input.offset)


def test_a_network_that_may_not_be_trained_is_quantized(data: Dataset, trained: nn.Module) -> None:
    frozen = copy.deepcopy(trained).requires_grad_(False)
    network = quantize(frozen, data, "int4", epochs=1)
    assert accuracy(network, data, "test") == accuracy(quantize(trained, data, "int4", epochs=1), data, "test")
    assert not any(parameter.requires_grad for parameter in frozen.parameters())
