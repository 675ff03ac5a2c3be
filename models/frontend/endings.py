"""Operations that may end a module and keep the largest output the largest. A plan leaves them out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

SIGMOID_MARGIN = 1e-6
"""Outputs of a sigmoid are clipped to this distance from 0 and 1 before they are inverted."""


@dataclass(frozen=True)
class Ending:
    """A function of outputs ``[n, classes]`` that keeps their order.

    Parameters
        apply     the function
        undo      an inverse; for a softmax, which has many, the logarithm
    """

    apply: Callable[[Tensor], Tensor]
    undo: Callable[[Tensor], Tensor]


ENDINGS: dict[str, Ending] = {
    "": Ending(lambda x: x, lambda x: x),
    "softmax": Ending(lambda x: x.softmax(1), lambda x: x.clamp(min=torch.finfo(x.dtype).tiny).log()),
    "log_softmax": Ending(lambda x: x.log_softmax(1), lambda x: x),
    "sigmoid": Ending(torch.sigmoid, lambda x: torch.logit(x, SIGMOID_MARGIN)),
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
    """The key of a traced operation in ``ENDINGS``, or an empty string.

    Parameters
        model     traced module
        node      operation
    """
    if node.op == "call_module":
        return MODULES.get(type(model.get_submodule(str(node.target))), "")
    return FUNCTIONS.get(node.target, "") if node.op in ("call_function", "call_method") else ""


def dim_of(model: nn.Module, node: fx.Node) -> object:
    """The ``dim`` argument of a softmax, or None.

    Parameters
        model     traced module
        node      operation
    """
    if node.op == "call_module":
        return getattr(model.get_submodule(str(node.target)), "dim", None)
    return node.kwargs.get("dim", node.args[1] if len(node.args) > 1 else None)
