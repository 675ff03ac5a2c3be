"""Estimated resources against what Yosys makes: random ops of every kind, synthesized one by one.

``python -m benchmarks resources`` measures the errors; ``python -m benchmarks.resources OPS FAMILY ...`` prints each of
``OPS`` ops and the factors of ``hw.lut_factors`` that would fit them best. Syntheses are kept in ``runs/``.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import verilog

from hw.device import DEVICES, Device, Resources
from hw.fabric import FAMILIES, luts
from hw.op import Op
from hw.registry import build, inputs_of, mappings
from hw.targets.yosys import synthesize
from models.ir.dtype import parse_dtype
from tests.support.ops import one_op

OPS = 24
FAMILY_DEVICES = {"xcup": "zu3eg", "xc7": "z7020", "ecp5": "ecp5-85k"}
KEPT = Path("runs") / "resources"
LARGEST = 48
"""Products of the largest op: more take Yosys long and say nothing new."""

KINDS = (
    "conv", "conv", "depthwise", "conv", "pointwise", "linear", "max_pool", "avg_pool", "global_pool", "requantize",
    "add", "conv",
)  # fmt: skip
FORMATS = ("int8", "int4", "dybit8", "dybit4")


@dataclass(frozen=True)
class Sample:
    """An op and what Yosys made of it."""

    title: str
    op: Op
    made: Resources


def random_op(seed: int, device: Device) -> tuple[str, Op]:
    """The op number ``seed``, whatever the device can make of it, with random formats, shape, folding and contents."""
    rng = np.random.default_rng(seed)
    kind = KINDS[seed % len(KINDS)]
    side, channels = int(rng.choice([4, 6, 8, 12, 16])), int(rng.choice([2, 4, 6, 8, 16]))
    x, w, y = (parse_dtype(("u" if n != 1 and rng.integers(4) else "") + str(rng.choice(FORMATS))) for n in range(3))
    options: dict[str, Any] = {"x": x, "w": w, "y": y}
    if kind in ("conv", "depthwise", "pointwise"):
        kernel = 1 if kind == "pointwise" else int(rng.choice([1, 2, 3, 3, 5]))
        stride = 1 if kind == "pointwise" else int(rng.choice([1, 1, 2]))
        options |= {"out": int(rng.choice([4, 6, 8, 12, 16])), "kernel": kernel, "stride": stride}
        options |= {"padding": (kernel - 1) // 2, "depthwise": kind == "depthwise"}
    elif kind in ("max_pool", "avg_pool"):
        options |= {"kernel": int(rng.choice([2, 3])), "stride": int(rng.choice([1, 2]))}
    elif kind == "linear":
        side = int(rng.choice([1, 2, 4]))
        options |= {"out": int(rng.choice([4, 6, 10, 16])), "y": parse_dtype("int16")}
    graph = one_op(rng, "conv" if kind in ("depthwise", "pointwise") else kind, (side, side, channels), **options)
    node, inputs = graph["op"], inputs_of(graph, graph["op"])
    choices = mappings(node, inputs, device)
    choices = [m for m in choices if m.pe * m.simd * m.taps <= LARGEST] or choices[:1]
    mapping = choices[int(rng.integers(len(choices)))]
    title = f"{kind} {side}x{side}x{channels} {x} {w} {node.dtype} {'/'.join(map(str, asdict(mapping).values()))}"
    return title, build(node, inputs, mapping)


def synthesized(op: Op, device: Device) -> Resources:
    """What Yosys makes of an op, from ``KEPT`` where it has been made before."""
    text = verilog.convert(op.component(), name="netweave", emit_src=False, strip_internal_attrs=True)
    name = hashlib.sha256(f"{device.synth}\n{text}".encode()).hexdigest()[:16]
    kept = KEPT / f"{name}.json"
    if not kept.exists():
        KEPT.mkdir(parents=True, exist_ok=True)
        source = KEPT / f"{name}.v"
        source.write_text(text)
        made = synthesize(source, device.synth, log=KEPT / f"{name}.log")
        kept.write_text(json.dumps(asdict(made.resources)))
    return Resources(**json.loads(kept.read_text()))


def samples(count: int, family: str) -> Iterator[Sample]:
    device = DEVICES[FAMILY_DEVICES[family]]
    for seed in range(count):
        title, op = random_op(seed, device)
        yield Sample(title, op, synthesized(op, device))


def errors(found: list[Sample], family: str) -> dict[str, np.ndarray]:
    """By kind of resource: estimate minus synthesis, as a share of synthesis for LUTs and registers."""
    device = DEVICES[FAMILY_DEVICES[family]]
    pairs = [(sample.op.resources(device), sample.made) for sample in found]
    shares = {kind: [getattr(a, kind) / max(getattr(b, kind), 1) - 1 for a, b in pairs] for kind in ("lut", "ff")}
    counts = {kind: [getattr(a, kind) - getattr(b, kind) for a, b in pairs] for kind in ("bram", "dsp")}
    return {kind: np.array(values, dtype=float) for kind, values in (shares | counts).items()}


def fit(found: list[Sample], family: str, pull: float = 0.02) -> dict[str, tuple[float, ...]]:
    """Factors with the least squared relative error of LUTs, none negative, pulled a little to the present ones.

    Projected gradient descent; a kind that no sample has keeps its factors.
    """
    f = FAMILIES[family]
    places = [(kind, n) for kind, factors in f.factors.items() for n in range(len(factors))]
    column = {place: n for n, place in enumerate(places)}
    present = np.array([f.factors[kind][n] for kind, n in places])
    terms, rest = np.zeros((len(found), len(places))), np.zeros(len(found))
    for row, sample in enumerate(found):
        rest[row] = sample.made.lut
        for part in sample.op.parts(FAMILIES[family]):
            rest[row] -= part.lut
            for n, term in enumerate(part.terms):
                terms[row, column[part.kind, n]] += term
    weight = 1 / np.array([sample.made.lut for sample in found])
    unit = np.maximum(np.abs(present), 0.2)
    scaled = np.vstack([terms * weight[:, None] * unit, pull * np.eye(len(places))])
    target = np.concatenate([rest * weight, pull * present / unit])
    lowest = np.where(present < 0, 2 * present, 0.0) / unit
    step = 1 / np.linalg.norm(scaled, 2) ** 2
    factors = present / unit
    for _ in range(20_000):
        factors = np.maximum(lowest, factors - step * scaled.T @ (scaled @ factors - target))
    values = np.round(factors * unit, 2)
    return {kind: tuple(float(values[column[kind, n]]) for n in range(len(old))) for kind, old in f.factors.items()}


def measure() -> dict[str, float]:
    figures: dict[str, float] = {}
    for family in ("xcup", "ecp5"):
        for kind, values in errors(list(samples(OPS, family)), family).items():
            if kind in ("bram", "dsp"):
                figures[f"{family}_{kind}_exact_percent"] = round(100 * float(np.mean(values == 0)), 1)
                continue
            figures[f"{family}_{kind}_median_error_percent"] = round(100 * float(np.median(np.abs(values))), 1)
            figures[f"{family}_{kind}_p90_error_percent"] = round(100 * float(np.quantile(np.abs(values), 0.9)), 1)
    return figures


def main(count: int, families: list[str]) -> None:
    for family in families:
        device = DEVICES[FAMILY_DEVICES[family]]
        found = []
        for sample in samples(count, family):
            found.append(sample)
            made, said = sample.made, sample.op.resources(device)
            pairs = "  ".join(f"{kind} {getattr(said, kind)}/{getattr(made, kind)}" for kind in Resources.names())
            print(f"{family}  {pairs}  {said.lut / max(made.lut, 1) - 1:+.0%}  {sample.title}", flush=True)
        for kind, factors in fit(found, family).items():
            f = FAMILIES[family]
            known = sum(luts(f, part) for sample in found for part in sample.op.parts(f) if part.kind == kind)
            print(f'    "{kind}": {factors!r},  # was {FAMILIES[family].factors[kind]!r}, {known:.0f} LUTs in all')


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
