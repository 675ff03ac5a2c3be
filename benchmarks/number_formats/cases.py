"""The networks of the tables, each with its data, trained in float once and kept under ``runs/``."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from benchmarks.inputs import n_mnist
from models import data
from models.data import Dataset
from models.plan import FloatPlan
from models.quant.qat import plan_for
from models.train import train
from models.weights import load_weights, save_weights
from models.zoo import load_model

RUNS = Path("runs") / "number_formats"
SEED = 0


@dataclass(frozen=True)
class Case:
    """A network and its data; ``epochs`` of float training, 0 where it comes with weights.

    ``tuned``: so many epochs of fine-tuning, each of the first ``images`` training images.
    """

    title: str
    model: str
    data: Callable[[], str]
    epochs: int
    tuned: int
    images: int

    def loaded(self) -> Dataset:
        return data.load(self.data())


CASES = {
    "resnet20": Case("ResNet-20, CIFAR-10", "resnet20:cifar10", lambda: "cifar10", 0, 2, 3000),
    "n_mnist": Case("n_mnist_net, N-MNIST", "n_mnist_net", n_mnist.split, 120, 10, 800),
    "fashion_resnet": Case("residual, Fashion-MNIST", "fashion_resnet", lambda: "fashion_mnist", 8, 1, 12_000),
    "fashion_mobilenet": Case(
        "MobileNetV2-like, Fashion-MNIST", "fashion_mobilenet", lambda: "fashion_mnist", 7, 1, 12_000
    ),
}


def trained(name: str, images: Dataset) -> nn.Module:
    """The float network of a case, trained if it is not there yet."""
    case, path = CASES[name], RUNS / "float" / f"{name}.npz"
    network = load_model(case.model, SEED)
    if not case.epochs:
        return network.eval()
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part.npz")
        # the order in which convolutions take half the time
        for parameter in network.parameters():
            if parameter.dim() == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        save_weights(train(network, images, case.epochs, SEED), beside)
        os.replace(beside, path)
        network = load_model(case.model, SEED)
    load_weights(network, path)
    return network.eval()


def planned(name: str, images: Dataset) -> FloatPlan:
    return plan_for(trained(name, images), images, name)
