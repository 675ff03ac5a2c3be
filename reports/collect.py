"""A run's artifacts put together as one Report."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.ir.graph import Graph
from models.ir.serialize import load
from reports.artifact import ArtifactError, counts, read_json, reading
from reports.designs import read
from reports.schema import (
    AccuracyEntry,
    BuiltEntry,
    CheckEntry,
    Density,
    DesignEntry,
    Label,
    LayerEntry,
    Missing,
    NodeEntry,
    QueueEntry,
    Report,
    ResourcesEntry,
    Target,
    Uniform,
)

COSIM_VERSION = 1
"""Of the file that ``cosim.rtl.design`` writes."""
ESTIMATE = "estimate.json"


@dataclass(frozen=True)
class StageFolders:
    """The folders of the stages that a run has finished for one device.

    Parameters
        explored     folder of its front
        generated    folder of the generated design; None where the stage has not run
        cosim        folder of the comparison of its RTL with golden, or None
        build        folder of its bitstream, or None
        missing      what the stages that have not run would add
    """

    explored: Path
    generated: Path | None
    cosim: Path | None
    build: Path | None
    missing: list[Missing]


@dataclass(frozen=True)
class TargetDevice:
    """One device of a run.

    Parameters
        title          the device in words
        utilisation    the share of it that may be used
        available      its resources in all
        figures        what ``estimate.json`` says of the picked design, or will say
        folders        the stages that have run for it
    """

    title: str
    utilisation: float
    available: dict[str, int]
    figures: Mapping[str, Any]
    folders: StageFolders


def collect(run: Path, devices: Mapping[str, TargetDevice], about: Mapping[str, str]) -> Report:
    """The report of a run.

    Parameters
        run        folder of the run
        devices    devices of the run, by name
        about      values of the report's fields ``name``, ``model``, ``data`` and ``netweave``
    Raises         ArtifactError: a file of a stage is missing or not valid
    """
    trained_in, quantized_in = run / "train" / "train.json", run / "quantize" / "quantize.json"
    trained = read_json(trained_in, "train", "train")
    reached = {split: _accuracy(counts(trained_in, trained, split)) for split in ("validation", "test")}
    quantized = read_json(quantized_in, "quantize", "quantize")
    with reading(quantized_in):
        uniform = [
            Uniform(format=name, post_training=_accuracy(entry["post_training"]), trained=_accuracy(entry["trained"]))
            for name, entry in quantized["uniform"].items()
        ]
    targets = [_target(name, device) for name, device in devices.items()]
    first = next(iter(devices.values()))
    graph = load(first.folders.explored / first.figures["point"])
    return Report(
        name=about["name"],
        model=about["model"],
        data=about["data"],
        netweave=about["netweave"],
        reference=trained.get("reference", "float"),
        accuracy=reached["validation"],
        test=reached["test"],
        uniform=uniform,
        graph=_nodes(graph),
        targets=targets,
    )


def _accuracy(counts: Sequence[int]) -> AccuracyEntry:
    return AccuracyEntry(correct=counts[0], total=counts[1])


def _nodes(graph: Graph) -> list[NodeEntry]:
    return [
        NodeEntry(name=node.name, op=node.op, shape=str(graph.shapes[node.name]), inputs=list(node.inputs))
        for node in graph.nodes
    ]


def _target(name: str, device: TargetDevice) -> Target:
    designs = read(device.folders.explored)
    design = _design(device.figures, device.folders)
    names = [point.name for point in designs.points]
    if design.point not in names:
        where = f"{(device.folders.generated or device.folders.explored) / ESTIMATE}, field 'point'"
        raise ArtifactError(f"{where}: {design.point!r} is no design of the front; designs are {', '.join(names)}")
    return Target(
        device=name,
        title=device.title,
        clock_mhz=designs.clock_mhz,
        utilisation=device.utilisation,
        available=ResourcesEntry(**device.available),
        points=list(designs.points),
        design=design,
        missing=device.folders.missing,
    )


def _design(figures: Mapping[str, Any], folders: StageFolders) -> DesignEntry:
    check, ends, alone, built, warnings = None, {}, {}, None, []
    with reading((folders.generated or folders.explored) / ESTIMATE):
        latency = {label: figures[label]["latency"] for label in (Label.ESTIMATED, Label.SIMULATED)}
        bottleneck = {label: figures[label]["bottleneck"] for label in (Label.ESTIMATED, Label.SIMULATED)}
        resources = {Label.ESTIMATED: ResourcesEntry(**figures["estimated"]["resources"])}
    if folders.generated is not None:
        synthesis = read_json(folders.generated / "synthesis.json", "synthesis", "generate")
        with reading(folders.generated / "synthesis.json"):
            resources[Label.SYNTHESIZED] = ResourcesEntry(**synthesis["resources"])
            warnings = [str(warning) for warning in synthesis["warnings"]]
    if folders.cosim is not None:
        measured = read_json(folders.cosim / "cosim.json", "cosim", "cosim", COSIM_VERSION)
        with reading(folders.cosim / "cosim.json"):
            rtl = {"latency": measured["latency"][0]}
            if measured["intervals"]:
                rtl["bottleneck"] = statistics.median(measured["intervals"])
            if not all(type(cycles) in (int, float) and cycles > 0 for cycles in rtl.values()):
                raise ValueError(f"cycles of {rtl} must be above 0")
            check, ends, alone = _check(measured), _ends(measured), _alone(measured)
        latency[Label.RTL] = rtl["latency"]
        if "bottleneck" in rtl:
            bottleneck[Label.RTL] = rtl["bottleneck"]
    if folders.build is not None:
        routed = read_json(folders.build / "build.json", "build", "build")
        resources[Label.ROUTED] = ResourcesEntry(**routed["resources"])
        bitstream = f"build/{folders.build.name}/{routed['bitstream']}"
        built = BuiltEntry(**{key: routed[key] for key in ("board", "clock_mhz", "fmax_mhz")}, bitstream=bitstream)
    with reading((folders.generated or folders.explored) / ESTIMATE):
        return DesignEntry(
            point=figures["point"],
            test=_accuracy(figures["test"]),
            confusion=figures["confusion"],
            latency=latency,
            first=figures["simulated"]["first"],
            bottleneck=bottleneck,
            density=_density(figures["density"]) if figures["density"] else None,
            resources=resources,
            layers=_layers(figures, ends, alone),
            queues=[QueueEntry(**entry) for entry in figures["queues"]],
            check=check,
            built=built,
            warnings=warnings,
        )


def _density(entry: dict[str, Any]) -> Density:
    return Density(**{field: entry[field] for field in Density.model_fields})


def _ends(measured: dict[str, Any]) -> dict[str, int]:
    """By stream within the RTL, when the first frame ended."""
    streams = {name: timing["end"] for name, timing in measured["streams"].items() if name.startswith("edge_")}
    return _done(streams, measured["streams"]["i"]["first"][0])


def _alone(measured: dict[str, Any]) -> dict[str, float]:
    """By layer that ran by itself, its cycles a frame."""
    return {name: statistics.median(layer["intervals"]) for name, layer in measured["layers"].items()}


def _layers(figures: Mapping[str, Any], rtl: dict[str, int], alone: dict[str, float]) -> list[LayerEntry]:
    simulated = _done({f"edge_{name}": ends for name, ends in figures["simulated"]["edges"].items()}, 0)
    layers = []
    for entry in figures["layers"]:
        done = {}
        for label, ends in ((Label.SIMULATED, simulated), (Label.RTL, rtl)):
            if (cycle := _first(ends, entry["name"])) is not None:
                done[label] = cycle
        cycles = {Label.ESTIMATED: entry["cycles"]}
        if entry["name"] in alone:
            cycles[Label.RTL] = alone[entry["name"]]
        fields = {**entry, "cycles": cycles, "done": done}
        layers.append(LayerEntry(**{**fields, "resources": ResourcesEntry(**entry["resources"])}))
    return layers


def _done(streams: dict[str, list[int]], start: int) -> dict[str, int]:
    """By stream, the cycle in which the first frame's end left its producer, from that frame's first beat in."""
    return {name: ends[0] - start for name, ends in streams.items() if ends}


def _first(ends: dict[str, int], layer: str) -> int | None:
    """Of all streams that leave ``layer``, the last to end."""
    return max((cycle for name, cycle in ends.items() if name.startswith(f"edge_{layer}__")), default=None)


def _check(measured: dict[str, Any]) -> CheckEntry:
    alone = [layer["mismatch"] for layer in measured["layers"].values() if layer["mismatch"]]
    mismatches = [*measured["check"]["mismatches"], *alone]
    return CheckEntry(
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
