"""A run's artifacts put together as one Report."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

from models.ir.graph import Graph
from models.ir.serialize import load
from reports.artifact import read_json
from reports.designs import read
from reports.schema import (
    Accuracy,
    Built,
    Check,
    Density,
    Design,
    Label,
    Layer,
    Node,
    Report,
    Resources,
    Target,
    Uniform,
)

COSIM_VERSION = 1
"""Of the file that ``cosim.design`` writes."""
Device = tuple[str, float, dict[str, int], bool, Path]
"""Title, share that may be used, resources in all, whether there is a bitstream, and the folder of its front."""


def collect(run: Path, devices: dict[str, Device], about: dict[str, str]) -> Report:
    """The report of the run in folder ``run`` for ``devices`` by name; ``about``: name, model, data, netweave."""
    trained = read_json(run / "train" / "train.json", "train", "train")
    quantized = read_json(run / "quantize" / "quantize.json", "quantize", "quantize")
    graph = load(run / "generate" / next(iter(devices)) / "design")
    return Report(
        name=about["name"],
        model=about["model"],
        data=about["data"],
        netweave=about["netweave"],
        reference=trained.get("reference", "float"),
        accuracy=_accuracy(trained["validation"]),
        test=_accuracy(trained["test"]),
        uniform=[
            Uniform(format=name, post_training=_accuracy(entry["post_training"]), trained=_accuracy(entry["trained"]))
            for name, entry in quantized["uniform"].items()
        ],
        graph=_nodes(graph),
        targets=[_target(run, name, device) for name, device in devices.items()],
    )


def _accuracy(counts: list[int]) -> Accuracy:
    return Accuracy(correct=counts[0], total=counts[1])


def _nodes(graph: Graph) -> list[Node]:
    return [
        Node(name=node.name, op=node.op, shape=str(graph.shapes[node.name]), inputs=list(node.inputs))
        for node in graph.nodes
    ]


def _target(run: Path, name: str, device: Device) -> Target:
    title, utilisation, available, built, front = device
    generated, found = run / "generate" / name, read(front)
    return Target(
        device=name,
        title=title,
        clock_mhz=found.clock_mhz,
        utilisation=utilisation,
        available=Resources(**available),
        points=list(found.points),
        design=_design(generated, run / "cosim" / name / "cosim.json", run / "build" / name if built else None),
    )


def _design(generated: Path, cosim: Path, build: Path | None) -> Design:
    figures = read_json(generated / "estimate.json", "estimate", "generate")
    synthesis = read_json(generated / "synthesis.json", "synthesis", "generate")
    by_density = generated / "density.json"
    measured = read_json(cosim, "cosim", "cosim", COSIM_VERSION)
    latency = {label: figures[label]["latency"] for label in (Label.ESTIMATED, Label.SIMULATED)}
    bottleneck = {label: figures[label]["bottleneck"] for label in (Label.ESTIMATED, Label.SIMULATED)}
    latency[Label.RTL] = measured["latency"][0]
    if measured["intervals"]:
        bottleneck[Label.RTL] = statistics.median(measured["intervals"])
    resources = {
        Label.ESTIMATED: Resources(**figures["estimated"]["resources"]),
        Label.SYNTHESIZED: Resources(**synthesis["resources"]),
    }
    built = None
    if build is not None:
        routed = read_json(build / "build.json", "build", "build")
        resources[Label.ROUTED] = Resources(**routed["resources"])
        bitstream = f"build/{build.name}/{routed['bitstream']}"
        built = Built(**{key: routed[key] for key in ("board", "clock_mhz", "fmax_mhz")}, bitstream=bitstream)
    return Design(
        point=figures["point"],
        test=_accuracy(figures["test"]),
        latency=latency,
        first=figures["simulated"]["first"],
        bottleneck=bottleneck,
        density=_density(read_json(by_density, "density", "generate")) if by_density.exists() else None,
        resources=resources,
        layers=_layers(figures, measured),
        check=_check(measured),
        built=built,
        warnings=synthesis["warnings"],
    )


def _density(entry: dict[str, Any]) -> Density:
    return Density(**{field: entry[field] for field in Density.model_fields})


def _layers(figures: dict[str, Any], measured: dict[str, Any]) -> list[Layer]:
    simulated = _done({f"edge_{name}": ends for name, ends in figures["simulated"]["edges"].items()}, 0)
    streams = {name: timing["end"] for name, timing in measured["streams"].items() if name.startswith("edge_")}
    rtl = _done(streams, measured["streams"]["i"]["first"][0])
    layers = []
    for entry in figures["layers"]:
        done = {}
        for label, ends in ((Label.SIMULATED, simulated), (Label.RTL, rtl)):
            if (cycle := _first(ends, entry["name"])) is not None:
                done[label] = cycle
        cycles = {Label.ESTIMATED: entry["cycles"]}
        if entry["name"] in measured["layers"]:
            cycles[Label.RTL] = statistics.median(measured["layers"][entry["name"]]["intervals"])
        fields = {**entry, "cycles": cycles, "done": done}
        layers.append(Layer(**{**fields, "resources": Resources(**entry["resources"])}))
    return layers


def _done(streams: dict[str, list[int]], start: int) -> dict[str, int]:
    """By stream, the cycle in which the first frame's end left its producer, from that frame's first beat in."""
    return {name: ends[0] - start for name, ends in streams.items() if ends}


def _first(ends: dict[str, int], layer: str) -> int | None:
    """Of all streams that leave ``layer``, the last to end."""
    return max((cycle for name, cycle in ends.items() if name.startswith(f"edge_{layer}__")), default=None)


def _check(measured: dict[str, Any]) -> Check:
    alone = [layer["mismatch"] for layer in measured["layers"].values() if layer["mismatch"]]
    mismatches = [*measured["check"]["mismatches"], *alone]
    return Check(
        simulator=measured["simulator"],
        images=measured["check"]["frames"],
        edges=len(measured["check"]["streams"]) - 1,
        layers=len(measured["layers"]),
        mismatches=len(mismatches),
        first_mismatch=_words(mismatches[0]) if mismatches else "",
        cycles=measured["cycles"],
        cycles_per_second=measured["cycles"] / measured["wall_seconds"],
    )


def _words(mismatch: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in mismatch.items() if value is not None)
