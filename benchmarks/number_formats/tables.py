"""Accuracies of networks in integers and in DyBit, rounded after training and fine-tuned, by seed; each kept.

The method is the same for all: scales of least squared error on calibration images that the seed draws; bias
correction; 8 bits of the same family for the first and the last layer's weights, what the last one reads and what only
an add reads.
Accuracies are those of the fake-quantized networks; at W4A4 some images also run in exact integers.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.number_formats.cases import CASES, RUNS, planned
from benchmarks.number_formats.grids import NAMES
from benchmarks.number_formats.posttraining import Rounded, grids
from models.data import Dataset
from models.plan import Plan, WeightedLayer
from models.quant import QuantizedNetwork, quantize
from models.quant.calibrate import IMAGES, Calibration
from models.quant.formats import uniform
from models.quant.qat import finetune

BATCH = 250
EXACT = 500
"""Test images that also run in exact integers."""
BITS = ((8, 8), (4, 8), (4, 4), (3, 3), (2, 4))
FAMILIES = ("int", "dybit")
AFTER, TUNED = "post-training", "fine-tuned"
SEEDS = (0, 1, 2)
PARTS = ("both", "weights", "outputs")


@dataclass(frozen=True)
class Evaluation:
    """``family`` ``float`` for the network as trained, or fine-tuned as the others are; its ``bits`` are none."""

    network: str
    family: str
    mode: str
    seed: int
    bits: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        bits = f"w{self.bits[0]}a{self.bits[1]}-" if self.bits else ""
        return f"{self.network}-{bits}{self.family}-{self.mode}-{self.seed}"

    def run(self) -> dict[str, Any]:
        data, plan = loaded(self.network)
        case = CASES[self.network]
        epochs = case.tuned if self.mode == TUNED else 0
        few = replace(data, train_x=data.train_x[: case.images], train_y=data.train_y[: case.images])
        if self.bits is None:
            network: nn.Module = Floating(plan)
            finetune(network, plan, few, epochs, self.seed)
            return {"correct": correct(network, data), "of": len(data.test_x)}
        scales = calibrated(self.network, self.seed)
        quantized = quantize(plan, few, assignment(plan, self.family, self.bits), scales, epochs, self.seed)
        found = {"correct": correct(quantized, data), "of": len(data.test_x)}
        return found | (exact(quantized, data) if self.bits == (4, 4) else {})


@dataclass(frozen=True)
class Format:
    """ResNet-20 with a 4-bit format of ``grids.NAMES`` for ``part`` of its tensors, rounded in float after training."""

    format: str
    part: str
    seed: int
    network: str = "resnet20"

    @property
    def name(self) -> str:
        return f"{self.network}-{self.format.replace(' ', '_')}-{self.part}-{self.seed}"

    def run(self) -> dict[str, Any]:
        data, plan = loaded(self.network)
        weights, outputs = grids(plan, data.input_dtype, self.format)
        images = torch.from_numpy(calibration(data, self.seed).train_x)
        network = Rounded(
            plan,
            images,
            {} if self.part == "outputs" else weights,
            {} if self.part == "weights" else outputs,
        )
        found = network.classes(torch.from_numpy(data.test_x))
        return {"correct": int((found == torch.from_numpy(data.test_y)).sum()), "of": len(found)}


def wanted() -> Iterator[Evaluation | Format]:
    """All evaluations, what matters most first; some stand there twice."""
    first, *others = CASES
    four, low, rest = [(4, 4)], [(3, 3)], [(8, 8), (4, 8), (2, 4)]
    yield from rows(first, AFTER, four, SEEDS)
    yield from (Format(name, "both", 0) for name in NAMES)
    yield from (Format(name, part, 0) for name in (*FAMILIES, "float") for part in PARTS[1:])
    yield from rows(first, AFTER, low + rest, SEEDS[:1])
    yield from rows(first, TUNED, four + low, SEEDS[:1])
    for network in others:
        yield from rows(network, AFTER, four + low + rest, SEEDS[:1])
        yield from rows(network, TUNED, four + low, SEEDS[:1])
    yield from rows(first, TUNED, four, SEEDS[1:])
    for network in others:
        yield from rows(network, AFTER, four, SEEDS[1:])
    for seed in SEEDS:
        for mode in (TUNED, AFTER):
            for network in CASES:
                yield from rows(network, mode, four + low + rest, (seed,))


def rows(network: str, mode: str, widths: list[tuple[int, int]], seeds: tuple[int, ...]) -> Iterator[Evaluation]:
    for seed in seeds:
        if widths[0] == (4, 4) and (mode == TUNED or not seed):
            yield Evaluation(network, "float", mode, seed)
        for bits in widths:
            yield from (Evaluation(network, family, mode, seed, bits) for family in FAMILIES)


@cache
def loaded(network: str) -> tuple[Dataset, Plan]:
    data = CASES[network].loaded()
    return data, planned(network, data)


@cache
def calibrated(network: str, seed: int) -> Calibration:
    data, plan = loaded(network)
    return Calibration(plan, calibration(data, seed))


def calibration(data: Dataset, seed: int) -> Dataset:
    """The data set with the ``IMAGES`` training images that the seed draws."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(data.train_x), generator=generator)[:IMAGES].numpy()
    return replace(data, train_x=data.train_x[chosen], train_y=data.train_y[chosen])


def assignment(plan: Plan, family: str, bits: tuple[int, int]) -> dict[str, str]:
    weights, output = bits
    fine = f"{family}8"
    return uniform(plan, f"{family}{weights}", f"{family}{output}", ends=fine, branches=fine)


class Floating(nn.Module):
    """A plan's weights and biases, to be trained as they are."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan
        weighted = [layer for layer in plan.layers if isinstance(layer, WeightedLayer)]
        self.weights = nn.ParameterDict({layer.name: layer.weight.clone() for layer in weighted})
        self.biases = nn.ParameterDict({layer.name: layer.bias.clone() for layer in weighted})

    def forward(self, x: Tensor) -> Tensor:
        own = {name: {"weight": self.weights[name], "bias": self.biases[name]} for name in self.weights}
        layers = (replace(layer, **own.get(layer.name, {})) for layer in self.plan.layers)
        return replace(self.plan, layers=tuple(layers)).logits(x)


def classes(network: nn.Module, data: Dataset, count: int | None = None) -> Tensor:
    """int64 [n]: the largest output of each test image; of a quantized network, the fake-quantized one's."""
    found = []
    with torch.no_grad():
        for part in torch.from_numpy(data.test_x[:count]).split(BATCH):
            part = part if data.sparse else part.contiguous(memory_format=torch.channels_last)
            logits = network.fake_logits(part) if isinstance(network, QuantizedNetwork) else network(part)
            found.append(logits.argmax(dim=1))
    return torch.cat(found)


def correct(network: nn.Module, data: Dataset) -> int:
    return int((classes(network, data) == torch.from_numpy(data.test_y)).sum())


def exact(network: QuantizedNetwork, data: Dataset) -> dict[str, Any]:
    """How many of the first test images are right in exact integers, and of how many the class is the fake one's."""
    labels = torch.from_numpy(data.test_y[:EXACT])
    with torch.no_grad():
        found = network.logits(torch.from_numpy(data.test_x[:EXACT])).argmax(dim=1)
    fake = classes(network, data, EXACT)
    return {
        "exact": {
            "correct": int((found == labels).sum()),
            "fake, correct": int((fake == labels).sum()),
            "agree": int((found == fake).sum()),
            "of": len(labels),
        }
    }


def result(evaluation: Evaluation | Format) -> dict[str, Any] | None:
    """What was found, if it was run."""
    path = RUNS / "evaluations" / f"{evaluation.name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def evaluate(evaluation: Evaluation | Format) -> dict[str, Any]:
    """What is found, from its file if it is there."""
    found = result(evaluation)
    if found is None:
        begin = time.process_time()
        found = evaluation.run()
        found["seconds"] = round(time.process_time() - begin, 1)
        path = RUNS / "evaluations" / f"{evaluation.name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(".part")
        beside.write_text(json.dumps(found) + "\n", encoding="utf-8")
        os.replace(beside, path)
    return found
