"""Estimated resources against what Yosys makes: random ops and whole accelerators, synthesized one by one.

``python -m benchmarks resources`` measures the errors. ``python -m benchmarks.resources fit FAMILY ...`` prints the
factors of ``hw.fpga.lut_coefficients`` that fit the ops of the fit best. Syntheses are kept beside this file, in
``made``; those that are not there, as hardware or ops have changed since, are made, which takes a second core some ten
seconds each.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from benchmarks.inputs.demo import demo
from benchmarks.resources.accelerators import Compared, compare, folding
from benchmarks.resources.constants import ConstantSums, draw_constant
from benchmarks.resources.made import DEVICE, Made, Syntheses
from benchmarks.resources.ops import KINDS, draw
from benchmarks.resources.windows import SiteGenerator, draw_window
from benchmarks.see_d import NETWORK
from dse.estimate import estimate
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.ops.op import Op
from models.frontend.esda_network import load_esda
from models.ir.activity import with_activity

FIT = {"xcup": range(30), "ecp5": range(22)}
"""Seeds of the ops that factors are fitted to."""
HELD_OUT = {"xcup": range(2000, 2150), "ecp5": range(2000, 2150)}
"""Seeds of the ops that no factor has seen."""
CONSTANTS = {"xcup": 24, "ecp5": 36}
"""How many arrays there are whose weights are constants: of three seeds, no factor has seen the first."""
CONSTANT_KINDS = ("constants", "trees")
"""The parts that only such arrays have."""
ALONE_PULL = 0.1
"""Their terms do not come together as those of whole ops do."""
WINDOWS = {"xcup": 15, "ecp5": 24}
"""How many sliding-window generators there are: of three seeds, no factor has seen the first."""
WINDOW_KINDS = ("banks",)
"""The parts that only sources of all taps at once have; the others share their control with whole ops."""
CLOSE = 0.15


@dataclass(frozen=True)
class Sample:
    """A random op, by its seed, or only an array of sums or a window's source, and what Yosys made of it."""

    seed: int
    title: str
    op: Op | ConstantSums | SiteGenerator
    made: Made


def samples(family: str, seeds: Iterable[int]) -> Iterator[Sample]:
    device, kept = DEVICES[DEVICE[family]], Syntheses(family)
    for seed in seeds:
        title, op = draw(seed, device)
        yield Sample(seed, title, op, kept.made(op.component()))


def constant_samples(family: str, *, held_out: bool) -> Iterator[Sample]:
    seeds = [seed for seed in range(CONSTANTS[family]) if (seed % 3 == 0) is held_out]
    device, kept = DEVICES[DEVICE[family]], Syntheses(family)
    for seed in seeds:
        title, op = draw_constant(seed, device)
        yield Sample(seed, title, op, kept.made(op.component()))


def window_samples(family: str, *, held_out: bool) -> Iterator[Sample]:
    """Generators of their own; the names of their registers are not those of an op's, so their LUTs are not grouped."""
    kept = Syntheses(family)
    for seed in range(WINDOWS[family]):
        if (seed % 3 == 0) is held_out:
            title, op = draw_window(seed)
            yield Sample(seed, title, op, Made(kept.made(op.component()).resources, {}))


def summary(pairs: list[tuple[Resources, Resources]]) -> dict[str, float]:
    """Of (estimated, synthesized): relative errors of LUTs and registers, and how often the other counts are exact."""
    figures: dict[str, float] = {"count": len(pairs)}
    for kind in ("lut", "ff"):
        errors = np.array([abs(getattr(a, kind) / max(1, getattr(b, kind)) - 1) for a, b in pairs])
        for name, value in (
            ("median", np.median(errors)),
            ("p95", np.quantile(errors, 0.95)),
            ("largest", errors.max()),
        ):
            figures[f"{kind}_{name}_error_percent"] = round(100 * float(value), 1)
    for kind in ("bram", "dsp"):
        exact = np.mean([getattr(a, kind) == getattr(b, kind) for a, b in pairs])
        figures[f"{kind}_exact_percent"] = round(100 * float(exact), 1)
    return figures


def held_out(family: str) -> dict[str, Any]:
    """The errors, of all ops and by kind, and each op with what Yosys made of it (LUT, FF, BRAM, DSP)."""
    device = DEVICES[DEVICE[family]]
    kinds: dict[str, list[tuple[Resources, Resources]]] = {}
    ops, far_off = [], []
    for sample in samples(family, HELD_OUT[family]):
        said, made = sample.op.resources(device), sample.made.resources
        kinds.setdefault(KINDS[sample.seed % len(KINDS)], []).append((said, made))
        ops.append([sample.title, *asdict(made).values()])
        for kind in Resources.names():
            a, b = getattr(said, kind), getattr(made, kind)
            if _far(kind, a, b):
                far_off.append(f"{sample.title}: {kind} {a} estimated, {b} synthesized")
    return {
        **summary([pair for pairs in kinds.values() for pair in pairs]),
        "by_kind": {kind: summary(pairs) for kind, pairs in sorted(kinds.items())},
        "far_off": far_off,
        "ops": ops,
    }


def constants_held_out(family: str) -> dict[str, float]:
    """The errors of arrays whose weights are constants."""
    device = DEVICES[DEVICE[family]]
    found = constant_samples(family, held_out=True)
    return summary([(sample.op.resources(device), sample.made.resources) for sample in found])


def _far(kind: str, estimated: int, made: int) -> bool:
    return abs(estimated - made) > CLOSE * made if kind in ("lut", "ff") else estimated != made


def whole(found: list[Compared]) -> dict[str, Any]:
    return {
        each.name: {
            "estimated": asdict(each.estimated),
            "synthesized": asdict(each.synthesized),
            "lut_error_percent": round(100 * (each.estimated.lut / each.synthesized.lut - 1), 1),
            "ff_error_percent": round(100 * (each.estimated.ff / each.synthesized.ff - 1), 1),
        }
        for each in found
    }


def estimating() -> dict[str, float]:
    """Milliseconds of processor time for all resources and cycles of a network: the first time, and again."""
    device, figures = DEVICES[DEVICE["xcup"]], {}
    published, frame = load_esda(NETWORK)
    for name, graph in (("demo", demo("int8")), ("see_d", with_activity(published, [frame.mask]))):
        mapping = folding(graph, device)
        for turn in ("first", "again"):
            start = time.process_time()
            estimate(graph, mapping, device)
            figures[f"estimate_{name}_{turn}_ms"] = round(1000 * (time.process_time() - start), 1)
    return figures


def measure() -> dict[str, Any]:
    speed = estimating()
    return {
        **speed,
        "held_out": {family: held_out(family) for family in HELD_OUT},
        "constants_held_out": {family: constants_held_out(family) for family in HELD_OUT},
        "accelerators": {family: whole(compare(family)) for family in HELD_OUT},
    }
