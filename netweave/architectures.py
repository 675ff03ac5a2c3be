"""Architecture search: networks trained, quantized, run on the validation split and folded by the integer program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from dse.architecture.evaluations import Costs, Evaluations
from dse.architecture.random_search import random_search
from dse.architecture.space import Choice, Option, Space
from dse.architecture.tree_search import tree_search
from dse.candidates import Table
from dse.estimate import forecast
from dse.explore import SearchSettings, best
from dse.hypervolume import latency_and_error
from dse.problem import Infeasible, Objective
from hw.fpga.families.registry import device
from hw.fpga.mapping import FrameInput
from models.ir.activity import Load, with_activity
from models.ir.graph import Graph
from netweave.config import Config, UnsuitableError
from netweave.config import DeviceConfig as Target
from netweave.listener import Progress
from netweave.networks import ACTIVITY_FRAMES, source
from netweave.workers import Task, Workers
from reports.architectures import picture
from reports.artifact import write_json

KIND, VERSION = "architecture", 3
"""What evaluations are kept under; the version rises where the same recipe would give other figures."""
RESULT, PICTURE = "search.json", "search.png"
METHODS: Mapping[str, Callable[[Evaluations, int], None]] = {"tree": tree_search, "random": random_search}


@dataclass(frozen=True)
class Recipe:
    """What all architectures have in common: training, calibration, device and what the program is asked for.

    ``gap``: share by which the program's design may miss the best.
    """

    epochs: int
    quantized_epochs: int
    calibration: str = "mse"
    reconstruction: int = 0
    seed: int = 0
    device: str = "zu3eg"
    utilisation: float = 0.7
    frame_input: str = "tokens"
    activity: Load = "mean"
    objective: str = "latency"
    gap: float = 0.05

    def task(self, model: str, data: str, format_name: str) -> Task:
        """The evaluation of the network ``model``, on ``data``, at ``format_name``."""
        arguments = {"model": model, "data": data, "format_name": format_name}
        files = {"model": source(model), "data": source(data), "device": source(self.device)}
        inputs = {"version": VERSION, "format": format_name, **asdict(self), **files}
        return Task(KIND, inputs, evaluate, {"recipe": self, **arguments})


def search(config: Config, target: Target, workers: Workers, progress: Progress, folder: Path) -> None:
    """Write ``search.json``, every network evaluated, and a picture of them."""
    from models import data

    images, own, recipe = data.load(config.data, progress), config.search, recipe_of(config, target)
    for side in own.resolution or ():
        data.resized(images, side)  # names what cannot be resized before any time is spent
    space, rows = space_of(config), {}
    spec = partial(network, data=config.data, inputs=images.shape.channels, classes=images.classes)

    def evaluated(choices: Sequence[Choice]) -> list[Costs | None]:
        specs = [spec(space.values(choice)) for choice in choices]
        done, of = len(rows), evaluations.limit
        on_progress = partial(_report_progress, progress, done, of)
        results = workers.run([recipe.task(*own) for own in specs], "networks", on_progress)
        for choice, (model, smaller, format_name), result in zip(choices, specs, results, strict=True):
            rows[choice] = {"model": model, "data": smaller, "format": format_name, **result}
        return [costs(result) for result in results]

    reference = latency_and_error(own.max_cycles, own.min_accuracy / 100)
    evaluations = Evaluations(space, evaluated, own.evaluations, reference)
    METHODS[own.method](evaluations, own.seed)
    front = evaluations.front
    content = {
        "device": target.target.name,
        "clock_mhz": target.clock_mhz or target.target.clock_mhz,
        "space": space.size,
        "hypervolume": evaluations.volume,
        "networks": [{**row, "front": choice in front} for choice, row in rows.items()],
    }
    write_json(folder / RESULT, "search", content)
    picture(content).savefig(folder / PICTURE)


def _report_progress(progress: Progress, before: int, of: int, what: str, done: int, _: int) -> None:
    progress(what, before + done, of)


def space_of(config: Config) -> Space:
    """The networks that a configuration asks about; what decides most of cycles and accuracy comes first."""
    own = config.search
    sides = {} if own.resolution is None else {"resolution": own.resolution}
    return Space(
        {
            "width": own.width, **sides, "format": config.quantize.formats, "depth": own.depth,
            "expansion": own.expansion, "kernel": own.kernel,
        }
    )  # fmt: skip


def recipe_of(config: Config, target: Target) -> Recipe:
    if config.explore.objective == "utilisation":
        why = "must be 'latency' or 'bottleneck', as a search compares networks by cycles"
        raise UnsuitableError(f"explore.objective: 'utilisation' {why}")
    if isinstance(config.explore.activity, int):
        why = "must be 'mean' or 'p99', as a search compares networks over a data set"
        raise UnsuitableError(f"explore.activity: {config.explore.activity} {why}")
    return Recipe(
        epochs=config.train.epochs,
        quantized_epochs=config.quantize.epochs,
        calibration=config.quantize.calibration,
        reconstruction=config.quantize.reconstruction,
        seed=config.train.seed,
        device=target.name,
        utilisation=target.utilisation,
        frame_input=target.frame_input,
        activity=config.explore.activity,
        objective=config.explore.objective,
    )


def network(values: Mapping[str, Option], data: str, inputs: int, classes: int) -> tuple[str, str, str]:
    """(model, data, format) of a network by its decisions; ``inputs`` and ``classes`` are those of the data set."""
    model = "backbone:w{width:g}-d{depth}-k{kernel}-e{expansion}".format(**values)
    if (inputs, classes) != (2, 10):
        model += f"-i{inputs}-c{classes}"
    side = f"@{values['resolution']}" if "resolution" in values else ""
    return model, data + side, str(values["format"])


def costs(result: Mapping[str, Any]) -> Costs | None:
    """Of an evaluation's result: octaves of cycles, and points of accuracy that are missing."""
    return (
        None if result["cycles"] is None else latency_and_error(result["cycles"], result["correct"] / result["total"])
    )


def evaluate(recipe: Recipe, model: str, data: str, format_name: str) -> Mapping[str, Any]:
    """``correct`` of ``total`` validation images; the design's ``cycles`` a frame, estimated; None where none fits."""
    from models.evaluate import accuracy
    from models.quant import quantize

    images, network = _trained(model, data, recipe.epochs, recipe.seed)
    quantized = quantize(
        network,
        images,
        format_name,
        recipe.calibration,
        epochs=recipe.quantized_epochs,
        seed=recipe.seed,
        reconstruction=recipe.reconstruction,
    )
    result = accuracy(quantized, images, "validation")
    graph = quantized.export()
    if graph.input.sparse:
        graph = with_activity(graph, images.sample("train", ACTIVITY_FRAMES))
    return {"correct": result.correct, "total": result.total, "cycles": cycles(graph, format_name, recipe)}


@lru_cache(maxsize=1)
def _trained(model: str, data: str, epochs: int, seed: int) -> Any:
    """(images, float network); the last one stays, for its other formats."""
    from models import train, zoo
    from models.data import load

    images = load(data)
    return images, train.train(zoo.load_model(model, seed), images, epochs, seed)


def cycles(graph: Graph, format_name: str, recipe: Recipe) -> float | None:
    """Estimated, of the design that the program finds; None where none fits.

    Of mean frames in a row it is the forecast's interval, otherwise what the program minimises.
    """
    frame_input = FrameInput(recipe.frame_input)
    table = Table({format_name: graph}, device(recipe.device), load=recipe.activity, frame_input=frame_input)
    search = SearchSettings(Objective(recipe.objective), recipe.utilisation, gap=recipe.gap)
    try:
        design = best(table, search)
    except Infeasible:
        return None
    if search.objective is Objective.BOTTLENECK and recipe.activity == "mean":
        # the program has the largest mean of an op, and each frame waits for the op that has most to do in it
        return forecast(graph, design.mapping).interval
    return design.solver.objective
