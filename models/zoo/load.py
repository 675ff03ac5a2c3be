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
from models.zoo.resnet20 import ResNet20, published

MODELS: dict[str, Callable[[], nn.Module]] = {
    "digits_cnn": DigitsCNN,
    "digits_dvs_net": DigitsDvsNet,
    "fashion_mobilenet": fashion_mobilenet,
    "fashion_resnet": FashionResNet,
    "n_mnist_net": NMnistNet,
    "resnet20": ResNet20,
    **{name: network.build for name, network in PUBLISHED.items()},
}
TRAINED: dict[str, Callable[[], nn.Module]] = {"resnet20:cifar10": published}
"""Networks that come with weights, from data outside the project."""


def about(name: str) -> str:
    """What a built-in network is, in a line."""
    if name in PUBLISHED:
        return PUBLISHED[name].about
    if name in TRAINED:
        return (
            f"{name.partition(':')[0]} with published weights, which NETWEAVE_DATA has; [train] epochs = 0 keeps them"
        )
    return (sys.modules[MODELS[name].__module__].__doc__ or "").strip().partition("\n")[0]


class ModelError(ValueError):
    """A network that does not exist; the message names it and what would be valid."""


def load_model(spec: str, seed: int = 0) -> nn.Module:
    """The network that ``spec`` names: a built-in name, an ``Architecture`` or ``file.py:function``.

    Weights that the network draws at random follow ``seed``. The caller's random state stays as it is.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if spec in MODELS:
            return MODELS[spec]()
        if spec in TRAINED:
            return TRAINED[spec]()
        if spec.startswith(f"{PREFIX}:"):
            return Architecture.parse(spec).build()
        if not is_function(spec):
            names = [*MODELS, *TRAINED]
            known = f"{near(spec, names)}valid are {', '.join(names)}"
            raise ModelError(f"unknown model {spec!r}; {known}, or '{EXAMPLE}', or 'file.py:function'")
        model = call(spec)
    if not isinstance(model, nn.Module):
        raise ModelError(f"model {spec!r}: the function must return a torch.nn.Module, not {type(model).__name__}")
    return model
