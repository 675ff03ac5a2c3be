"""The float plan, of layers put together by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from models.ir.node import Shape
from models.layers.add import AddLayer
from models.layers.clip import ClipLayer
from models.layers.input import InputLayer
from models.layers.linear import LinearLayer
from models.layers.max_pool import MaxPoolLayer
from models.plan import FloatPlan

ONE = Shape(1, 1, 2)
WEIGHT = torch.tensor([[1.0, -1.0], [0.5, 2.0]])[:, :, None, None]
BIAS = torch.tensor([0.0, 1.0])


@pytest.fixture
def plan() -> FloatPlan:
    """``add`` of what ``pool`` and ``relu`` give, and a linear layer behind it."""
    pixels = Shape(2, 2, 2)
    return FloatPlan(
        "net",
        (
            InputLayer(name="input", shape=pixels),
            MaxPoolLayer(name="pool", inputs=("input",), shape=ONE, kernel=2, stride=2, padding=0),
            ClipLayer(name="relu", inputs=("pool",), shape=ONE, clip=(0.0, math.inf)),
            AddLayer(name="add", inputs=("pool", "relu"), shape=ONE, clip=(-1.5, 1.5)),
            LinearLayer(name="fc", inputs=("add",), shape=ONE, weight=WEIGHT, bias=BIAS),
        ),
        "fc",
    )


X = torch.tensor([[[[-4.0, -2.0], [-8.0, -0.5]], [[0.25, 0.5], [-1.0, 1.0]]]])


def test_every_layer_is_computed_and_clipped(plan: FloatPlan) -> None:
    """The maxima are -0.5 and 1; with their positive parts they add up to -0.5 and 2, which is clipped to 1.5."""
    values = {name: value.flatten().tolist() for name, value in plan.values(X).items()}
    assert values["input"] == X.flatten().tolist()
    del values["input"]
    assert values == {
        "pool": [-0.5, 1.0], "relu": [0.0, 1.0], "add": [-0.5, 1.5], "fc": [-0.5 - 1.5, -0.25 + 3.0 + 1.0],
    }  # fmt: skip
    assert plan.logits(torch.cat([X, X])).tolist() == [[-2.0, 3.75]] * 2


def test_layers_are_found_by_name_and_by_what_they_read(plan: FloatPlan) -> None:
    assert plan["add"].inputs == ("pool", "relu")
    assert plan.input.shape == (2, 2, 2)
    assert plan.consumers("pool") == ("relu", "add")
    assert plan.consumers("fc") == ()
    twice = AddLayer(name="twice", inputs=("input", "input"), shape=Shape(2, 2, 2))
    assert FloatPlan("g", (plan.input, twice), "twice").consumers("input") == ("twice", "twice")


def test_layers_with_a_format_of_their_own(plan: FloatPlan) -> None:
    """A pool keeps its input's, and an output without weights has the accumulator's."""
    assert plan.quantizable_layers == ("relu", "add", "fc")
    assert FloatPlan("net", plan.layers[:4], "add").quantizable_layers == ("relu",)


def test_another_float_type_reaches_every_tensor_and_leaves_the_plan(plan: FloatPlan) -> None:
    double = plan.to(torch.float64)
    weights = [getattr(own["fc"], name) for own in (plan, double) for name in ("weight", "bias")]
    assert all(isinstance(weight, Tensor) for weight in weights)
    assert [weight.dtype for weight in weights] == [torch.float32] * 2 + [torch.float64] * 2
    assert double.logits(X.double()).dtype == torch.float64
    assert double.logits(X.double()).tolist() == plan.logits(X).tolist()
