"""What an architecture is worth: trained, quantized and run on the test split; folded by the integer program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from dse.candidates import Table
from dse.explore import Search, explore
from dse.problem import Infeasible, Objective
from hw.device import device
from models.ir.activity import Load, measured
from models.ir.graph import Graph
from netweave.networks import ACTIVITY_FRAMES, source
from netweave.workers import Task

KIND, VERSION = "architecture", 1
"""What evaluations are kept under; the version rises where the same recipe would give other figures."""


@dataclass(frozen=True)
class Recipe:
    """What all architectures have in common: training, calibration, device and what the program is asked for.

    ``gap``: share by which the program's design may miss the best.
    """

    epochs: int
    quantized_epochs: int
    calibration: str = "mse"
    seed: int = 0
    device: str = "zu3eg"
    utilisation: float = 0.7
    activity: Load = "mean"
    objective: Objective = Objective.LATENCY
    gap: float = 0.05

    def task(self, model: str, data: str, format_name: str) -> Task:
        """The evaluation of the network ``model``, on ``data``, at ``format_name``."""
        given = {"model": model, "data": data, "format_name": format_name}
        files = {"model": source(model), "data": source(data), "device": source(self.device)}
        inputs = {"version": VERSION, "format": format_name, **asdict(self), **files}
        return Task(KIND, inputs, evaluate, {"recipe": self, **given})


def evaluate(recipe: Recipe, model: str, data: str, format_name: str) -> Mapping[str, Any]:
    """``correct`` of ``total`` test images, and the design's ``cycles`` a frame, estimated; None where none fits."""
    from models.evaluate import accuracy
    from models.quant import quantize

    images, network = _trained(model, data, recipe.epochs, recipe.seed)
    quantized = quantize(
        network, images, format_name, recipe.calibration, epochs=recipe.quantized_epochs, seed=recipe.seed
    )
    reached = accuracy(quantized, images)
    graph = quantized.export()
    if graph.input.sparse:
        graph = measured(graph, images.sample("train", ACTIVITY_FRAMES))
    return {"correct": reached.correct, "total": reached.total, "cycles": _cycles(graph, format_name, recipe)}


@lru_cache(maxsize=1)
def _trained(model: str, data: str, epochs: int, seed: int) -> Any:
    """(images, float network); the last one stays, for its other formats."""
    from models import train, zoo
    from models.data import load

    images = load(data)
    return images, train.train(zoo.load_model(model, seed), images, epochs, seed)


def _cycles(graph: Graph, format_name: str, recipe: Recipe) -> float | None:
    table = Table({format_name: graph}, device(recipe.device), load=recipe.activity)
    search = Search(recipe.objective, recipe.utilisation, sizes=1, gap=recipe.gap)
    try:
        (design,) = explore(table, search)
    except Infeasible:
        return None
    return float(design.evaluation.objective(recipe.objective))
