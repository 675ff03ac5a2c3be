"""From a PyTorch module on sparse images to the integer graph: every integer of every layer is golden's."""

from __future__ import annotations

import copy
import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from models.data import Augment, Dataset
from models.evaluate import accuracy
from models.frontend.trace import TraceError, trace
from models.ir.node import Shape
from models.quant import measure_sensitivity, quantize
from models.quant.calibrate import Calibration
from models.quant.formats import resolve
from models.quant.network import QuantizedNetwork
from models.sparse import SparseTensor, images
from models.train import batches, train
from models.verify import GoldenMismatch, compare_with_golden
from tests.models.nets import CLASSES, NETS, net, random_data, randomized

CHECKED = 5
TYPES = [f"{kind}{width}" for kind in ("int", "dybit") for width in range(2, 9)]


def sparse_net(name: str, seed: int = 0) -> tuple[nn.Module, Dataset]:
    """A network of ``NETS``, with frames of any active sites for its dense images."""
    model, dense = net(name, seed)
    shape = dense.shape
    return model, random_data(
        shape.channels, shape.height, dense.input_dtype.signed, dense.classes, seed=seed, sparse=True
    )


def quantized(model: nn.Module, data: Dataset, start: int = 0, formats: list[str] | str = TYPES) -> QuantizedNetwork:
    plan = trace(model, data.shape, "net", data.sparse)
    names = [formats] if isinstance(formats, str) else formats
    cycle = itertools.islice(itertools.cycle(names), start, None)
    types = resolve(plan, data.input_dtype, dict(zip(plan.quantizable_layers, cycle, strict=False)))
    return QuantizedNetwork(plan, types, Calibration(plan, data)).eval()


class Block(nn.Module):
    """A random stage: convolutions, pooling or an inverted residual, any of them with activations."""

    def __init__(self, draw: random.Random, channels: int) -> None:
        super().__init__()
        kind = draw.choice(["full", "depthwise", "max", "mean", "residual", "shortcut"])
        kernel, stride = draw.choice([1, 2, 3, 5]), draw.choice([1, 2])
        self.channels = draw.choice([2, 3, 5]) if kind in ("full", "shortcut") else channels
        same = {"kernel_size": 3, "padding": 1, "bias": draw.random() < 0.5}
        activation = draw.choice([nn.ReLU(), nn.ReLU6(), nn.Hardtanh(-0.6, 0.8), nn.Identity()])
        self.around: nn.Module | None = None
        if kind == "full":
            body: list[nn.Module] = [nn.Conv2d(channels, self.channels, kernel, stride, (kernel - 1) // 2)]
        elif kind == "depthwise":
            body = [nn.Conv2d(channels, channels, kernel, stride, (kernel - 1) // 2, groups=channels)]
        elif kind == "max":
            body = [nn.MaxPool2d(3, stride, 1)]
        elif kind == "mean":
            body = [nn.AvgPool2d(3, stride, 1)]
        else:
            inner = 2 * channels
            stride = stride if kind == "shortcut" else 1
            body = [
                nn.Conv2d(channels, inner, 1),
                nn.BatchNorm2d(inner),
                activation,
                nn.Conv2d(inner, inner, stride=stride, groups=inner, **same),
                nn.ReLU(),
                nn.Conv2d(inner, self.channels, 1, bias=False),
                nn.BatchNorm2d(self.channels),
            ]
            self.around = nn.Conv2d(channels, self.channels, 1, stride) if kind == "shortcut" else nn.Identity()
        if self.around is None and draw.random() < 0.5:
            body.append(nn.BatchNorm2d(self.channels))
        self.body = nn.Sequential(*body)
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return self.activation(y if self.around is None else y + self.around(x))


def random_network(seed: int) -> nn.Module:
    draw = random.Random(seed)
    layers: list[nn.Module] = []
    channels = 2
    for _ in range(4):
        block = Block(draw, channels)
        layers.append(block)
        channels = block.channels
    # after four blocks at most four halvings of 19: the frame is 2 x 2 or larger
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, CLASSES)]
    torch.manual_seed(seed)
    return randomized(nn.Sequential(*layers), seed)


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("form", ["int8", "dybit4"])
def test_every_integer_equals_golden(name: str, form: str) -> None:
    model, data = sparse_net(name)
    network = quantized(model, data, formats=form)
    graph = network.export()
    assert graph.input.sparse
    compare_with_golden(network, graph, data, CHECKED)


@pytest.mark.parametrize("seed", [*range(5), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(5, 40))])
def test_random_networks_of_mixed_formats_equal_golden(seed: int) -> None:
    with torch.random.fork_rng(devices=[]):
        model = random_network(seed)
    data = random_data(2, 19, signed=seed % 2 == 0, seed=seed, sparse=True)
    network = quantized(model, data, start=seed)
    compare_with_golden(network, network.export(), data, CHECKED)
    x = images(torch.from_numpy(data.test_x), sparse=True)
    with torch.no_grad():
        plan = trace(model, data.shape, "net", sparse=True)
        torch.testing.assert_close(plan.logits(x), model(x).flatten(1), rtol=1e-4, atol=1e-4)
    # what a network says of a batch is what it says of each image alone
    assert torch.equal(network(x), torch.cat([network(part) for part in x.split(3)]))


def test_a_difference_from_golden_is_found_in_features_and_in_sites() -> None:
    model, data = sparse_net("depthwise")
    network = quantized(model, data)
    graph = network.export()
    compare_with_golden(network, graph, data, CHECKED)
    with torch.no_grad():
        network.parts[1].bias += 10.0  # type: ignore[operator]
    with pytest.raises(GoldenMismatch, match="node 'conv_0' of test image 0: golden differs"):
        compare_with_golden(network, graph, data, CHECKED)
    model, data = sparse_net("kernel7")
    network = quantized(model, replace(data, sparse=False))
    # a graph that takes dense frames computes on sites that a sparse one has not
    with pytest.raises(GoldenMismatch, match="of test image"):
        compare_with_golden(network, quantized(model, data).export(), data, CHECKED)


def test_dense_frames_are_sparse_ones_with_every_site() -> None:
    """One network, both kinds of input: the same integers where all sites are active."""
    model, data = net("functional")
    network = quantized(model, data)
    x = torch.from_numpy(data.test_x)
    whole = SparseTensor.from_dense(x, torch.ones(len(x), 12, 12) > 0)
    wanted = network.integers(x)
    for name, value in network.integers(whole).items():
        found = value.to_dense() if isinstance(value, SparseTensor) else value
        assert torch.equal(found, wanted[name]), name


def test_a_sparse_network_takes_the_active_sites_of_plain_images() -> None:
    model, data = sparse_net("depthwise")
    network = quantized(model, data)
    x = torch.from_numpy(data.test_x)
    assert torch.equal(network(x), network(images(x, sparse=True)))
    assert torch.equal(network.fake_logits(x), network.fake_logits(images(x, sparse=True)))
    assert torch.equal(network.plan.logits(x), network.plan.logits(images(x, sparse=True)))
    # on a dense one, absent sites would pass on their bias
    assert not torch.equal(network(x), quantized(model, replace(data, sparse=False))(x))


def test_augmented_sparse_images_stay_on_their_grid() -> None:
    _, data = sparse_net("depthwise")
    data = replace(data, augment=Augment(shift=2.0, rotate=20.0, zoom=0.2, nearest=True))
    for x, _ in batches(data, torch.Generator().manual_seed(0)):
        assert isinstance(x, SparseTensor)
        steps = x.features / data.input_scale
        assert torch.equal(steps, steps.round())
        assert bool((x.features != 0).any(dim=1).all())
        assert len(x.sites) < len(x) * 9 * 9


def test_calibration_sees_active_sites_alone() -> None:
    model, data = sparse_net("pools")
    plan = trace(model, data.shape, "net", sparse=True)
    values = plan.values(images(torch.from_numpy(data.train_x), sparse=True))
    name = plan.quantizable_layers[0]
    scales = Calibration(plan, data, "minmax")
    value = values[name]
    assert isinstance(value, SparseTensor)
    dtype = resolve(plan, data.input_dtype, "int8").output[name]
    wanted = float(value.features.max()) / dtype.max
    assert scales.activation(name, dtype) == pytest.approx(wanted)
    # half of what is left of the zeros of the grid's dense form would be nothing but absent sites
    sample = scales._samples["input"]
    assert (sample != 0).double().mean() > 0.9


def test_a_data_set_without_any_active_site_is_calibrated_too() -> None:
    model, data = sparse_net("depthwise")
    empty = replace(data, train_x=np.zeros_like(data.train_x), test_x=np.zeros_like(data.test_x))
    network = quantized(model, empty)
    compare_with_golden(network, network.export(), empty, 2)


def test_the_flow_on_sparse_images() -> None:
    """Training, quantization, sensitivity and accuracy, on a task that needs the sites: which half is active."""
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    x = (rng.random((400, 1, 8, 8)) < 0.3).astype(np.float32)
    x[labels == 0, :, :, 4:] = 0
    x[labels == 1, :, :, :4] = 0
    layout = np.concatenate([np.ones((8, 4)), 2 * np.ones((8, 4))], axis=1)
    data = random_data(1, 8, classes=2, sparse=True)
    data = replace(
        data,
        train_x=(x[:300] * layout / 8).astype(np.float32),
        train_y=labels[:300],
        test_x=(x[300:] * layout / 8).astype(np.float32),
        test_y=labels[300:],
    )
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, 2, 1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 2),
    )
    again = copy.deepcopy(model)
    train(model, data, epochs=20)
    train(again, data, epochs=20)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), again.parameters(), strict=True))
    assert accuracy(model, data, "test").value > 0.9
    network = quantize(model, data, "int4", epochs=2)
    assert accuracy(network, data, "test").value > 0.9
    compare_with_golden(network, network.export(), data, 20)
    plan = trace(model, data.shape, "net", sparse=True)
    found = measure_sensitivity(plan, data, ("int8", "int2"))
    assert set(found) == set(plan.quantizable_layers)


def test_a_module_that_looks_at_absent_sites_is_refused() -> None:
    class Dense(nn.Conv2d):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(input.to_dense() if isinstance(input, SparseTensor) else input)

    model = nn.Sequential(Dense(2, 2, 1))
    trace(model, Shape(4, 4, 2))
    with pytest.raises(TraceError, match="computes other outputs than its trace"):
        trace(model, Shape(4, 4, 2), sparse=True)
