"""One device's exploration: evaluations that any worker can make from the files of a run, and the front they give."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from pathlib import Path
from typing import Any

from cosim.cycle.simulator import Frames, endless, size_queues
from dse.candidates import Table, budget
from dse.estimate import estimate, forecast
from dse.evaluate import utilisation
from dse.explore import (
    ExploredDesign,
    SearchSettings,
    budget_fractions,
    design_problem,
    designs,
    improve,
    mapping_of,
    restrict_formats,
    search_again,
)
from dse.front import FrontPoint
from dse.milp import SolverReport
from dse.problem import Infeasible, Objective
from hw.fpga.mapping import FrameInput
from hw.fpga.mapping import Mapping as HwMapping
from hw.generate import emit
from models.ir.activity import Load
from models.ir.graph import Graph
from models.ir.serialize import load, save
from netweave import __version__
from netweave.config import Config, quantized_network
from netweave.config import DeviceConfig as Target
from netweave.evaluations import _alone, _apart, case, closing, latency, loaded, sensitivities
from netweave.imported import FORMAT, Imported
from netweave.networks import ACCURACY, Networks, origin, source
from netweave.stamp import digest
from reports.artifact import read_json

COMPARISON_IMAGES = 8
"""Training images on which designs near the program's are compared."""
EVALUATIONS = 6
"""How many designs near the program's are simulated for each op, at the most."""
SAMPLE = 16
"""Validation images, evenly spread, over which the latency of a sparse design is averaged."""
CHOSEN_AGAIN = 4
"""How often a design is chosen again, at the most, whose queues take it over a limit."""


@dataclass(frozen=True)
class Exploration:
    """What a worker needs: a configuration, a device, and the folders of the stages before.

    What it reads and builds of them is kept while it lives, and not sent along.
    """

    config: Config
    target: Target
    trained: Path
    quantized: Path
    cache_folder: Path

    def __reduce__(self) -> Any:
        return Exploration, (self.config, self.target, self.trained, self.quantized, self.cache_folder)

    @cached_property
    def origin(self) -> dict[str, object]:
        """All that its evaluations depend on."""
        target = self.target
        explored = self.config.explore.model_dump(exclude={"points"})
        device = {"device": source(target.name), "clock": self.clock_mhz, "limit": target.utilisation}
        return {
            "quantized": digest(self.quantized),
            **self.network_origin,
            **explored,
            **device,
            "frame_input": target.frame_input,
            "netweave": __version__,
        }

    @cached_property
    def network_origin(self) -> dict[str, object]:
        """All that the accuracy of an assignment depends on."""
        return origin(self.config, self.trained)

    @property
    def clock_mhz(self) -> float:
        return self.target.clock_mhz or self.target.target.clock_mhz

    @cached_property
    def search(self) -> SearchSettings:
        own, hertz = self.config.explore, 1e6 * self.clock_mhz
        return SearchSettings(
            Objective(own.objective), self.target.utilisation, own.budgets, own.gap, own.error_step,
            None if own.frame_rate is None else math.floor(hertz / own.frame_rate),
            None if own.max_latency_ms is None else math.floor(hertz * own.max_latency_ms / 1000),
            own.speedups, own.max_errors,
        )  # fmt: skip

    @cached_property
    def table(self) -> Table:
        path = self.quantized / "quantize.json"
        formats = [] if quantized_network(self.config.model) is not None else self.formats
        sensitivity = sensitivities(path, read_json(path, "quantize", "quantize"), formats)
        graphs = {name: self.loaded(load(self.quantized / name)) for name in self.formats}
        return Table(graphs, self.target.target, sensitivity, self.case, FrameInput(self.target.frame_input))

    @property
    def formats(self) -> list[str]:
        """Those with a graph of their own."""
        return self.config.quantize.formats if quantized_network(self.config.model) is None else [FORMAT]

    @cached_property
    def networks(self) -> Networks | Imported:
        if quantized_network(self.config.model) is not None:
            return Imported(self.config, self.trained)
        return Networks(self.config, self.trained, self.cache_folder, lambda *_: None)

    @property
    def case(self) -> Load:
        """Of the activity that a graph holds, what costs are those of."""
        return case(self.config)

    def loaded(self, graph: Graph) -> Graph:
        """The graph with the activity that costs are those of."""
        return loaded(self.config, graph, lambda: self.networks.data)

    # what workers do; each gives a JSON value

    def budget_fractions(self, family: str) -> dict[str, Any]:
        """Shares of the device to look at for a family, or why it fits in none."""
        try:
            return {
                "budget_fractions": [
                    str(budget_fraction) for budget_fraction in budget_fractions(self.table, self.search, family)
                ]
            }
        except Infeasible as error:
            return {"budget_fractions": [], "infeasible": str(error)}

    def designs(self, family: str, budget_fraction: str) -> dict[str, Any]:
        """A family's designs in a share of the device, or why it has none there."""
        try:
            results = designs(
                self.table,
                self.search,
                family,
                Fraction(budget_fraction),
                self.clock_mhz,
                closing(family, budget_fraction, self.search),
            )
        except Infeasible as error:
            return {"designs": [], "infeasible": str(error)}
        return {"designs": [_entry(design) for design in results]}

    def again(
        self, name: str, family: str, budget_fraction: str, minimised: str, limits: dict[str, int]
    ) -> dict[str, Any]:
        """The design that takes this one's place under lower ``limits``, or why there is none."""
        watch = closing(family, budget_fraction, self.search)
        objective = Objective(minimised)
        try:
            result = search_again(
                self.table,
                self.search,
                name,
                family,
                Fraction(budget_fraction),
                objective,
                limits,
                self.clock_mhz,
                watch,
            )
        except Infeasible as error:
            return {"designs": [], "infeasible": str(error)}
        return {"designs": [_entry(result)]}

    def accuracy(self, assignment: dict[str, str]) -> list[int]:
        """How many validation images of how many the quantized network gets right; its graph is kept."""
        result = self.networks.measure(assignment).accuracy
        return [result.correct, result.total]

    def improved(
        self, family: str, budget_fraction: str, limits: dict[str, int], choice: list[int], assignment: dict[str, str]
    ) -> dict[str, Any]:
        """The mapping that is best as simulated, of the program's choice and of others near it within the same limits.

        ``tried``: how many others were simulated; ``gained``: the share by which it is better. Frames are of the
        training split, so that the images that choose between designs have no part in their foldings.
        """
        problem = design_problem(self.table, self.search, family, Fraction(budget_fraction), limits)
        selection = {op.name: op.candidates[number] for op, number in zip(problem.ops, choice, strict=True)}
        graph = load(self.networks.measure(assignment).folder)
        figure = {Objective.LATENCY: _alone, Objective.BOTTLENECK: _apart}.get(self.search.objective)
        # full frames are all alike
        frames: Frames = 1 if figure is _alone else COMPARISON_IMAGES
        if graph.input.sparse:
            frames = self.networks.data.sample("train", COMPARISON_IMAGES)
        values: list[float] = []

        def evaluator(mapping: HwMapping) -> float:
            assert figure is not None
            values.append(figure(endless(graph, mapping, frames), frames))
            return values[-1]

        gained = 0.0
        if figure is not None:
            problem = restrict_formats(problem, assignment)
            max_evaluations = EVALUATIONS * len(problem.ops)
            selection, value = improve(self.table, problem, selection, evaluator, max_evaluations, self.clock_mhz)
            gained = 1 - value / values[0]
        mapping = mapping_of(self.table, selection, self.clock_mhz)
        return {"mapping": mapping.entry(), "tried": max(0, len(values) - 1), "gained": gained}

    def cycles(self, assignment: dict[str, str], mapping: dict[str, Any]) -> dict[str, Any]:
        """The mapping with queues as deep as they have to be, and what it then costs."""
        graph = load(self.networks.measure(assignment).folder)
        masks = self.networks.data.sample("validation", SAMPLE) if graph.input.sparse else None
        sized = size_queues(graph, HwMapping.of(mapping), 4 if masks is None else masks)
        own = self.loaded(graph)
        # as the solver has it, with queues of about the depth they need
        program = estimate(own, HwMapping.of(mapping), self.target.target, self.case)
        resources = estimate(own, sized, self.target.target, self.case).resources
        # of the frames that are simulated
        estimated = forecast(graph, sized, masks)
        return {
            "mapping": sized.entry(),
            "estimated": estimated.latency,
            "simulated": round(latency(graph, sized, masks)),
            "bottleneck": estimated.interval,
            "program": float(program.latency) if self.config.explore.activity == "mean" else None,
            "resources": resources,
            "utilisation": float(utilisation(resources, budget(self.target.target.resources))),
        }


def _entry(design: ExploredDesign) -> dict[str, Any]:
    return {**asdict(design), "mapping": design.mapping.entry(), "budget_fraction": str(design.budget_fraction)}


_opened: dict[str, Exploration] = {}
"""The exploration that this process works for, with what it has read and built."""


def evaluate(exploration: Exploration, what: str, arguments: Mapping[str, Any]) -> Any:
    """One of an exploration's evaluations, in whatever process this is."""
    key = json.dumps(exploration.origin, sort_keys=True) + str(exploration.cache_folder)
    if key not in _opened:
        _opened.clear()
        _opened[key] = exploration
    return getattr(_opened[key], what)(**arguments)


def measured_point(
    exploration: Exploration, design: Mapping[str, Any], costs: Mapping[str, Any], folder: Path
) -> FrontPoint:
    """The design, its ``name``, ``assignment``, ``solver``, ``minimised``, ``tried`` and ``gained``, with its accuracy
    and its costs.

    ``folder``, which is made, keeps its graph, its mapping, and which images it gets right.
    """
    measured = exploration.networks.measure(design["assignment"])
    folder.mkdir()
    save(load(measured.folder), folder)
    shutil.copy(measured.folder / ACCURACY, folder)
    HwMapping.of(costs["mapping"]).save(folder / emit.MAPPING_FILE)
    low, high = measured.accuracy.interval
    return FrontPoint(
        name=design["name"],
        assignment=design["assignment"],
        correct=measured.accuracy.correct,
        total=measured.accuracy.total,
        right=measured.right,
        interval=(low / 100, high / 100),
        solver=SolverReport(**design["solver"]),
        minimised=design["minimised"],
        tried=design["tried"],
        gained=design["gained"],
        **{**costs, "mapping": f"{design['name']}/{emit.MAPPING_FILE}"},
    )
