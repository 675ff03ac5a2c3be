"""The stages from the front to the report: what each device is given, built, checked and shown."""

from __future__ import annotations

import shutil
import statistics
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np

from cosim.cycle import simulate, size_queues
from cosim.density import sweep
from cosim.design import cosim as run_rtl
from dse.candidates import Table, budget
from dse.estimate import estimate
from dse.explore import Design, Search, between
from dse.explore import explore as run_search
from dse.front import Front, FrontPoint, pick
from dse.problem import Objective, utilisation
from hw import emit
from hw.accelerator import Plan
from hw.device import Device
from hw.mapping import FrameInput, Mapping
from hw.targets import bitstream, vivado
from hw.targets.parts import PARTS
from hw.targets.project import write_project
from hw.targets.yosys import synthesize
from models import data
from models.ir.activity import Load, activity, density, expected, occupancy
from models.ir.golden import run as run_golden
from models.ir.graph import Conv, Graph, Linear
from models.ir.serialize import load, save
from netweave import __version__
from netweave.config import Config
from netweave.config import Device as Target
from netweave.listener import Progress
from netweave.networks import Measured, Networks
from reports.artifact import read_json, write_json
from reports.collect import collect
from reports.html import write_page

DESIGN, PROJECT, VIVADO = "design", "project", "vivado"
FRONT, ALL, COSIM, BUILD = "front.json", "designs.json", "cosim.json", "build.json"
FRAMES = 20
"""Frames through the cycle simulator: the first finds the accelerator idle, the last in steady state."""
CASES = 5
"""Test images that a board's project brings, each with the answer to expect."""
SAMPLE = 16
"""Test images, evenly spread, over which the latency of a sparse design is averaged."""


def explore(
    config: Config, target: Target, trained: Path, quantized: Path, kept: Path, progress: Progress, folder: Path
) -> None:
    """Write ``front.json`` and ``designs.json``, all there were to choose from, with a graph and a mapping each."""
    networks = Networks(config, trained, kept, progress)
    device = target.target
    sensitivity = read_json(quantized / "quantize.json", "quantize", "quantize")["sensitivity"]
    graphs = {name: load(quantized / name) for name in config.quantize.formats}
    search = Search(Objective(config.explore.objective), target.utilisation, config.explore.sizes)
    table = Table(graphs, device, sensitivity, config.explore.activity, FrameInput(target.frame_input))
    designs = run_search(table, search, target.clock_mhz, progress)
    points: dict[str, FrontPoint] = {}
    masks = networks.data.sample("test", SAMPLE) if networks.data.sparse else None

    def add(design: Design) -> None:
        measured = networks.measure(design.assignment)
        points[design.name] = _point(design, measured, target, config.explore.activity, masks, folder / design.name)

    for step, design in enumerate(designs):
        progress("accuracy and cycles", step, len(designs))
        add(design)
    clock, found = designs[0].mapping.clock_mhz, {design.name: design for design in designs}
    tried: set[tuple[str, str]] = set()
    while len(front := Front.of(device.name, clock, list(points.values()))) < config.explore.points:
        progress("more sizes", len(front), config.explore.points)
        gap = _widest(front, found, tried)
        if gap is None:
            break
        tried.add((gap[0].name, gap[1].name))
        design = between(table, search, *gap)
        if design.name not in found and all(design.mapping != other.mapping for other in found.values()):
            found[design.name] = design
            add(design)
    Front(device.name, clock, tuple(points.values())).save(folder / ALL)
    front.save(folder / FRONT)


def _widest(front: Front, designs: dict[str, Design], tried: set[tuple[str, str]]) -> tuple[Design, Design] | None:
    """The two designs on the front of one assignment, next to each other in size, that lie furthest apart."""
    pairs: list[tuple[Design, Design]] = []
    for assignment in {str(sorted(point.assignment.items())) for point in front.points}:
        own = [designs[p.name] for p in front.points if str(sorted(p.assignment.items())) == assignment]
        pairs += pairwise(sorted(own, key=lambda design: -design.share))
    left = [(a, b) for a, b in pairs if (a.name, b.name) not in tried and a.share > b.share]
    return max(left, key=lambda pair: pair[0].share / pair[1].share, default=None)


def latency(graph: Graph, mapping: Mapping, masks: list[np.ndarray] | None) -> float:
    """Cycles, simulated, of a frame that finds the accelerator idle; of sparse frames the mean."""
    if masks is None:
        return simulate(graph, mapping).first_latency
    return float(np.mean([simulate(graph, mapping, [mask]).first_latency for mask in masks]))


def _point(
    design: Design, measured: Measured, target: Target, case: Load, masks: list[np.ndarray] | None, folder: Path
) -> FrontPoint:
    """The design with its accuracy and its cycles; ``folder`` keeps its graph and mapping."""
    device, graph = target.target, load(measured.folder)
    mapping = size_queues(graph, design.mapping, 4 if masks is None else masks)
    folder.mkdir()
    save(graph, folder)
    mapping.save(folder / emit.MAPPING_FILE)
    estimated = estimate(graph, mapping, device, case)
    low, high = measured.accuracy.interval
    return FrontPoint(
        name=design.name,
        assignment=design.assignment,
        mapping=f"{design.name}/{emit.MAPPING_FILE}",
        correct=measured.accuracy.correct,
        total=measured.accuracy.total,
        interval=(low / 100, high / 100),
        estimated=float(estimated.latency),
        simulated=round(latency(graph, mapping, masks)),
        bottleneck=estimated.bottleneck,
        resources=estimated.resources,
        utilisation=float(utilisation(estimated.resources, budget(device.resources))),
        solver=design.solver,
    )


def generate(
    config: Config, target: Target, trained: Path, explored: Path, logs: Path, progress: Progress, folder: Path
) -> None:
    """Write ``design/``, ``estimate.json`` of it and its layers, and ``synthesis.json`` with Yosys's counts.

    For a part of AMD's also ``vivado/``; for a board ``project/``, all that its bitstream takes. Yosys's log goes into
    ``logs``, which stays also when it fails.
    """
    reached = read_json(trained / "train.json", "train", "train")
    rule = target.pick or f"fastest-above {100 * reached['correct'] / reached['total'] - target.max_loss}"
    point = pick(Front.load(explored / FRONT), rule)
    source = (explored / point.mapping).parent
    graph, mapping, device = load(source), Mapping.load(explored / point.mapping), target.target
    progress("Verilog", 0, 2)
    emit.generate(graph, mapping, folder / DESIGN, probes=config.cosim.probes)
    write_json(folder / "estimate.json", "estimate", _estimates(config, point.name, graph, mapping, device))
    if graph.input.sparse:
        found = sweep(graph, mapping, progress=lambda done, total: progress("cycles by density", done, total))
        crossing = {field: found.crossing(field) for field in ("latency", "interval")}
        write_json(folder / "density.json", "density", {**asdict(found), "crossing": crossing})
    progress("synthesis", 1, 2)
    made = synthesize(folder / DESIGN / emit.VERILOG_FILE, device.synth, log=logs / f"synthesis_{device.name}.log")
    write_json(folder / "synthesis.json", "synthesis", {"command": device.synth, **asdict(made)})
    if device.name in PARTS:
        vivado.write_project(folder / DESIGN, device, folder / VIVADO)
    if target.board is not None:
        frames = data.load(config.data).frames("test", CASES)
        plan = Plan(graph, mapping)
        answers = [plan.output.beats(run_golden(graph, frame)[graph.output]) for frame in frames]
        cases = [(plan.source.beats(frame), answer) for frame, answer in zip(frames, answers, strict=True)]
        board = target.built_for
        write_project(folder / DESIGN, board, mapping.clock_mhz, folder / PROJECT, cases, graph.input.sparse)


def _estimates(config: Config, point: str, graph: Graph, mapping: Mapping, device: Device) -> dict[str, object]:
    whole, masks = estimate(graph, mapping, device, config.explore.activity), None
    if graph.input.sparse:
        # those that cosimulation plays, in their order
        masks = list(data.load(config.data).masks("test", config.cosim.images))
    run = simulate(graph, mapping, FRAMES if masks is None else masks)
    return {
        "point": point,
        "estimated": {
            "latency": float(whole.latency),
            "bottleneck": whole.bottleneck,
            "resources": whole.resources,
        },
        "simulated": {
            "latency": latency(graph, mapping, masks),
            "first": run.first_latency,
            "bottleneck": run.interval if masks is None else statistics.mean(run.intervals or [run.interval]),
            "edges": run.edges,
        },
        "layers": layers(graph, mapping, device, None if masks is None else masks[0]),
    }


def layers(graph: Graph, mapping: Mapping, device: Device, mask: np.ndarray | None) -> list[dict[str, object]]:
    """By node: what it is, its folding, the cycles and resources it is estimated to take, and its activity.

    Cycles are those of the frame whose active sites ``mask`` gives; None is the dense one.
    """
    work, mean = activity(graph, None if mask is None else [mask]), expected(graph)
    rows = []
    for name, op in Plan(graph, mapping).ops.items():
        node = graph[name]
        folding = mapping.ops[name]
        rows.append(
            {
                "name": name,
                "op": node.op,
                "shape": str(graph.shapes[name]),
                "weights": str(node.weight_dtype) if isinstance(node, Conv | Linear) else "",
                "activations": str(node.dtype),
                "pe": folding.pe,
                "simd": folding.simd,
                "taps": folding.taps,
                "memory": str(folding.memory),
                "multiplier": str(folding.multiplier),
                "cycles": op.cycles(work[name]),
                "resources": asdict(op.resources(device)),
                "density": density(graph, node),
                "occupancy": occupancy(mean[name]),
            }
        )
    return rows


def cosim(config: Config, generated: Path, builds: Path, progress: Progress, folder: Path) -> None:
    """Write ``cosim.json``: what was compared, where it first differs, and the RTL's cycles."""
    frames = data.load(config.data, progress).frames("test", config.cosim.images)
    result = run_rtl(
        generated / DESIGN,
        frames,
        simulator=config.cosim.simulator,
        probes=config.cosim.probes,
        layers=config.cosim.layers,
        build_dir=builds,
        progress=lambda what: progress(what, 0, len(frames)),
    )
    result.save(folder / COSIM)


def build(target: Target, generated: Path, logs: Path, progress: Progress, folder: Path) -> None:
    """Write the board's project with its bitstream, and ``build.json``: clock, resources and where they come from."""
    shutil.copytree(generated / PROJECT, folder, dirs_exist_ok=True)
    made = bitstream.build(folder, target.built_for, logs, progress, seeds=target.seeds)
    write_json(folder / BUILD, "build", asdict(made))


def report(config: Config, run: Path, progress: Progress, folder: Path) -> None:
    """Write the page, its pictures and tables, and ``report.json``."""
    about = {"name": config.name, "model": config.model, "data": config.data, "netweave": __version__}
    devices = {
        target.target.name: (
            target.target.title, target.utilisation, asdict(target.target.resources), target.board is not None
        )
        for target in config.device
    }  # fmt: skip
    found = collect(run, devices, about)
    progress("pictures", 0, 1)
    write_page(found, folder)
