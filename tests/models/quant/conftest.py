"""A trained network for the tests of its quantization."""

from __future__ import annotations

import pytest

from models.data import Dataset, load
from models.evaluate import accuracy
from models.frontend.trace import trace
from models.plan import FloatPlan
from models.train import train
from models.zoo import load_model


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load("digits")


@pytest.fixture(scope="session")
def trained(digits: Dataset) -> FloatPlan:
    """digits_cnn after the standard recipe, at least 98 % right."""
    model = train(load_model("digits_cnn"), digits)
    assert accuracy(model, digits, "test").value >= 0.98
    return trace(model, digits.shape, "digits_cnn")
