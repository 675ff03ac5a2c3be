"""Networks around one stage, and what a traced plan is made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from torch import Tensor, nn

from models.frontend.trace import TraceError, trace
from models.ir.node import Shape
from models.plan import FloatPlan
from tests.models.nets import net

IMAGE = Shape(8, 8, 4)


def kinds(plan: FloatPlan) -> list[tuple[str, str]]:
    """Name and kind of each layer."""
    return [(layer.name, layer.kind) for layer in plan.layers]


def model_and_shape(name: str) -> tuple[nn.Module, Shape]:
    """A network of ``NETS``, and the shape of its images."""
    model, data = net(name)
    return model, data.shape


class Wrap(nn.Module):
    """A module whose forward is a function of it, inside a stage of the network."""

    def __init__(self, function: Callable[..., Tensor], *layers: nn.Module) -> None:
        super().__init__()
        self.function = function
        self.inner = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x, *self.inner)


def refused(stage: nn.Module, message: str) -> None:
    """Tracing a network with such a stage fails with this message."""
    model = nn.Sequential()
    model.add_module("stem", nn.Conv2d(4, 4, 1))
    model.add_module("stage", stage)
    with pytest.raises(TraceError, match=message):
        trace(model, IMAGE)
