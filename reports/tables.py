"""The report's tables, as pandas frames and CSV files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from reports.model_error import model_error
from reports.schema import AccuracyEntry, Density, Label, Report, Target

KINDS = ("lut", "ff", "bram", "dsp")


def front(target: Target) -> pd.DataFrame:
    """One row a point, fastest first."""
    rows, error = [], model_error(target.points)
    for point in sorted(target.points, key=lambda point: (not point.front, point.latency[Label.ESTIMATED])):
        low, high = point.accuracy.interval
        rows.append(
            {
                "point": point.name,
                "formats": summary(point.formats),
                "on front": point.front,
                "accuracy %": point.accuracy.percent,
                "95 % low": low,
                "95 % high": high,
                **{f"latency cycles {label}": point.latency.get(label) for label in (Label.ESTIMATED, Label.SIMULATED)},
                "latency cycles by the program": point.program,
                "foldings near it simulated": point.tried,
                "gained by them": point.gained,
                "bottleneck cycles estimated": point.bottleneck[Label.ESTIMATED],
                **{f"{kind} estimated": getattr(point.resources, kind) for kind in KINDS},
                "solver": point.solver.status,
                "minimised": point.solver.minimised,
                "bound": point.solver.bound,
                "empirical bound on latency": error.bound(point) if error else None,
                "gap": point.solver.gap,
                "seconds": point.solver.seconds,
                "chosen": point.name == target.design.point,
            }
        )
    return pd.DataFrame(rows)


def layers(target: Target) -> pd.DataFrame:
    """One row an op of the chosen design: formats, folding, cycles estimated and of the RTL."""
    rows = []
    for layer in target.design.layers:
        rows.append(
            {
                "layer": layer.name,
                "op": layer.op,
                "output": layer.shape,
                "weights": layer.weights,
                "activations": layer.activations,
                "pe": layer.pe,
                "simd": layer.simd,
                "taps": layer.taps,
                "memory": layer.memory,
                "multiplier": layer.multiplier,
                **{f"cycles {label}": layer.cycles.get(label) for label in (Label.ESTIMATED, Label.RTL)},
                **{f"done {label}": layer.done.get(label) for label in (Label.SIMULATED, Label.RTL)},
                **({"active sites %": 100 * layer.density} if target.design.density else {}),
            }
        )
    return pd.DataFrame(rows).dropna(axis="columns", how="all")


def resources(target: Target) -> pd.DataFrame:
    """One row an op of the chosen design: what it is estimated to take, and its share of the device.

    The last rows are what lies between the ops, and the whole design.
    """
    design = target.design
    whole = design.resources[Label.ESTIMATED]
    ops = {layer.name: (layer.op, layer.resources.model_dump()) for layer in design.layers}
    rest = {kind: getattr(whole, kind) - sum(own[kind] for _, own in ops.values()) for kind in KINDS}
    between = "input, forks, queues and lane converters"
    rows = []
    for name, (op, own) in {**ops, between: ("", rest), "whole design": ("", whole.model_dump())}.items():
        row: dict[str, object] = {"layer": name, "op": op}
        for kind in KINDS:
            used, has = own[kind], getattr(target.available, kind)
            row |= {f"{kind} estimated": used, f"{kind} %": 100 * used / has if has else 0.0}
        rows.append(row)
    return pd.DataFrame(rows)


def queues(target: Target) -> pd.DataFrame:
    """One row a queue of the chosen design: its ends, bits of a beat, beats, and why no fewer."""
    rows = [
        {
            "producer": queue.producer,
            "consumer": queue.consumer,
            "width, bits": queue.width,
            "depth, beats": queue.depth,
            "bits in all": queue.width * queue.depth,
            "why": queue.why,
        }
        for queue in target.design.queues
    ]
    return pd.DataFrame(rows)


def classes(target: Target) -> pd.DataFrame:
    """One row a class: how many of its test images are right, and which class most of the others are taken for."""
    rows = []
    for own, counts in enumerate(target.design.confusion):
        row: dict[str, object] = {"class": str(own), "test images": sum(counts), "right": counts[own]}
        if sum(counts):
            accuracy = AccuracyEntry(correct=counts[own], total=sum(counts))
            low, high = accuracy.interval
            row |= {"accuracy %": accuracy.percent, "95 % low": low, "95 % high": high}
        wrong = {other: count for other, count in enumerate(counts) if count and other != own}
        if wrong:
            other = max(wrong, key=lambda other: wrong[other])
            row |= {"most often taken for": str(other), "so often": wrong[other]}
        rows.append(row)
    columns = ["accuracy %", "95 % low", "95 % high", "most often taken for", "so often"]
    return pd.DataFrame(rows).reindex(columns=["class", "test images", "right", *columns])


def confusion(target: Target) -> pd.DataFrame:
    """Test images of the chosen design by true class, the rows, and predicted class, the columns."""
    counts = target.design.confusion
    table = pd.DataFrame(counts, columns=[f"predicted {own}" for own in range(len(counts))])
    table.insert(0, "true", range(len(counts)))
    return table


def density(measurement: Density) -> pd.DataFrame:
    """One row a share of active sites: cycles of the sparse design and of its dense version."""
    rows = []
    for share, cycles in zip(measurement.densities, measurement.sparse, strict=True):
        row: dict[str, float] = {"active sites %": 100 * share}
        for field in ("latency", "interval"):
            mine, dense = getattr(cycles, field), getattr(measurement.dense, field)
            row |= {f"{field} simulated": mine, f"dense {field} simulated": dense, f"{field} ratio": mine / dense}
        rows.append(row)
    return pd.DataFrame(rows)


def utilisation(target: Target) -> pd.DataFrame:
    """One row a resource: the device's, the budget, and the design's by label with its share of the device."""
    rows = []
    for kind in KINDS:
        has = getattr(target.available, kind)
        row = {"resource": kind.upper(), "device": has, "budget": int(has * target.utilisation)}
        for label, resources in target.design.resources.items():
            used = getattr(resources, kind)
            row[str(label)] = used
            row[f"{label} %"] = 100 * used / has if has else 0.0
        rows.append(row)
    return pd.DataFrame(rows)


def summary(formats: dict[str, str]) -> str:
    """An assignment in a few words: ``int8``, or ``int4 x6, int8 x3``, most frequent first."""
    counts = pd.Series(list(formats.values())).value_counts()
    if len(counts) == 1:
        return str(counts.index[0])
    return ", ".join(f"{name} x{count}" for name, count in counts.items())


def write(report: Report, folder: Path) -> list[Path]:
    """The CSV files of every target, written into ``folder``."""
    paths = []
    for target in report.targets:
        for table in (front, layers, utilisation, resources, queues, classes, confusion):
            path = folder / f"{table.__name__}_{target.device}.csv"
            table(target).to_csv(path, index=False, float_format="%.6g")
            paths.append(path)
        if target.design.density:
            paths.append(folder / f"density_{target.device}.csv")
            density(target.design.density).to_csv(paths[-1], index=False, float_format="%.6g")
    return paths
