"""ResNet-20 on CIFAR-10: what DyBit buys in latency and in accuracy, on a zu3eg.

Two explorations of the published network, in integers of 8, 4 and 3 bits alone and with DyBit beside them: each layer
may take any of the formats, all designs keep to the same share of the device, and every network gets the same
reconstruction on 512 images of training. The published network knows its training images by heart, so that accuracies
on validation images, which are a part of these, tell little: designs are chosen on ``CHOICE`` test images, and what is
reported of them is their accuracy on the other test images.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from benchmarks.fronts import explored, row
from dse.front import Front, FrontPoint
from dse.pareto import non_dominated
from hw.fpga.families.registry import DEVICES
from models import data
from models.ir.files import read_json
from netweave.config import Config, DeviceConfig, Explore, Quantize, Train
from netweave.networks import ACCURACY
from reports.designs import ALL
from reports.paired import mcnemar
from reports.style import CHOSEN, INK, STEPS, STYLE

RUNS = Path("runs") / "resnet20"
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "resnet20_fronts.png"
MODEL, DATA = "resnet20:cifar10", "cifar10"
DEVICE, SHARE, GAP = "zu3eg", 0.8, 0.08
RECONSTRUCTION = 3
MAX_ERRORS = [0.01, 0.03, 0.04]
"""Increases of the loss, summed over the layers, before any reconstruction; all of int4 comes to 0.054."""
INTEGERS = ("int8", "int4", "int3", "int4xint8")
SPACES = {"integers": INTEGERS, "with DyBit": (*INTEGERS, "dybit4", "dybit3", "int4xdybit4")}
BASE = "int8"
LOSS = 1.0
"""Points of accuracy under the all-int8 design that a faster one may lose."""
CHOICE = 2000
"""The first so many test images, on which designs are chosen."""
PUBLISHED = (2.5, 8.1)
"""DyBit's own speed-ups (arXiv 2302.12510), of other networks on another accelerator."""
LABELS = {"dybit3": (-8, 3), "int8": (-8, -2)}
"""Where a name stands beside its design in the picture, in points, where others are near."""


@dataclass(frozen=True)
class Design:
    """A design with the test images that its network gets right, bool [n]."""

    point: FrontPoint
    right: np.ndarray

    @property
    def latency(self) -> float:
        return self.point.latency

    @cached_property
    def chosen_by(self) -> float:
        """Percent of the images on which designs are chosen."""
        return 100 * float(self.right[:CHOICE].mean())

    @cached_property
    def percent(self) -> float:
        """Percent of the other test images, which is what is reported."""
        return 100 * float(self.right[CHOICE:].mean())

    @property
    def entry(self) -> dict[str, Any]:
        own = self.right[CHOICE:]
        return {**row(self.point), "correct": int(own.sum()), "of": len(own), "chosen by, %": round(self.chosen_by, 2)}


@cache
def labels() -> np.ndarray:
    return data.load(DATA).test_y


def measured(space: str, point: FrontPoint) -> Design:
    """A design with what its network gives each test image, which the exploration leaves beside its graph."""
    path = (folder(space) / "explore" / DEVICE / point.mapping).parent / ACCURACY
    answers = np.array(read_json(path)["predicted"].split(), np.int64)
    return Design(point, answers == labels())


def measure() -> dict[str, Any]:
    for space, formats in SPACES.items():
        explored(configuration(formats), folder(space))
    every = found()
    base = next(point for name, point in throughout(every).items() if name == BASE)
    picture(every, base).savefig(PICTURE)
    return {
        "device": f"{DEVICE}, {SHARE:.0%} of it",
        "test images": len(labels()) - CHOICE,
        "test images on which designs are chosen": CHOICE,
        "one format throughout": {
            name: {**own.entry, "share taken, estimated": taken(own.point)} for name, own in throughout(every).items()
        },
        "fronts": {space: [own.entry for own in best_of(designs)] for space, designs in every.items()},
        **bought(every, base),
        "published speed-ups of DyBit": PUBLISHED,
    }


def found() -> dict[str, list[Design]]:
    """All designs of each space. What integers alone can do is in the other space too, and so are their designs: a
    program that stops within a gap need not find them again."""
    plain, tapered = (
        [measured(space, point) for point in Front.load(folder(space) / "explore" / DEVICE / ALL).points]
        for space in SPACES
    )
    alone = throughout({"integers": plain})
    more = [own for own in tapered if only(own.point) not in alone]
    return dict(zip(SPACES, (plain, [*plain, *more]), strict=True))


def throughout(every: Mapping[str, Sequence[Design]]) -> dict[str, Design]:
    """The designs of one format, by its name."""
    named = ((only(own.point), own) for designs in every.values() for own in designs)
    return {name: own for name, own in named if name is not None}


def only(point: FrontPoint) -> str | None:
    """The format of all layers of a design, if they have but one."""
    formats = set(point.assignment.values())
    return formats.pop() if len(formats) == 1 else None


def taken(point: FrontPoint) -> dict[str, float]:
    """The shares of the device, estimated, that a design takes of what limits it."""
    whole = DEVICES[DEVICE].resources
    return {kind: round(point.resources[kind] / getattr(whole, kind), 3) for kind in ("lut", "dsp", "bram")}


def folder(space: str) -> Path:
    """Of an exploration's run; quantized networks are those of either space."""
    run = RUNS / space.replace(" ", "_")
    kept = RUNS / "networks"
    kept.mkdir(parents=True, exist_ok=True)
    run.mkdir(exist_ok=True)
    if not (run / "networks").exists():
        (run / "networks").symlink_to(kept.resolve())
    return run


def configuration(formats: Sequence[str]) -> Config:
    return Config(
        name="resnet20",
        model=MODEL,
        data=DATA,
        train=Train(epochs=0),
        quantize=Quantize(formats=list(formats), reconstruction=RECONSTRUCTION, epochs=0),
        explore=Explore(budgets=1, points=1, gap=GAP, error_step=1.0, max_errors=MAX_ERRORS),
        device=[DeviceConfig(name=DEVICE, utilisation=SHARE)],
    )


def bought(every: Mapping[str, Sequence[Design]], base: Design) -> dict[str, Any]:
    """The fastest of each space that loses no more than ``LOSS`` points, beside all of int8; and, at each latency of
    either front, what the best of those with and without DyBit keep."""
    figures: dict[str, Any] = {}
    for space, designs in every.items():
        kept = [own for own in designs if base.chosen_by - own.chosen_by <= LOSS]
        fastest = min(kept, key=lambda own: own.latency)
        figures[f"fastest within {LOSS:g} point of int8, {space}"] = {
            **fastest.entry,
            "times as fast as int8": round(base.latency / fastest.latency, 2),
            "points lost": round(base.percent - fastest.percent, 2),
        }
    plain, tapered = (best_of(every[space]) for space in SPACES)
    figures["accuracy at a latency"] = [_at(own.latency, plain, tapered) for own in tapered]
    return figures


def best_of(designs: Sequence[Design]) -> list[Design]:
    """Those that no other beats in both latency and the accuracy by which designs are chosen, by rising latency."""
    kept = non_dominated([(own.latency, -own.chosen_by) for own in designs])
    return sorted((designs[place] for place in kept), key=lambda own: own.latency)


def _at(cycles: float, plain: Sequence[Design], tapered: Sequence[Design]) -> dict[str, Any]:
    """What the best within so many cycles keep, and the paired test of the two; the best is the slowest of a front."""
    one, other = ([own for own in front if own.latency <= cycles] for front in (plain, tapered))
    figures: dict[str, Any] = {"cycles, simulated": cycles, "with DyBit": round(other[-1].percent, 2)}
    if not one:
        return {**figures, "integers": None, "p": None}
    chance = mcnemar(one[-1].right[CHOICE:], other[-1].right[CHOICE:])
    return {**figures, "integers": round(one[-1].percent, 2), "p": chance}


def picture(every: Mapping[str, Sequence[Design]], base: Design) -> Figure:
    """Both spaces' designs, those on the front that was chosen joined by steps, and those of one format throughout."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.subplots()
        last = max(own.latency for designs in every.values() for own in designs)
        for (space, designs), color, width in zip(every.items(), (STEPS, CHOSEN), (3.0, 1.4), strict=True):
            front = best_of(designs)
            axes.scatter(
                [own.latency / 1000 for own in designs], [own.percent for own in designs], s=16, color=color, alpha=0.35
            )
            x, y = [own.latency / 1000 for own in front], [own.percent for own in front]
            axes.step([*x, last / 1000], [*y, y[-1]], where="post", color=color, lw=width, label=space)
        for name, own in throughout(every).items():
            place = (own.latency / 1000, own.percent)
            axes.scatter(*place, marker="D", s=22, color=INK, zorder=3)
            across, above = LABELS.get(name, (6, -10))
            align = "right" if across < 0 else "left"
            axes.annotate(name, place, (across, above), textcoords="offset points", ha=align, fontsize=8)
        axes.axhline(base.percent - LOSS, color="#8a94a0", lw=0.8, ls=":")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 5, 6, 8)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("latency of an image, thousand cycles (simulated)")
        axes.set_ylabel("accuracy on test images that chose\nnothing, % (measured)")
        axes.set_title(f"ResNet-20, CIFAR-10, in {SHARE:.0%} of a {DEVICE}; dotted: {LOSS:g} point under int8")
        axes.grid(True)
        axes.legend(frameon=False)
        return figure
