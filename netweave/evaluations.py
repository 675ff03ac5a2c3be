"""What an exploration evaluates one by one: sensitivities, activity, and latencies of designs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from cosim.cycle.simulator import Frames, Simulator, simulate
from dse.explore import SearchSettings
from dse.question import Watch
from hw.fpga.mapping import Mapping as HwMapping
from models.data.dataset import Dataset
from models.ir.activity import Load, with_activity
from models.ir.graph import Graph
from netweave.config import Config, UnsuitableError
from netweave.workers import tell
from reports.artifact import ArtifactError


def sensitivities(path: Path, content: Mapping[str, Any], formats: list[str]) -> dict[str, dict[str, float]]:
    """By layer and format, what `netweave quantize` measured; raises ArtifactError, which names file and field."""
    values, choices = content.get("sensitivity"), content.get("choices")
    if not isinstance(choices, list) or not all(isinstance(layer, str) for layer in choices):
        raise ArtifactError(f"{path}, field 'choices': {choices!r} must be a list of layers")
    if not isinstance(values, dict):
        raise ArtifactError(f"{path}, field 'sensitivity': {values!r} must be an object")
    for layer in choices if formats else ():
        by_format = values.get(layer)
        for name in formats:
            value = by_format.get(name) if isinstance(by_format, dict) else None
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                where = f"{path}, field 'sensitivity.{layer}.{name}'"
                raise ArtifactError(f"{where}: {value!r} must be a finite number; `netweave quantize` measures it")
    return values


def closing(family: str, budget_fraction: str, search: SearchSettings) -> Watch:
    """Tells whoever waits for a design how near it is to being proven."""
    what = f"{family} in {float(Fraction(budget_fraction)):.0%}"

    def report(bound: Fraction, best: Fraction | None, seconds: float) -> None:
        if best is None:
            tell(f"{what}, none below {float(bound):,.4g}")
        elif best:
            tell(f"{what}, {float(best):,.6g}, proven to {float((best - bound) / best):.1%}")

    return report


def case(config: Config) -> Load:
    """Of the activity that a graph holds, what costs are those of; a given frame's stands where the mean's does."""
    return config.explore.activity if isinstance(config.explore.activity, str) else "mean"


def loaded(config: Config, graph: Graph, images: Callable[[], Dataset]) -> Graph:
    """The graph with the activity that costs are those of: its own, or that of a given training image."""
    number = config.explore.activity
    if isinstance(number, str) or not graph.input.sparse:
        return graph
    masks = images().masks("train")
    if number >= len(masks):
        last = len(masks) - 1
        raise UnsuitableError(f"explore.activity: {number} is no training image of {config.data}; they are 0 to {last}")
    return with_activity(graph, [masks[number]])


def latency(graph: Graph, mapping: HwMapping, masks: list[np.ndarray] | None) -> float:
    """Cycles, simulated, of a frame that finds the accelerator idle; of sparse frames the mean."""
    if masks is None:
        return simulate(graph, mapping).first_latency
    return float(np.mean([simulate(graph, mapping, [mask]).first_latency for mask in masks]))


def _alone(simulator: Simulator, frames: Frames) -> float:
    """The mean latency of frames that find the accelerator idle."""
    return float(np.mean(simulator.latencies(frames)))


def _apart(simulator: Simulator, frames: Frames) -> float:
    """Cycles from one frame's end to the next."""
    return float(np.mean(simulator.run(frames).intervals))
