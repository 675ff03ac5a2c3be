"""Fronts on a zu3eg beside what else one could do: one format throughout, or foldings chosen by other searches.

Of ``digits_dvs`` and of N-MNIST. Every accuracy is measured on the validation images and every latency simulated on
some of them; some points of each front run as RTL, whose cycles and outputs must be those that were simulated and
golden's.

N-MNIST is there with 60 test recordings alone, so that of the 1000 for training every fifth of each digit is kept for
testing as well, and validation is a part of the others. Annealing, the greedy walk and the target of cycles, as FINN's
SetFolding has it, choose foldings for every assignment of formats and size of design on the explored front, out of the
candidates that the integer program has left, and within as much of the device.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.fronts.picture import picture
from benchmarks.inputs import n_mnist
from benchmarks.searches import TEMPERATURES, anneal, by_target, greedy
from cosim.cycle.simulator import Simulator
from cosim.rtl.design import cosim
from dse.evaluate import Evaluation
from dse.explore import mapping_of
from dse.front import Front, FrontPoint
from dse.highs import cpu_seconds
from dse.hypervolume import latency_and_error, relative_hypervolumes
from dse.problem import Objective, Problem, Selection
from dse.prune import prune
from hw.fpga.device import Resources
from hw.fpga.families.registry import DEVICES
from hw.fpga.mapping import Mapping
from hw.generate import emit
from models import data
from models.ir.serialize import load
from netweave import flow
from netweave.config import Config, DeviceConfig, Explore, Quantize, Train
from netweave.exploration import SAMPLE, Exploration
from netweave.stamp import digest
from netweave.store import Store
from netweave.workers import Pool, Task, Workers

RUNS = Path("runs") / "fronts"
IMAGES = Path(__file__).resolve().parent.parent.parent / "docs" / "images"
DEVICE = DEVICES["zu3eg"]
UNIFORM = ("int8", "int4", "dybit4", "fp4", "pot4")
OBJECTIVE = Objective.LATENCY
POINTS, SIZES = 15, 3
CONFIRMED, RTL_SHARE = 5, 0.3
"""Points of each front that run as RTL, from the fastest to the slowest of those that take no more of the device, where
they are enough: Verilator takes minutes to build what fills most of it."""
SEED, EVALUATIONS = 0, 5000
"""Of annealing: a walk for each design and first temperature, and so many evaluations in each."""


@dataclass(frozen=True)
class Case:
    """A network, its data, and the formats that a layer may have; ``epochs`` of float training, ``quantized`` so many
    more for each assignment. ``gap`` and ``error_step``: of the exploration."""

    model: str
    data: Callable[[], str]
    formats: list[str]
    epochs: int
    quantized: int
    gap: float
    error_step: float


@dataclass(frozen=True)
class Cost:
    """Of one design: cycles, simulated, the share of the validation images, and that of the scarcest resource."""

    cycles: float
    accuracy: float
    utilisation: float

    @classmethod
    def of(cls, point: FrontPoint) -> Cost:
        return cls(point.latency, point.accuracy, point.utilisation)


CASES = {
    "digits_dvs": Case(
        "digits_dvs_net",
        lambda: "digits_dvs",
        ["int8", "int4", "dybit8", "dybit4", "fp6", "fp4", "pot4"],
        20,
        3,
        0.02,
        0.2,
    ),
    "n_mnist": Case("n_mnist_net", n_mnist.split, ["int8", "int4", "dybit4", "fp4", "pot4"], 120, 3, 0.05, 0.34),
}


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, case in CASES.items():
        config = configuration(name, case, case.formats)
        run = RUNS / name
        fronts = {"netweave": explored(config, run)}
        for uniform in UNIFORM:
            own = configuration(f"{name}-{uniform}", case, [uniform])
            fronts[f"uniform {uniform}"] = explored(own, RUNS / own.name, trained=run / "train")
        costs = {way: [Cost.of(point) for point in front.points] for way, front in fronts.items()}
        with Pool().open(Store(run / "evaluations")) as workers:
            walked, about = walks(config, run.resolve(), fronts["netweave"], workers)
            checked = confirmed(config, run.resolve(), fronts["netweave"], workers)
        costs |= walked
        shares = hypervolumes(costs)
        picture(
            config.name, {way: [(c.cycles, c.accuracy) for c in own] for way, own in costs.items()}, shares
        ).savefig(IMAGES / f"fronts_{name}.png")
        figures[name] = {
            "device": DEVICE.name,
            "formats": case.formats,
            "validation images": fronts["netweave"].points[0].total,
            "points": {way: len(front) for way, front in fronts.items()},
            "hypervolume, latency and accuracy": {way: round(both, 4) for way, (both, _) in shares.items()},
            "hypervolume, with utilisation": {way: round(three, 4) for way, (_, three) in shares.items()},
            **about,
            "front": [row(point) for point in fronts["netweave"].points],
            "rtl": checked,
        }
    return figures


def configuration(name: str, case: Case, formats: list[str]) -> Config:
    return Config(
        name=name,
        model=case.model,
        data=case.data(),
        train=Train(epochs=case.epochs),
        quantize=Quantize(formats=formats, epochs=case.quantized),
        explore=Explore(points=POINTS, budgets=SIZES, gap=case.gap, error_step=case.error_step),
        device=[DeviceConfig(name=DEVICE.name)],
    )


def explored(config: Config, run: Path, trained: Path | None = None) -> Front:
    """The front that ``netweave explore`` finds; ``trained``: the float network's folder, if it is there already."""
    if trained is not None and not (run / "train").exists():
        shutil.copytree(trained, run / "train")
    for stage in (flow.train, flow.quantize, flow.explore):
        stage(config, run)
    return flow.load_front(run, DEVICE.name)


@cache
def opened(config: str, run: Path) -> Exploration:
    """The exploration that a run was made by; once a process, as its candidates take a while."""
    own = Config.model_validate_json(config)
    return Exploration(own, own.device[0], run / "train", run / "quantize", run / "networks")


def walks(config: Config, run: Path, front: Front, workers: Workers) -> tuple[dict[str, list[Cost]], dict[str, Any]]:
    """What each of ``WAYS`` makes of the front's budgets and assignments; and how long it took."""
    text = config.model_dump_json()
    origin = {**opened(text, run).origin, "seed": SEED, "evaluations": EVALUATIONS}
    tasks = []
    for point in front.points:
        for way in WAYS:
            asked = {"way": way, "assignment": dict(point.assignment), "utilisation": point.utilisation}
            tasks.append(Task("walk", {**origin, **asked}, walk, {"config": text, "run": run, **asked}))
    found = workers.run(tasks, "walks", lambda *_: None)
    costs, seconds = {}, {}
    for place, way in enumerate(WAYS):
        own = list(zip(front.points, found[place :: len(WAYS)], strict=True))
        fitting = [(point, made) for point, made in own if "simulated" in made]
        costs[way] = [Cost(made["simulated"], point.accuracy, made["utilisation"]) for point, made in fitting]
        seconds[way] = sum(made["seconds"] for _, made in own)
    return costs, {
        "designs that a walk was asked for": len(front),
        "of these, found none that fits": {way: len(front) - len(own) for way, own in costs.items()},
        "processor seconds of a walk": {way: round(spent / len(front), 2) for way, spent in seconds.items()},
    }


def walk(config: str, run: Path, way: str, assignment: dict[str, str], utilisation: float) -> dict[str, Any]:
    """The foldings that a walk finds for an assignment in a share of the device, simulated; and its own seconds."""
    exploration = opened(config, run)
    limit = Resources(*(math.ceil(utilisation * getattr(DEVICE, kind)) for kind in Resources.names()))
    formats = {layer: (own,) for layer, own in assignment.items()}
    problem = prune(exploration.table.problem(limit, formats=formats))
    begin = cpu_seconds()
    try:
        selection, found = WAYS[way](problem)
    except ValueError:  # walks begin at a choice made op by op, which not every wiring of lanes has
        return {"seconds": cpu_seconds() - begin}
    seconds = cpu_seconds() - begin
    if not found.feasible:
        return {"seconds": seconds}
    mapping = mapping_of(exploration.table, selection, DEVICE.clock_mhz)
    return {"seconds": seconds, **exploration.cycles(assignment, mapping.entry())}


def annealed(problem: Problem) -> tuple[Selection, Evaluation]:
    """The better of a walk from each of the first temperatures."""
    tries = [anneal(problem, OBJECTIVE, SEED, EVALUATIONS, first) for first in TEMPERATURES]
    return min(tries, key=lambda found: (found[1].violation, found[1].objective(OBJECTIVE)))


WAYS: dict[str, Callable[[Problem], tuple[Selection, Evaluation]]] = {
    "annealing": annealed,
    "greedy walk": lambda problem: greedy(problem, OBJECTIVE),
    "target of cycles": lambda problem: by_target(problem, OBJECTIVE),
}


def hypervolumes(costs: dict[str, list[Cost]]) -> dict[str, tuple[float, float]]:
    """By way, the shares covered in octaves of latency and points of accuracy, and with octaves of utilisation."""
    flat = {way: [latency_and_error(c.cycles, c.accuracy) for c in own] for way, own in costs.items()}
    solid = {
        way: [(*flat_, math.log2(c.utilisation)) for flat_, c in zip(flat[way], own, strict=True)]
        for way, own in costs.items()
    }
    both, three = relative_hypervolumes(flat), relative_hypervolumes(solid)
    return {way: (both[way], three[way]) for way in costs}


def row(point: FrontPoint) -> dict[str, Any]:
    return {
        "name": point.name,
        "formats": sorted(set(point.assignment.values())),
        "correct": point.correct,
        "of": point.total,
        "cycles, simulated": point.simulated,
        "utilisation, estimated": round(point.utilisation, 4),
        "solver": point.solver.status,
        "gap": point.solver.gap,
    }


def confirmed(config: Config, run: Path, front: Front, workers: Workers) -> list[dict[str, Any]]:
    """Points of the front as RTL."""
    points = [point for point in front.points if point.utilisation <= RTL_SHARE]
    if len(points) < CONFIRMED:
        points = sorted(front.points, key=lambda point: point.utilisation)[:CONFIRMED]
    steps, tasks = min(CONFIRMED, len(points)), []
    for step in range(steps):
        point = points[round(step * (len(points) - 1) / max(1, steps - 1))]
        folder = (run / "explore" / DEVICE.name / point.mapping).parent
        asked = {"name": point.name, "simulated": point.simulated}
        inputs = {**asked, "design": digest(folder), "data": config.data}
        tasks.append(Task("rtl", inputs, confirm, {"config": config.model_dump_json(), "folder": folder, **asked}))
    return workers.run(tasks, "rtl", lambda *_: None)


def confirm(config: str, folder: Path, name: str, simulated: int) -> dict[str, Any]:
    """A design as RTL: each of the frames that its latency is the mean of, of validation, alone, then all in a row."""
    images = data.load(Config.model_validate_json(config).data)
    masks, frames = images.sample("validation", SAMPLE), images.frames("validation")
    frames = frames[:: -(-len(frames) // SAMPLE)]
    graph, mapping = load(folder), Mapping.load(folder / emit.MAPPING_FILE)
    with TemporaryDirectory() as work:
        design, builds = Path(work) / "design", Path(work) / "builds"
        emit.generate(graph, mapping, design)
        alone = [cosim(design, [frame], build_dir=builds) for frame in frames]
        together = cosim(design, frames, build_dir=builds)
    said = Simulator(graph, mapping)
    apart = [abs(rtl.first_latency - own) for rtl, own in zip(alone, said.latencies(masks), strict=True)]
    apart += [abs(rtl - own) for rtl, own in zip(together.latency, said.run(masks).latency, strict=True)]
    mean = sum(rtl.first_latency for rtl in alone) / len(alone)
    return {
        "name": name,
        "frames": len(frames),
        "cycles, rtl": mean,
        "cycles, on the front": simulated,
        "cycles apart from simulated, at most": max(*apart, abs(round(mean) - simulated)),
        "outputs equal golden's": together.equal and all(rtl.equal for rtl in alone),
    }
