"""Accuracies of networks in integers and DyBit, rounded after training, reconstructed, fine-tuned, by seed; each kept.

The method is the same for all: scales of least squared error on calibration images that the seed draws; bias
correction; 8 bits of the same family, or of integers where it has none, for the first and the last layer's weights,
what the last one reads and what only an add reads. Reconstruction then chooses each weight's rounding for what its
layer gives; fine-tuning goes on from there, and learns from what the float network's layers give, from which that
network itself would learn nothing.
Accuracies are those of exact integers, on all test images.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.number_formats.cases import CASES, RUNS, planned
from benchmarks.number_formats.grids import NAMES
from benchmarks.number_formats.posttraining import Rounded, grids
from models.data import Dataset
from models.ir.formats.registry import FORMAT_NAMES
from models.plan import FloatPlan
from models.quant import quantize
from models.quant.calibrate import IMAGES, Calibration
from models.quant.formats import uniform
from reports.paired import pack_bits

BATCH = 250
BITS = ((8, 8), (4, 8), (4, 4), (3, 3), (2, 4))
FEW_BITS = ((4, 4), (3, 3))
"""Where formats matter, and hence every seed is run; of the others one is."""
FAMILIES = ("int", "dybit")
CROSS = "intxdybit"
"""Integers for weights, DyBit for outputs; at W4A4 of the first network alone."""
AFTER, RECONSTRUCTED, TUNED = "post-training", "reconstructed", "fine-tuned"
MODES = (AFTER, RECONSTRUCTED, TUNED)
ROUNDS = 3
"""Of choosing how weights are rounded, where a network is reconstructed after training."""
SEEDS = (0, 1, 2)
MIXED: tuple[tuple[str | None, str | None], ...] = (
    *((name, name) for name in NAMES),
    *((name, None) for name in ("int", "dybit", "e2m1")),
    *((None, name) for name in ("int", "dybit", "e2m1")),
    ("int", "dybit"),
    ("dybit", "int"),
)
"""Formats of 4 bits of ResNet-20's weights and outputs that are compared; none for those that stay float."""


@dataclass(frozen=True)
class Evaluation:
    """``family`` ``float``, without ``bits``, for the network as trained."""

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
        epochs, folds = (case.tuned if self.mode == TUNED else 0), (0 if self.mode == AFTER else ROUNDS)
        few = replace(data, train_x=data.train_x[: case.images], train_y=data.train_y[: case.images])
        if self.bits is None:
            return counted(right(plan.logits, data))
        scales = calibrated(self.network, self.seed)
        formats = assignment(plan, self.family, self.bits)
        quantized = quantize(plan, few, formats, scales, epochs, self.seed, reconstruction=folds)
        return counted(right(quantized.logits, data))


@dataclass(frozen=True)
class Format:
    """ResNet-20's tensors of 4 bits in formats of ``grids.NAMES``, rounded in float after training; None for float."""

    weights: str | None
    outputs: str | None
    seed: int
    network: str = "resnet20"

    @property
    def name(self) -> str:
        formats = "-".join(str(own or "none").replace(" ", "_") for own in (self.weights, self.outputs))
        return f"{self.network}-{formats}-{self.seed}"

    def run(self) -> dict[str, Any]:
        data, plan = loaded(self.network)
        images = torch.from_numpy(calibration(data, self.seed).train_x)
        weights = grids(plan, data.input_dtype, self.weights)[0] if self.weights else {}
        outputs = grids(plan, data.input_dtype, self.outputs)[1] if self.outputs else {}
        network = Rounded(plan, images, weights, outputs)
        found = network.classes(torch.from_numpy(data.test_x))
        return counted(found.numpy() == data.test_y)


def wanted() -> Iterator[Evaluation | Format]:
    """All evaluations, what matters most first; some stand there twice."""
    first, *others = CASES
    few, more = list(FEW_BITS), [bits for bits in BITS if bits not in FEW_BITS]
    yield from (Evaluation(network, "float", AFTER, SEEDS[0]) for network in CASES)
    yield from (Format(weights, outputs, 0) for weights, outputs in MIXED)
    yield from rows(first, few, SEEDS)
    for network in others:
        yield from rows(network, few, SEEDS[:1])
    yield from (Evaluation(first, CROSS, mode, seed, (4, 4)) for mode in MODES for seed in SEEDS)
    for network in others:
        yield from rows(network, few, SEEDS)
    for network in CASES:
        yield from rows(network, more, SEEDS[:1])


def rows(network: str, widths: list[tuple[int, int]], seeds: tuple[int, ...]) -> Iterator[Evaluation]:
    for bits in widths:
        for seed in seeds:
            yield from (Evaluation(network, family, mode, seed, bits) for mode in MODES for family in FAMILIES)


@cache
def loaded(network: str) -> tuple[Dataset, FloatPlan]:
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


def assignment(plan: FloatPlan, family: str, bits: tuple[int, int]) -> dict[str, str]:
    weights, output = ("int", "dybit") if family == CROSS else (family, family)
    fine = f"{weights}8" if f"{weights}8" in FORMAT_NAMES else "int8"
    return uniform(plan, f"{weights}{bits[0]}", f"{output}{bits[1]}", ends=fine, branches=fine)


def right(logits: Callable[[Tensor], Tensor], data: Dataset) -> np.ndarray:
    """bool [n]: the test images whose largest output is their class."""
    found = []
    with torch.no_grad():
        for part in torch.from_numpy(data.test_x).split(BATCH):
            part = part if data.sparse else part.contiguous(memory_format=torch.channels_last)
            found.append(logits(part).argmax(dim=1))
    return torch.cat(found).numpy() == data.test_y


def counted(found: np.ndarray) -> dict[str, Any]:
    """What is kept of an evaluation: how many images are right, and which."""
    return {"correct": int(found.sum()), "of": len(found), "right": pack_bits(found)}


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
