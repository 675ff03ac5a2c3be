"""The stages after the front: what each device is given, built, checked and shown."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cosim.cycle.density import sweep
from cosim.cycle.simulator import min_deadlock_free_depths, simulate
from cosim.rtl.design import cosim as run_rtl
from dse.estimate import estimate, forecast
from dse.front import FrontError, FrontPoint, pick
from hw.accelerator.composition import AcceleratorPlan
from hw.boards import bitstream
from hw.boards.project import write_project
from hw.fpga.device import Device
from hw.fpga.mapping import Mapping, MappingError
from hw.generate import emit, vivado
from hw.generate.parts import PARTS
from hw.ops.registry import build_all
from hw.tools.yosys import synthesize
from models import data
from models.data.dataset import Dataset
from models.ir.accumulator import WeightedNode
from models.ir.activity import activity, density, expected_activity, occupancy
from models.ir.golden import run as run_golden
from models.ir.graph import Graph
from models.ir.serialize import load
from netweave import __version__
from netweave.config import Config
from netweave.config import DeviceConfig as Target
from netweave.evaluations import case, latency, loaded
from netweave.fronts import load_front
from netweave.listener import Progress
from netweave.networks import ACCURACY
from reports.artifact import ArtifactError, counts, read_json, write_json
from reports.collect import ESTIMATE, StageFolders, collect
from reports.collect import TargetDevice as Reported
from reports.designs import FRONT
from reports.html import write_page

DESIGN, PROJECT, VIVADO = "design", "project", "vivado"
COSIM, BUILD = "cosim.json", "build.json"
FRAMES = 20
"""Frames of a dense design through the cycle simulator, of which the second half is taken for its steady state."""
CASES = 5
"""Test images that a board's project brings, each with the answer to expect."""


@dataclass(frozen=True)
class SelectedPoint:
    """The point of a front that is to be built; ``folder`` has its graph, its mapping and its accuracy."""

    point: FrontPoint
    folder: Path
    graph: Graph
    mapping: Mapping


def select_point(target: Target, trained: Path, explored: Path) -> SelectedPoint:
    """What a device's ``pick`` names on the front in ``explored``; without one, what its ``max_loss`` allows."""
    train_file, device = trained / "train.json", target.target.name
    correct, total = counts(train_file, read_json(train_file, "train", "train"), "validation")
    rule = target.pick or f"fastest-above {100 * correct / total - target.max_loss}"
    front = load_front(explored / FRONT)
    if front.device != device:
        raise FrontError(f"{explored / FRONT}, field 'device': {front.device!r} must be {device!r}")
    point = pick(front, rule)
    path = explored / point.mapping
    graph, mapping = load(path.parent), Mapping.load(path)
    if mapping.device != device:
        raise MappingError(f"{path}, field 'device': {mapping.device!r} must be {device!r}")
    edges = [f"{producer}->{consumer}" for producer, consumer, _ in graph.edges]
    for edge in mapping.queues:
        if edge not in edges:
            valid = f"is no edge of the network; edges are {', '.join(edges)}"
            raise MappingError(f"{path}, field 'queues': {edge!r} {valid}")
    try:
        build_all(graph, dict(mapping.ops))  # names what does not fit before anything is made of it
    except ValueError as error:
        raise MappingError(f"{path}: {error}") from error
    return SelectedPoint(point, path.parent, graph, mapping)


def generate(
    config: Config, target: Target, trained: Path, explored: Path, logs: Path, progress: Progress, folder: Path
) -> None:
    """Write ``design/``, ``estimate.json`` with its ``figures``, and ``synthesis.json`` with Yosys's counts.

    For a part of AMD's also ``vivado/``; for a board ``project/``, all that its bitstream takes. Yosys's log goes into
    ``logs``, which stays also when it fails.
    """
    own = select_point(target, trained, explored)
    graph, mapping, device = own.graph, own.mapping, target.target
    progress("Verilog", 0, 2)
    emit.generate(graph, mapping, folder / DESIGN, probes=config.cosim.probes, target=device)
    write_json(folder / ESTIMATE, "estimate", figures(config, device, own, progress))
    progress("synthesis", 1, 2)
    synthesized = synthesize(
        folder / DESIGN / emit.VERILOG_FILE, device.synth, log=logs / f"synthesis_{device.name}.log"
    )
    write_json(folder / "synthesis.json", "synthesis", {"command": device.synth, **asdict(synthesized)})
    if device.name in PARTS:
        vivado.write_project(folder / DESIGN, device, folder / VIVADO)
    if target.board is not None:
        frames = data.load(config.data).frames("test", CASES)
        plan = AcceleratorPlan(graph, mapping)
        answers = [plan.output.beats(run_golden(graph, frame)[graph.output]) for frame in frames]
        cases = [(plan.input_layout.beats(frame), answer) for frame, answer in zip(frames, answers, strict=True)]
        board = target.built_for
        write_project(folder / DESIGN, board, mapping.clock_mhz, folder / PROJECT, cases, graph.input.sparse)


def figures(config: Config, device: Device, own: SelectedPoint, progress: Progress) -> dict[str, Any]:
    """All that is known of a design before its Verilog: its test images, its cycles and resources, its queues."""
    images = data.load(config.data)
    return {
        "point": own.point.name,
        **_tested(own.folder / ACCURACY, images),
        **_estimates(config, images, own.graph, own.mapping, device),
        "queues": queues(own.graph, own.mapping),
        "density": _by_density(own.graph, own.mapping, progress),
    }


def _tested(path: Path, images: Dataset) -> dict[str, object]:
    """How many test images are right, and by true class how many were taken for which one."""
    content = read_json(path, "accuracy", "explore")
    labels, answers = images.test_y, content["predicted"].split()
    if len(answers) != len(labels) or not {*answers} <= {*map(str, range(images.classes))}:
        valid = f"a class of 0 to {images.classes - 1} for each of the {len(labels)} test images"
        raise ArtifactError(f"{path}, field 'predicted': {content['predicted'][:40]!r}... must be {valid}")
    confusion = np.zeros((images.classes, images.classes), np.int64)
    np.add.at(confusion, (labels, np.array(answers, np.int64)), 1)
    return {"test": counts(path, content, "test"), "confusion": confusion.tolist()}


def _by_density(graph: Graph, mapping: Mapping, progress: Progress) -> dict[str, object] | None:
    """Cycles of a sparse design beside its dense version's; None for a dense one."""
    if not graph.input.sparse:
        return None
    result = sweep(graph, mapping, progress=lambda done, total: progress("cycles by density", done, total))
    return {**asdict(result), "crossing": {field: result.crossing(field) for field in ("latency", "interval")}}


def queues(graph: Graph, mapping: Mapping) -> list[dict[str, object]]:
    """Every queue at the output of an op and between two: its ends, the bits of a beat, its beats, and why no fewer."""
    plan, least = AcceleratorPlan(graph, mapping), min_deadlock_free_depths(graph, mapping)
    rows: list[dict[str, object]] = []
    for name, op in plan.ops.items():
        consumers = [edge.consumer for edge in plan.consumers(name)] + ["output"] * (name == graph.output)
        ends = {"producer": name, "consumer": ", ".join(consumers)}
        rows.append(
            {**ends, "width": op.out_layout.width, "depth": op.depth, "why": "room for what is under way in the op"}
        )
    for edge in plan.edges:
        if edge.queue:
            why = "least without deadlock" if graph.input.sparse else "least of a queue"
            if edge.queue > least.get(f"{edge.producer}->{edge.consumer}", 0):
                why = "latency balance: with a beat less some frame takes longer"
            ends = {"producer": edge.producer, "consumer": edge.consumer}
            rows.append({**ends, "width": edge.layout.width, "depth": edge.queue, "why": why})
    return rows


def _estimates(config: Config, images: Dataset, graph: Graph, mapping: Mapping, device: Device) -> dict[str, object]:
    masks = None
    program = estimate(loaded(config, graph, lambda: images), mapping, device, case(config))
    if graph.input.sparse:
        # those that cosimulation plays, in their order
        masks = list(images.masks("test", config.cosim.images))
    # in steady state: behind as many frames as the interval is measured over
    run = simulate(graph, mapping, FRAMES if masks is None else 2 * masks)
    steady = run.intervals[-(FRAMES // 2 if masks is None else len(masks)) :]
    estimated = forecast(graph, mapping, masks)
    return {
        "program": {"latency": float(program.latency), "bottleneck": program.bottleneck},
        "estimated": {
            "latency": estimated.latency,
            "bottleneck": estimated.interval,
            "resources": program.resources,
        },
        "simulated": {
            "latency": latency(graph, mapping, masks),
            "first": run.first_latency,
            "bottleneck": statistics.mean(steady),
            "edges": run.edges,
        },
        "layers": layers(graph, mapping, device, None if masks is None else masks[0]),
    }


def layers(graph: Graph, mapping: Mapping, device: Device, mask: np.ndarray | None) -> list[dict[str, object]]:
    """By node: what it is, its folding, the cycles and resources it is estimated to take, and its activity.

    Cycles are those of the frame whose active sites ``mask`` gives; None is the dense one.
    """
    work, mean = activity(graph, None if mask is None else [mask]), expected_activity(graph)
    rows = []
    for name, op in AcceleratorPlan(graph, mapping).ops.items():
        node = graph[name]
        folding = mapping.ops[name]
        rows.append(
            {
                "name": name,
                "op": node.op,
                "shape": str(graph.shapes[name]),
                "weights": str(node.weight_dtype) if isinstance(node, WeightedNode) else "",
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
    result = bitstream.build(folder, target.built_for, logs, progress, seeds=target.seeds)
    write_json(folder / BUILD, "build", asdict(result))


def report(
    config: Config, run: Path, trained: Path, stages: Dict[str, StageFolders], progress: Progress, folder: Path
) -> None:
    """Write the page, its pictures and tables, and ``report.json``; ``stages``: the folders by device."""
    about = {"name": config.name, "model": config.model, "data": config.data, "netweave": __version__}
    devices = {}
    for target in config.device:
        device, own = target.target, stages[target.target.name]
        if own.generated is not None:
            content = read_json(own.generated / ESTIMATE, "estimate", "generate")
        else:
            content = figures(config, device, select_point(target, trained, own.explored), progress)
        devices[device.name] = Reported(device.title, target.utilisation, asdict(device.resources), content, own)
    progress("pictures", 0, 1)
    write_page(collect(run, devices, about), folder)
