"""DyBit against integers, and against other formats of 4 bits: rounding errors, and what networks keep of accuracy.

Errors of rounding by distribution; ResNet-20 at 4 bits in every format after training; and, for each network of
``cases``, a table of bits of weights and activations by format, after training, reconstructed and fine-tuned, in exact
integers on up to three seeds; and how many points DyBit keeps more than integers, paired image by image. Each
evaluation is kept under ``runs/number_formats``: killed, the command goes on where it was. What was not run is listed.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from scipy.stats import bootstrap

from benchmarks.number_formats.cases import CASES
from benchmarks.number_formats.fit import SIGNED, distribution, sqnr
from benchmarks.number_formats.grids import NAMES, grid
from benchmarks.number_formats.posttraining import errors
from benchmarks.number_formats.seeds import one_scale
from benchmarks.number_formats.tables import (
    AFTER,
    BITS,
    CROSS,
    FAMILIES,
    MIXED,
    MODES,
    SEEDS,
    Evaluation,
    Format,
    calibration,
    evaluate,
    loaded,
    result,
    wanted,
)
from reports.paired import unpack_bits

FIRST = "resnet20"
APART = "fashion_mobilenet"
"""The network whose seeds lie furthest apart."""
DRAWS = 2000
"""Of the test images with replacement, for an interval."""


def measure() -> dict[str, Any]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for evaluation in wanted():
            evaluate(evaluation)
        return gathered()
    finally:
        torch.set_num_threads(before)


def gathered() -> dict[str, Any]:
    """The figures of what was run."""
    data, plan = loaded(FIRST)
    images = torch.from_numpy(calibration(data, SEEDS[0]).train_x)
    evaluations = dict.fromkeys(wanted())
    return {
        "signal over rounding error, dB, 4 bits": decibels(),
        f"{FIRST} W4A4, post-training, by format": by_format(),
        f"{FIRST}, dB by tensor": errors(plan, images, data.input_dtype, FAMILIES),
        f"{APART} W4A4 dybit, post-training, one scale of seed {SEEDS[0]} in seed {SEEDS[1]}": one_scale(
            APART, "dybit", (4, 4), SEEDS[1], SEEDS[0]
        ),
        "networks": {name: accuracies(name) for name in CASES},
        "points of DyBit over int": {name: gains(name) for name in CASES},
        "not run": [own.name for own in evaluations if result(own) is None],
        "seconds of processor time": round(seconds()),
    }


def seconds() -> float:
    """How long all evaluations took, each when it was run."""
    return sum(found["seconds"] for own in dict.fromkeys(wanted()) if (found := result(own)))


def decibels() -> dict[str, dict[str, float]]:
    return {
        title: {name: round(sqnr(distribution(title), grid(name, signed)), 2) for name in NAMES}
        for title, signed in SIGNED.items()
    }


def by_format() -> dict[str, float]:
    """Percent of the test images."""
    found = {pair: result(Format(*pair, SEEDS[0])) for pair in MIXED}
    return {
        f"{weights or 'float'} weights, {outputs or 'float'} outputs": _percent(own)
        for (weights, outputs), own in found.items()
        if own
    }


def accuracies(network: str) -> dict[str, Any]:
    """Of the float network, and by bits, format and mode: percent of the test images, mean and range over the seeds."""
    own: dict[str, Any] = {"float": summary([result(Evaluation(network, "float", AFTER, SEEDS[0]))])}
    for mode in MODES:
        for bits in BITS:
            for family in (*FAMILIES, CROSS):
                found = [result(Evaluation(network, family, mode, seed, bits)) for seed in SEEDS]
                if family != CROSS or any(found):
                    own[f"W{bits[0]}/A{bits[1]} {family}, {mode}"] = summary(found)
    return own


def gains(network: str) -> dict[str, Any]:
    """By bits and mode, how many points DyBit keeps more than integers."""
    own: dict[str, Any] = {}
    for mode in MODES:
        for bits in BITS:
            pairs = [[result(Evaluation(network, family, mode, seed, bits)) for family in FAMILIES] for seed in SEEDS]
            there = [(images_right(int_), images_right(dybit)) for int_, dybit in pairs if int_ and dybit]
            own[f"W{bits[0]}/A{bits[1]} {mode}"] = gain(there) if there else None
    return own


def gain(pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> dict[str, Any]:
    """How many points one format keeps more than another: mean over the seeds, and a 95 % interval over test images.

    pairs    of each seed, the images that the other format and that the one gets right, bool [n] each
    """
    points = 100 * np.mean([one.astype(float) - other for other, one in pairs], axis=0)
    drawn = bootstrap((points,), np.mean, n_resamples=DRAWS, batch=100, method="percentile", rng=0)
    low, high = drawn.confidence_interval
    return {"mean": round(float(points.mean()), 2), "from": round(float(low), 2), "to": round(float(high), 2)}


def images_right(found: dict[str, Any]) -> np.ndarray:
    """bool [n]: the test images that an evaluation got right."""
    return unpack_bits(found["right"], found["of"])


def summary(found: Sequence[dict[str, Any] | None]) -> dict[str, Any] | None:
    """Percent of the test images, mean and range, of the evaluations that were run; None where none was."""
    there = [one for one in found if one]
    if not there:
        return None
    percents = [_percent(one) for one in there]
    summary: dict[str, Any] = {"mean": round(statistics.mean(percents), 2), "from": min(percents), "to": max(percents)}
    return summary | {"seeds": len(there), "test images": there[0]["of"]}


def _percent(found: dict[str, Any]) -> float:
    return round(100 * found["correct"] / found["of"], 2)
