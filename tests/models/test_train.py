"""Training: batches, augmentation, and that it is the same each time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.data import Augment
from models.ir.formats.integer import IntType
from models.train import BATCH, augment_images, batches, train
from tests.models.nets import net, random_data


def test_no_epochs_leave_the_weights_alone() -> None:
    model, data = net("pools")
    before = [p.clone() for p in model.parameters()]
    train(model, data, epochs=0)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_training_is_deterministic_and_follows_its_seed() -> None:
    data = net("depthwise")[1]
    state = torch.random.get_rng_state()
    calls: list[tuple[str, int, int]] = []
    runs = [
        train(net("depthwise")[0], data, epochs=1, seed=seed, progress=lambda *call: calls.append(call))
        for seed in (0, 0, 1)
    ]
    weights = [torch.cat([p.detach().flatten() for p in run.parameters()]) for run in runs]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.random.get_rng_state(), state)
    assert calls == [("train", 1, 1)] * 3
    assert not any(run.training for run in runs)


def test_an_epoch_shows_every_image_once_but_for_a_last_partial_batch() -> None:
    data = random_data(1, 4)
    x = np.tile(np.arange(BATCH + 5, dtype=np.float32).reshape(-1, 1, 1, 1) / 8, (1, 1, 4, 4))
    data = replace(data, train_x=x, train_y=np.arange(len(x)) % 5, input_dtype=IntType(8, False))
    epochs = [list(batches(data, torch.Generator().manual_seed(seed))) for seed in (0, 1)]
    for epoch in epochs:
        ((images, labels),) = epoch
        numbers = (images[:, 0, 0, 0] * 8).int().tolist()
        assert len(set(numbers)) == BATCH
        assert [number % 5 for number in numbers] == labels.tolist()
    assert not torch.equal(epochs[0][0][0], epochs[1][0][0])


def test_fewer_images_than_a_batch_are_one() -> None:
    data = random_data(1, 4)
    ((images, _),) = batches(data, torch.Generator().manual_seed(0))
    assert sorted(images.sum((1, 2, 3)).tolist()) == sorted(torch.from_numpy(data.train_x).sum((1, 2, 3)).tolist())


def test_without_augmentation_images_are_what_they_were() -> None:
    x = torch.rand(3, 1, 4, 4)
    assert augment_images(x, Augment(), torch.Generator()) is x


def test_a_flip_leaves_an_image_or_mirrors_it() -> None:
    x = torch.rand(40, 2, 3, 5)
    result = augment_images(x, Augment(flip=True), torch.Generator().manual_seed(0))
    same = torch.isclose(result, x, atol=1e-5).all(3).all(2).all(1)
    mirrored = torch.isclose(result, x.flip(3), atol=1e-5).all(3).all(2).all(1)
    assert (same ^ mirrored).all()
    assert 5 < int(same.sum()) < 35


@pytest.mark.parametrize("augment", [Augment(shift=2.0), Augment(rotate=30.0), Augment(zoom=0.3)], ids=str)
def test_a_pixel_moves_no_further_than_it_may(augment: Augment) -> None:
    """Of one bright pixel the centre of what is left, measured from the middle of an image of 21 by 21."""
    x = torch.zeros(60, 1, 21, 21)
    x[:, 0, 10, 16] = 1
    result = augment_images(x, augment, torch.Generator().manual_seed(0))[:, 0]
    place = torch.arange(21.0) - 10
    down, right = ((result * own).sum((1, 2)) / result.sum((1, 2)) for own in (place[:, None], place))
    radius, turn = torch.hypot(down, right), torch.atan2(down, right).rad2deg().abs()
    if augment.shift:
        assert max((right - 6).abs().max(), down.abs().max()) <= 2 + 1e-4
        assert (right - 6).abs().max() > 1
    elif augment.rotate:
        assert turn.max() <= 30 + 1
        assert turn.max() > 15
        assert radius == pytest.approx(6, abs=0.35)
    else:
        assert radius.max() <= 6 / 0.7 + 0.5
        assert radius.min() >= 6 / 1.3 - 0.5
        assert turn.max() < 1
        assert radius.max() - radius.min() > 1.5
