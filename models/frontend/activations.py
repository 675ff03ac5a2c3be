"""The functions of single numbers that a traced network may use; they become tables."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.frontend.build import PlanBuilder, Value


@dataclass(frozen=True)
class Activation:
    """A function of torch, and how networks call it.

    Parameters
        function    the function
        module      the module that applies it
        settings    its further arguments in their order, which are the module's attributes
        low         a number that no result is below
        names       what else calls it: other functions, names of methods
    """

    function: Callable[..., Tensor]
    module: type[nn.Module]
    settings: tuple[str, ...] = ()
    low: float = -math.inf
    names: tuple[Any, ...] = ()

    def handle(self, build: PlanBuilder, x: Value, *args: Any, inplace: bool = False, **settings: Any) -> Value:
        """The handler of the function."""
        settings |= dict(zip(self.settings, args, strict=False))
        return build.activation(x, partial(self.function, **settings) if settings else self.function, self.low)

    def handle_module(self, build: PlanBuilder, m: nn.Module, x: Value) -> Value:
        """The handler of the module."""
        return self.handle(build, x, **{name: getattr(m, name) for name in self.settings})


ACTIVATIONS = (
    Activation(torch.sigmoid, nn.Sigmoid, low=0.0, names=(F.sigmoid, "sigmoid")),
    Activation(torch.tanh, nn.Tanh, names=(F.tanh, "tanh")),
    Activation(F.silu, nn.SiLU),
    Activation(F.gelu, nn.GELU, ("approximate",)),
    Activation(F.mish, nn.Mish),
    Activation(F.hardswish, nn.Hardswish),
    Activation(F.hardsigmoid, nn.Hardsigmoid, low=0.0),
    Activation(F.leaky_relu, nn.LeakyReLU, ("negative_slope",)),
    Activation(F.elu, nn.ELU, ("alpha",)),
    Activation(F.softplus, nn.Softplus, ("beta", "threshold"), low=0.0),
    Activation(F.softsign, nn.Softsign),
)


def _prelu(build: PlanBuilder, x: Value, weight: Tensor) -> Value:
    return build.activation(x, F.prelu, weight=weight)


MODULES: dict[type[nn.Module], Callable[..., Any]] = {
    **{own.module: own.handle_module for own in ACTIVATIONS},
    nn.PReLU: lambda build, m, x: _prelu(build, x, m.weight),
}
FUNCTIONS: dict[Any, Callable[..., Any]] = {
    **{name: own.handle for own in ACTIVATIONS for name in (own.function, *own.names)},
    F.prelu: _prelu,
}
