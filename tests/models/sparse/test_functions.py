"""Torch's functions on active sites: pooling against golden, layers against the dense ones, and refused calls."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.ir.ops.avg_pool import AvgPool
from models.ir.ops.max_pool import MaxPool
from models.sparse import SparseTensor
from tests.models.sparse.batches import ACC, WINDOWS, batch, golden_frames, requant


@pytest.mark.parametrize("kernel, stride, padding", WINDOWS)
def test_pooling_is_goldens(kernel: int, stride: int, padding: int) -> None:
    x = batch(3, 9, 7)
    window: dict[str, Any] = {"kernel": kernel, "stride": stride, "padding": padding}
    mean = AvgPool(name="mean", inputs=("x",), dtype=ACC, **window, requant=requant(3))
    if (kernel, stride) != (1, 2):
        largest = MaxPool(name="largest", inputs=("x",), dtype=ACC, **window)
        assert F.max_pool2d(x, kernel, stride, padding).long().frames() == golden_frames(largest, x)
    found = F.avg_pool2d(x, kernel, stride, padding, divisor_override=1)
    assert found.long().frames() == golden_frames(mean, x)


def test_windows_that_see_nothing_are_zero_and_a_pooling_with_such_is_refused() -> None:
    x = SparseTensor.from_dense(torch.ones(1, 2, 4, 4), torch.eye(4)[None] == 0)
    y = F.conv2d(x, torch.ones(3, 2, 1, 1), None, 2)
    # every cell has an active site, but the windows see the diagonal's, where there is none
    assert y.sites.full
    assert torch.equal(y.to_dense()[0, 0], torch.tensor([[0.0, 2.0], [2.0, 0.0]]))
    with pytest.raises(ValueError, match="kernel_size 1 of a SparseTensor: must be at least the stride, 2"):
        F.max_pool2d(x, 1, 2)


LAYERS: list[nn.Module] = [
    nn.Conv2d(4, 6, 3, padding=1),
    nn.Conv2d(4, 4, 5, 2, padding=2, groups=4),
    nn.Conv2d(4, 4, 4, padding="valid", bias=False),
    nn.Conv2d(4, 4, 3, padding="same"),
    nn.Conv2d(4, 2, 1, 2),
    nn.Conv2d(4, 2, (1, 5), (2, 1), (0, 2)),
    nn.Conv2d(4, 3, (2, 3), dilation=(3, 2), padding="same"),
    nn.Conv2d(4, 4, (3, 2), (1, 3), (1, 0), (2, 1), groups=4),
    nn.Sequential(nn.ZeroPad2d((1, 1, 1, 0)), nn.Conv2d(4, 2, 3)),
    nn.BatchNorm2d(4),
    nn.ReLU(),
    nn.ReLU6(inplace=True),
    nn.Hardtanh(-0.5, 0.7),
    nn.MaxPool2d(3, 2, 1),
    nn.MaxPool2d(4),
    nn.MaxPool2d((1, 4), (1, 2), (0, 1)),
    nn.AvgPool2d((3, 2), (1, 2), (1, 0)),
    nn.AvgPool2d(2),
    nn.AvgPool2d(8),
    nn.AvgPool2d(3, 1, 1),
    nn.AdaptiveAvgPool2d(1),
    nn.AdaptiveAvgPool2d(4),
    nn.AdaptiveAvgPool2d((8, None)),
    nn.Identity(),
    nn.Dropout(0.0),
    nn.Dropout2d(0.0),
    nn.Flatten(),
]


@pytest.mark.few(12)
@pytest.mark.parametrize("layer", LAYERS, ids=str)
@pytest.mark.parametrize("training", [True, False])
def test_with_every_site_active_a_layer_is_the_dense_one(layer: nn.Module, training: bool) -> None:
    layer = layer.double().train(training)
    x = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wanted = layer(x.clone())
    found = layer(SparseTensor.from_dense(x.clone(), torch.ones(3, 8, 8) > 0))
    if isinstance(found, SparseTensor):
        assert found.sites.full
        found = found.to_dense()
    torch.testing.assert_close(found, wanted)


def test_batch_norm_takes_active_sites_alone() -> None:
    norm = nn.BatchNorm2d(3, momentum=1.0).double()
    x = batch(3, 9, 7)
    y = norm(x)
    torch.testing.assert_close(norm.running_mean, x.features.mean(dim=0))
    torch.testing.assert_close(norm.running_var, x.features.var(dim=0))
    torch.testing.assert_close(y.features.mean(dim=0), torch.zeros(3, dtype=torch.float64))
    assert y.sites is x.sites
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    for sites in (0, 1):
        mask = torch.zeros(1, 9, 7) > 0
        mask.view(-1)[:sites] = True
        few = SparseTensor.from_dense(torch.ones(1, 3, 9, 7, dtype=torch.float64), mask)
        assert torch.equal(norm(few).features, norm.eval()(few).features)
        norm.train()
    assert torch.equal(before["running_mean"], norm.running_mean)


def test_cat_of_channels_needs_the_same_active_sites() -> None:
    x = batch(2, 6, 5)
    both = torch.cat([x, x * 2, x], 1)
    assert both.sites is x.sites
    assert torch.equal(both.to_dense(), torch.cat([x.to_dense(), 2 * x.to_dense(), x.to_dense()], 1))
    with pytest.raises(ValueError, match="have different active sites"):
        torch.cat([x, F.conv2d(x.float(), torch.ones(2, 2, 3, 3), None, 2)], 1)


@pytest.mark.parametrize(
    "function, message",
    [
        (lambda x: F.softmax(x, 1), "softmax of a SparseTensor: possible are adaptive_avg_pool2d, add, avg_pool2d, "),
        (lambda x: F.max_pool2d(x, 3, 1, 1, 2), r"dilation \(2, 2\) of a SparseTensor: must be \(1, 1\)"),
        (lambda x: F.pad(x, (1, 1), "reflect"), "mode reflect of a SparseTensor: must be constant"),
        (lambda x: F.conv2d(x, torch.ones(4, 2, 3, 3)), r"weight \(4, 2, 3, 3\) in 1 groups on .* of 3 channels"),
        (lambda x: F.conv2d(x, torch.ones(5, 1, 3, 3), groups=3), r"weight \(5, 1, 3, 3\) in 3 groups on"),
        (lambda x: F.max_pool2d(x, 2, ceil_mode=True), "ceil_mode True of a SparseTensor: must be False"),
        (lambda x: F.avg_pool2d(x, 3, 1, 1, count_include_pad=False), "count_include_pad False of a SparseTensor"),
        (lambda x: F.adaptive_avg_pool2d(x, 4), "output_size 4 of a SparseTensor: must divide its size, 5x6, evenly"),
        (lambda x: x.mean((1,)), r"dim \(1,\) of a SparseTensor: must be \(2, 3\)"),
        (lambda x: torch.cat([x, x], 2), "dim 2 of a SparseTensor: must be 0 or 1"),
    ],
)
def test_what_is_not_possible_is_named(function: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        function(batch(3, 5, 6).float())


def test_dropout_drops_whole_channels_of_an_image() -> None:
    x = SparseTensor.from_dense(torch.ones(40, 8, 3, 3), torch.ones(40, 3, 3) > 0)
    torch.manual_seed(0)
    dropped = nn.Dropout2d(0.5)(x).to_dense().flatten(2)
    assert torch.equal(dropped.amin(dim=2), dropped.amax(dim=2))
    assert set(dropped.flatten().tolist()) == {0.0, 2.0}
    assert set(nn.Dropout(0.5)(x).features.flatten().tolist()) == {0.0, 2.0}
