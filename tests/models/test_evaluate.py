from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from models.data.dataset import SPLITS
from models.evaluate import Accuracy, accuracy, predicted, right
from tests.models.nets import random_data


@pytest.mark.parametrize("correct, total", [(0, 10), (10, 10), (7, 10), (533, 539)])
def test_the_wilson_interval_solves_its_equation(correct: int, total: int) -> None:
    found = Accuracy(correct, total)
    assert found.value == correct / total
    for bound in found.interval:
        # |observed - true| = z standard deviations of the true proportion
        variance = bound * (1 - bound) / total
        assert (found.value - bound) ** 2 == pytest.approx(1.959963984540054**2 * variance, abs=1e-15)
    assert 0 <= found.interval[0] <= found.value <= found.interval[1] <= 1


class FirstPixel(nn.Module):
    """Says the class that the first pixel spells, in eval mode only."""

    def forward(self, x: Tensor) -> Tensor:
        assert not self.training
        return nn.functional.one_hot((x[:, 0, 0, 0] * 8).long() % 5, 5).float()


def test_accuracy_counts_the_largest_output() -> None:
    data = random_data(1, 4)
    model = FirstPixel().train()
    for split in SPLITS:
        classes = [int(x[0, 0, 0] * 8) % 5 for x in data.split(split)[0]]
        assert predicted(model, data, split).tolist() == classes
        wanted = [own == y for own, y in zip(classes, data.split(split)[1], strict=True)]
        assert right(model, data, split).tolist() == wanted
        assert accuracy(model, data, split) == Accuracy(sum(wanted), len(wanted))
    assert model.training
    with pytest.raises(ValueError, match=r"network outputs have shape \(20, 4\), not \(20, 5\)"):
        accuracy(nn.Sequential(nn.Flatten(), nn.Linear(16, 4)), data, "test")
    assert torch.is_grad_enabled()
