"""``load_model``: a network by name, or from a function of a user's file."""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from torch import nn

from models.frontend.source import call, is_function
from models.ir.names import near
from models.zoo.digits_cnn import DigitsCNN
from models.zoo.digits_dvs_net import DigitsDvsNet
from models.zoo.fashion import FashionResNet, fashion_mobilenet
from models.zoo.n_mnist_net import NMnistNet
from models.zoo.parametric import EXAMPLE, PREFIX, Architecture
from models.zoo.published import PUBLISHED
from models.zoo.resnet20 import ResNet20, pretrained_resnet20

MODELS: dict[str, Callable[[], nn.Module]] = {
    "digits_cnn": DigitsCNN,
    "digits_dvs_net": DigitsDvsNet,
    "fashion_mobilenet": fashion_mobilenet,
    "fashion_resnet": FashionResNet,
    "n_mnist_net": NMnistNet,
    "resnet20": ResNet20,
    **{name: network.build for name, network in PUBLISHED.items()},
}
PRETRAINED: dict[str, Callable[[], nn.Module]] = {"resnet20:cifar10": pretrained_resnet20}
"""Networks with published weights, which are not part of the project."""


def describe(name: str) -> str:
    """A description of a built-in network, in one line."""
    if name in PUBLISHED:
        return PUBLISHED[name].about
    if name in PRETRAINED:
        return (
            f"{name.partition(':')[0]} with published weights, which NETWEAVE_DATA has; [train] epochs = 0 keeps them"
        )
    return (sys.modules[MODELS[name].__module__].__doc__ or "").strip().partition("\n")[0]


class ModelError(ValueError):
    """A network that does not exist; the message names it and what would be valid."""


def load_model(spec: str, seed: int = 0) -> nn.Module:
    """Build a network. The caller's random state stays as it is.

    Parameters
        spec     built-in name, ``Architecture`` or ``file.py:function``
        seed     seed of the random weights
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if spec in MODELS:
            return MODELS[spec]()
        if spec in PRETRAINED:
            return PRETRAINED[spec]()
        if spec.startswith(f"{PREFIX}:"):
            return Architecture.parse(spec).build()
        if not is_function(spec):
            names = [*MODELS, *PRETRAINED]
            valid = f"{near(spec, names)}valid are {', '.join(names)}"
            raise ModelError(f"unknown model {spec!r}; {valid}, or '{EXAMPLE}', or 'file.py:function'")
        model = call(spec)
    if not isinstance(model, nn.Module):
        raise ModelError(f"model {spec!r}: the function must return a torch.nn.Module, not {type(model).__name__}")
    return model
