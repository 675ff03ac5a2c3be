"""Active sites and the windows over them: against loops over every window, and found once a resolution."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.ir.window import Window
from models.sparse import Sites
from tests.models.sparse.batches import batch


def test_what_windows_see_is_found_once_a_resolution() -> None:
    x = batch(4, 9, 7)
    block = nn.Sequential(nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 3, padding=1, groups=4), nn.Conv2d(4, 4, 3, padding=1))
    y = block.double()(x)
    assert y.sites is x.sites
    assert x.sites.windows(Window.of(3, 1, 1)) is x.sites.windows(Window.of(3, 1, 1))
    # cells are the same for every 'same' kernel, so both sides of a residual block share them
    assert F.conv2d(x, torch.ones(4, 4, 1, 1).double(), None, 2).sites is F.max_pool2d(x, 3, 2, 1).sites


def masks() -> Tensor:
    """bool [5, 6, 5]: an image of each density."""
    shares = torch.tensor([0.0, 0.1, 0.4, 0.8, 1.0])
    return torch.rand(5, 6, 5, generator=torch.Generator().manual_seed(0)) < shares[:, None, None]


WINDOWS = [
    Window.of(1), Window.of(1, 2), Window.of(2, 2), Window.of(3), Window.of(3, 2, 1), Window.of(5, 1, 2),
    Window.of((1, 3), (2, 1), (0, 1)), Window.of((4, 2), (1, 3), (1, 0, 2, 1)),
    Window.of((2, 3), 2, (1, 1, 1, 2), (2, 1)),
]  # fmt: skip


@pytest.mark.parametrize("window", WINDOWS, ids=str)
def test_windows_are_those_of_loops_over_every_output(window: Window) -> None:
    """An output site is active when its stride cell has an active site; its taps lie at ``s * y + d * ky - before``."""
    mask = masks()
    sites = Sites.of(mask)
    number = {tuple(site): index for index, site in enumerate(mask.nonzero().tolist())}
    axes = (window.y, window.x)
    spans = [axis.dilation * (axis.kernel - 1) + 1 for axis in axes]
    firsts = [
        max(0, min((span - 1) // 2, span - axis.stride)) - axis.before for span, axis in zip(spans, axes, strict=True)
    ]
    height, width = (
        (axis.before + side + axis.after - axis.dilation * (axis.kernel - 1) - 1) // axis.stride + 1
        for axis, side in zip(axes, (6, 5), strict=True)
    )
    active, rows = [], []
    for image, y, x in itertools.product(range(5), range(height), range(width)):
        corner = window.y.stride * y, window.x.stride * x
        cell = itertools.product(*(range(axis.stride) for axis in axes))
        if any((image, corner[0] + firsts[0] + dy, corner[1] + firsts[1] + dx) in number for dy, dx in cell):
            active.append([image, y, x])
            taps = itertools.product(
                *(range(-axis.before, axis.dilation * axis.kernel - axis.before, axis.dilation) for axis in axes)
            )
            rows.append([number.get((image, corner[0] + dy, corner[1] + dx), len(sites)) for dy, dx in taps])
    outputs = sites.output_sites(window)
    assert torch.cat([outputs.image[:, None], outputs.coordinates], 1).tolist() == active
    windows = sites.windows(window)
    assert windows.rows.T.tolist() == rows
    pairs = [(tap, row[tap], number) for tap in range(window.taps) for number, row in enumerate(rows)]
    assert [
        (tap, site, number)
        for tap, (seen, by) in enumerate(windows.pairs)
        for site, number in zip(seen.tolist(), by.tolist(), strict=True)
    ] == [pair for pair in pairs if pair[1] < len(sites)]


def test_only_a_window_that_leaves_the_sites_as_they_are_has_a_center_tap() -> None:
    sites = Sites.of(masks())
    expected = {
        Window.of(1): 0, Window.of(3, 1, 1): 4, Window.of(5, 1, 2): 12, Window.of(3): None, Window.of(3, 2, 1): None,
        Window.of((1, 3), 1, (0, 1)): 1, Window.of(2, 1, (0, 0, 1, 1)): 0, Window.of(3, 1, 2, 2): 4,
        Window.of(2, 1, 1, 2): None,
    }  # fmt: skip
    assert {window: sites.windows(window).center_tap for window in expected} == expected


def test_split_counts_images_from_zero() -> None:
    mask = masks()
    for size in (1, 2, 3, 5, 8):
        parts = Sites.of(mask).split(size)
        assert all(part.same(Sites.of(own)) for part, own in zip(parts, mask.split(size), strict=True))


def test_sites_are_the_same_where_images_and_places_are() -> None:
    mask = torch.tensor([[[True, False, True, False]]])
    sites = Sites.of(mask)
    assert sites.same(Sites.of(mask.clone()))
    assert not sites.same(Sites.of(mask.view(1, 2, 2)))
    assert not sites.same(Sites.of(mask.view(2, 1, 2)))
    assert not sites.same(Sites.of(~mask))
    assert [Sites.of(own).full for own in (mask, mask | ~mask)] == [False, True]
