"""What may end a module and leaves its largest output the largest: it is left out of the plan."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

SURE = 1e-6
"""A sigmoid's outputs this near 0 or 1 train no further."""


@dataclass(frozen=True)
class Ending:
    """A function of outputs ``[n, classes]`` that keeps their order.

    Parameters
        apply   the function
        undo    outputs that ``apply`` makes what it is given: of a softmax's its logarithms, among others
    """

    apply: Callable[[Tensor], Tensor]
    undo: Callable[[Tensor], Tensor]


ENDINGS: dict[str, Ending] = {
    "": Ending(lambda x: x, lambda x: x),
    "softmax": Ending(lambda x: x.softmax(1), lambda x: x.clamp(min=torch.finfo(x.dtype).tiny).log()),
    "log_softmax": Ending(lambda x: x.log_softmax(1), lambda x: x),
    "sigmoid": Ending(torch.sigmoid, lambda x: torch.logit(x, SURE)),
}
MODULES: dict[type[nn.Module], str] = {nn.Softmax: "softmax", nn.LogSoftmax: "log_softmax", nn.Sigmoid: "sigmoid"}
FUNCTIONS: dict[Any, str] = {
    F.softmax: "softmax",
    torch.softmax: "softmax",
    "softmax": "softmax",
    F.log_softmax: "log_softmax",
    torch.log_softmax: "log_softmax",
    "log_softmax": "log_softmax",
    torch.sigmoid: "sigmoid",
    "sigmoid": "sigmoid",
}


def ending_of(model: nn.Module, node: fx.Node) -> str:
    """The key of ``ENDINGS`` that a traced operation is; empty where it is none of them."""
    if node.op == "call_module":
        return MODULES.get(type(model.get_submodule(str(node.target))), "")
    return FUNCTIONS.get(node.target, "") if node.op in ("call_function", "call_method") else ""


def dim_of(model: nn.Module, node: fx.Node) -> object:
    """The dimension that a softmax is told to add up over; None where it is told none."""
    if node.op == "call_module":
        return getattr(model.get_submodule(str(node.target)), "dim", None)
    return node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
