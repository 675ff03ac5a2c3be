"""Minifloats and powers of two beside integers and DyBit of as many bits, from calibration to exact integers.

ResNet-20 by the method of ``number_formats``, with every seed. ``fp`` of 4 bits is e2m1 where there is a sign and e2m2
where there is none; of 6 bits it is e2m3 and e2m4. Each evaluation is kept under ``runs/number_formats``: killed, the
command goes on where it was.
"""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.number_formats import FIRST, gain, images_right, summary
from benchmarks.number_formats.tables import MODES, SEEDS, Evaluation, evaluate

FORMATS = {(4, 4): ("int", "dybit", "fp", "pot"), (6, 6): ("int", "dybit", "fp")}
"""By bits of weights and activations; the first two are those that the others are compared with."""


def measure() -> dict[str, Any]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found = {own: evaluate(own) for own in wanted()}
    finally:
        torch.set_num_threads(before)
    figures: dict[str, Any] = {"accuracy": {}, "points over int": {}, "points over dybit": {}}
    for bits, formats in FORMATS.items():
        for mode in MODES:
            by_format = {name: [found[evaluation(name, bits, mode, seed)] for seed in SEEDS] for name in formats}
            for name, own in by_format.items():
                title = f"W{bits[0]}/A{bits[1]} {name}, {mode}"
                figures["accuracy"][title] = summary(own)
                for other in formats[: formats.index(name)][:2]:
                    pairs = zip(by_format[other], own, strict=True)
                    figures[f"points over {other}"][title] = gain(
                        [(images_right(a), images_right(b)) for a, b in pairs]
                    )
    return figures | {"seconds of processor time": round(seconds())}


def wanted() -> list[Evaluation]:
    return [
        evaluation(name, bits, mode, seed)
        for bits, formats in FORMATS.items() for mode in MODES for name in formats for seed in SEEDS
    ]  # fmt: skip


def evaluation(name: str, bits: tuple[int, int], mode: str, seed: int) -> Evaluation:
    return Evaluation(FIRST, name, mode, seed, bits)


def seconds() -> float:
    """How long all evaluations took, each when it was run."""
    return sum(evaluate(own)["seconds"] for own in wanted())
