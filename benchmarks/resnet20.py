"""ResNet-20 on CIFAR-10: what DyBit buys in latency and in accuracy, on a zu3eg.

Two explorations of the published network, in integers of 8, 4 and 3 bits alone and with DyBit beside them: each layer
may take any of the formats, all designs keep to the same share of the device, and every accuracy is measured on 6,000
test images after the same reconstruction on 512 of training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator

from benchmarks.fronts import explored, row
from dse.front import Front, FrontPoint
from dse.pareto import non_dominated
from hw.fpga.families.registry import DEVICES
from netweave.config import Config, DeviceConfig, Explore, Quantize, Train
from reports.designs import ALL
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
PUBLISHED = (2.5, 8.1)
"""DyBit's own speed-ups (arXiv 2302.12510), of other networks on another accelerator."""
LABELS = {"dybit3": (-8, 3), "int8": (-8, -2)}
"""Where a name stands beside its design in the picture, in points, where others are near."""


def measure() -> dict[str, Any]:
    for space, formats in SPACES.items():
        explored(configuration(formats), folder(space))
    every = found()
    base = next(point for name, point in throughout(every).items() if name == BASE)
    picture(every, base).savefig(PICTURE)
    return {
        "device": f"{DEVICE}, {SHARE:.0%} of it",
        "test images": base.total,
        "one format throughout": {
            name: {**row(point), "share taken, estimated": taken(point)} for name, point in throughout(every).items()
        },
        "fronts": {space: [row(point) for point in best_of(points)] for space, points in every.items()},
        **bought(every, base),
        "published speed-ups of DyBit": PUBLISHED,
    }


def found() -> dict[str, list[FrontPoint]]:
    """All designs of each space. What integers alone can do is in the other space too, and so are their designs: a
    program that stops within a gap need not find them again."""
    plain, tapered = (Front.load(folder(space) / "explore" / DEVICE / ALL).points for space in SPACES)
    alone = throughout({"integers": plain})
    more = [point for point in tapered if only(point) not in alone]
    return dict(zip(SPACES, (list(plain), [*plain, *more]), strict=True))


def throughout(every: Mapping[str, Sequence[FrontPoint]]) -> dict[str, FrontPoint]:
    """The designs of one format, by its name."""
    named = ((only(point), point) for points in every.values() for point in points)
    return {name: point for name, point in named if name is not None}


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
        explore=Explore(sizes=1, points=1, gap=GAP, grain=1.0, max_errors=MAX_ERRORS),
        device=[DeviceConfig(name=DEVICE, utilisation=SHARE)],
    )


def bought(every: Mapping[str, Sequence[FrontPoint]], base: FrontPoint) -> dict[str, Any]:
    """The fastest of each space that loses no more than ``LOSS`` points, beside all of int8; and, at each latency of
    either front, the accuracies reached with and without DyBit."""
    figures: dict[str, Any] = {}
    for space, points in every.items():
        kept = [p for p in points if 100 * (base.accuracy - p.accuracy) <= LOSS]
        fastest = min(kept, key=lambda p: p.latency)
        figures[f"fastest within {LOSS:g} point of int8, {space}"] = {
            **row(fastest),
            "times as fast as int8": round(base.latency / fastest.latency, 2),
            "points lost": round(100 * (base.accuracy - fastest.accuracy), 2),
        }
    plain, tapered = (steps(every[space]) for space in SPACES)
    figures["accuracy at a latency: cycles, integers, with DyBit"] = [
        [cycles, _reached(plain, cycles), _reached(tapered, cycles)] for cycles, _ in tapered
    ]
    figures["latency at an accuracy: percent, integers, with DyBit"] = [
        [percent, _soonest(plain, percent), _soonest(tapered, percent)] for _, percent in plain
    ]
    return figures


def best_of(points: Sequence[FrontPoint]) -> list[FrontPoint]:
    """Those that no other beats in both latency and accuracy, by rising latency."""
    kept = non_dominated([(p.latency, -p.accuracy) for p in points])
    return sorted((points[place] for place in kept), key=lambda point: point.latency)


def steps(points: Sequence[FrontPoint]) -> list[tuple[float, float]]:
    """(cycles, percent) of the best."""
    return [(point.latency, round(100 * point.accuracy, 2)) for point in best_of(points)]


def _reached(front: Sequence[tuple[float, float]], cycles: float) -> float | None:
    return max((percent for own, percent in front if own <= cycles), default=None)


def _soonest(front: Sequence[tuple[float, float]], percent: float) -> float | None:
    return min((cycles for cycles, own in front if own >= percent), default=None)


def picture(every: Mapping[str, Sequence[FrontPoint]], base: FrontPoint) -> Figure:
    """Both spaces' designs, those on the front joined by steps, and those of one format throughout."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 4.0), layout="constrained")
        axes = figure.subplots()
        last = max(point.latency for points in every.values() for point in points)
        for (space, points), color, width in zip(every.items(), (STEPS, CHOSEN), (3.0, 1.4), strict=True):
            front = steps(points)
            axes.scatter(
                [p.latency / 1000 for p in points], [100 * p.accuracy for p in points], s=16, color=color, alpha=0.35
            )
            x, y = [cycles / 1000 for cycles, _ in front], [percent for _, percent in front]
            axes.step([*x, last / 1000], [*y, y[-1]], where="post", color=color, lw=width, label=space)
        for name, point in throughout(every).items():
            place = (point.latency / 1000, 100 * point.accuracy)
            axes.scatter(*place, marker="D", s=22, color=INK, zorder=3)
            across, above = LABELS.get(name, (6, -10))
            align = "right" if across < 0 else "left"
            axes.annotate(name, place, (across, above), textcoords="offset points", ha=align, fontsize=8)
        axes.axhline(100 * base.accuracy - LOSS, color="#8a94a0", lw=0.8, ls=":")
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 5, 6, 8)))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("latency of an image, thousand cycles (simulated)")
        axes.set_ylabel("test accuracy, % (measured)")
        axes.set_title(f"ResNet-20, CIFAR-10, in {SHARE:.0%} of a {DEVICE}; dotted: {LOSS:g} point under int8")
        axes.grid(True)
        axes.legend(frameon=False)
        return figure
