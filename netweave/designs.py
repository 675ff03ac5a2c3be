"""The stages after the front: what each device is given, built, checked and shown."""

from __future__ import annotations

import shutil
import statistics
from dataclasses import asdict
from pathlib import Path

import numpy as np

from cosim.cycle import simulate
from cosim.density import sweep
from cosim.design import cosim as run_rtl
from dse.estimate import estimate, forecast
from dse.front import pick
from hw import emit
from hw.accelerator import Plan
from hw.device import Device
from hw.mapping import Mapping
from hw.targets import bitstream, vivado
from hw.targets.parts import PARTS
from hw.targets.project import write_project
from hw.targets.yosys import synthesize
from models import data
from models.ir.activity import activity, density, expected, occupancy
from models.ir.golden import run as run_golden
from models.ir.graph import Conv, Graph, Linear
from models.ir.serialize import load
from netweave import __version__
from netweave.config import Config
from netweave.config import Device as Target
from netweave.exploration import case, latency, loaded
from netweave.fronts import load_front
from netweave.listener import Progress
from netweave.networks import ACCURACY
from reports.artifact import read_json, write_json
from reports.collect import collect
from reports.designs import FRONT
from reports.html import write_page

DESIGN, PROJECT, VIVADO = "design", "project", "vivado"
COSIM, BUILD = "cosim.json", "build.json"
FRAMES = 20
"""Frames of a dense design through the cycle simulator, of which the second half is taken for its steady state."""
CASES = 5
"""Test images that a board's project brings, each with the answer to expect."""


def generate(
    config: Config, target: Target, trained: Path, explored: Path, logs: Path, progress: Progress, folder: Path
) -> None:
    """Write ``design/``, ``estimate.json`` of it and its layers, and ``synthesis.json`` with Yosys's counts.

    For a part of AMD's also ``vivado/``; for a board ``project/``, all that its bitstream takes. Yosys's log goes into
    ``logs``, which stays also when it fails.
    """
    reached = read_json(trained / "train.json", "train", "train")
    correct, total = reached["validation"]
    rule = target.pick or f"fastest-above {100 * correct / total - target.max_loss}"
    point = pick(load_front(explored / FRONT), rule)
    source = (explored / point.mapping).parent
    graph, mapping, device = load(source), Mapping.load(explored / point.mapping), target.target
    progress("Verilog", 0, 2)
    emit.generate(graph, mapping, folder / DESIGN, probes=config.cosim.probes, target=device)
    tested = read_json(source / ACCURACY, "accuracy", "explore")["test"]
    figures = _estimates(config, graph, mapping, device)
    write_json(folder / "estimate.json", "estimate", {"point": point.name, "test": tested, **figures})
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


def _estimates(config: Config, graph: Graph, mapping: Mapping, device: Device) -> dict[str, object]:
    images, masks = data.load(config.data), None
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


def report(config: Config, run: Path, fronts: dict[str, Path], progress: Progress, folder: Path) -> None:
    """Write the page, its pictures and tables, and ``report.json``; ``fronts``: the folder of each device's."""
    about = {"name": config.name, "model": config.model, "data": config.data, "netweave": __version__}
    devices = {
        target.target.name: (
            target.target.title, target.utilisation, asdict(target.target.resources), target.board is not None,
            fronts[target.target.name],
        )
        for target in config.device
    }  # fmt: skip
    found = collect(run, devices, about)
    progress("pictures", 0, 1)
    write_page(found, folder)
