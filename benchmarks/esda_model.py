"""ESDA's own cost model, and its published foldings beside the optimum of our integer program under the same model.

The model is that of ESDA's optimizer (facts from its published code): a layer takes ``sites * passes`` cycles, with
``passes`` the products of channels over lanes, times the share of active sites; a frame takes as long as the slowest
layer, and the last, linear layer after it. Lanes are even, divide the channels, are at most ``MOST``, and are shared
along each edge; those of the input are its channels. It charges the expanding 1x1 in front of a strided depthwise layer
at the output's resolution, too little by the stride's square; ``bottleneck`` gives the slowest layer either way.

Cycles are whole, rounded up a layer, in the program; ``cost`` says the model's own figures, of lanes alone, by
arithmetic of its own.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from benchmarks.inputs.data import DATA
from dse.milp import Solution, solve
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Objective, Problem, Selection
from hw.fpga.families.registry import DEVICES

MOST = 32
DEVICE = DEVICES["zcu102"]
SHARES = {"DVS_1890": 0.8, "NMNIST": 0.6, "NCal_w0p5": 0.5, "NCal_2751": 0.8, "ASL_0p5": 0.8}
"""Of the ZCU102, which ESDA's optimizer was given."""
ADDRESSES, BITS = 1024, 16
"""Words of an 18 Kb block, and bits of a word."""


@dataclass(frozen=True)
class Layer:
    """``kind``: first (3x3), pointwise, depthwise or linear. ``ins``, ``outs``: channels. ``sites``: of the output as
    the model counts them. ``active``: by which their number is multiplied. ``line``: places of a row in a line buffer,
    for which the model takes the image's height. ``sum_bits``: of a sum over the frame. ``residual``: its block's input
    is added to its output.
    """

    name: str
    kind: str
    ins: int
    outs: int
    sites: int
    active: float
    line: int
    sum_bits: int
    residual: bool = False

    def cycles(self, p_in: int, p_out: int) -> int:
        passes = self.ins // p_in * (1 if self.kind == "depthwise" else self.outs // p_out)
        return passes if self.kind == "linear" else math.ceil(self.sites * passes * self.active)

    def dsp(self, p_in: int, p_out: int) -> int:
        added = p_out if self.residual else 0
        match self.kind:
            case "first":
                return 9 * p_in * p_out // 2 + p_out
            case "pointwise":
                return p_in * p_out // 2 + p_out + added
            case "depthwise":
                return 2 * p_in
            case _:
                return p_in * p_out

    def bram(self, p_in: int, p_out: int) -> int:
        t_in, t_out = self.ins // p_in, self.outs // p_out
        scales = _blocks(32, 2 * t_in, p_in // 2)
        match self.kind:
            case "first":
                return scales + _blocks(8 * p_in, self.line * t_in, 3)
            case "pointwise":
                return scales + _blocks(8 * p_in, 2 * t_in * t_out, p_out // 2)
            case "depthwise":
                return scales + _blocks(8 * p_in, 9 * t_in) + _blocks(8 * p_in, 3 * self.line * t_in)
            case _:
                return _blocks(8 * p_in, t_in * t_out, p_out) + _blocks(self.sum_bits * p_in, t_in)


def _blocks(bits: int, words: int, banks: int = 1) -> int:
    return math.ceil(bits / BITS) * math.ceil(words / ADDRESSES) * banks


def layers(document: dict[str, Any], *, whole: bool = False) -> list[Layer]:
    """Those of a design of ``esda_designs``, depthwise layers between their block's two pointwise ones.

    ``whole``: expanding layers have the sites of their input, all of which they compute.
    """
    found: list[Layer] = []
    for layer in document["layers"]:
        (height, width), stride, name, channels = layer["in_hw"], layer["stride"], layer["name"], layer["channels"]
        if layer["type"] == "block":
            before, at, after = layer["sparsity"]
            taps = sum(share * n for n, share in enumerate(layer["kernel_sparsity"], 1))
            a, b, c = channels
            parts = [
                (f"{name}_0", "pointwise", a, b, before, False),
                (f"{name}_1", "depthwise", b, b, at * taps, False),
                (f"{name}_2", "pointwise", b, c, after, layer["residual"]),
            ]
        elif layer["type"] == "linear":
            parts = [(name, "linear", *channels, 1.0, False)]
        else:
            parts = [(name, "pointwise" if found else "first", *channels, layer["sparsity"], False)]
        for own, kind, ins, outs, active, residual in parts:
            side = 1 if whole and own.endswith("_0") else stride
            sites, sum_bits = (height // side) * (width // side), 8 + math.ceil(math.log2(height * width))
            found.append(Layer(own, kind, ins, outs, sites, active, height, sum_bits, residual))
    return found


def lanes(channels: int) -> list[int]:
    return [p for p in range(2, MOST + 1, 2) if channels % p == 0]


def problem(document: dict[str, Any], budget: dict[str, int]) -> Problem:
    """One op a layer. Latency is the objective: what a layer works, ``span``, ends no earlier than that of the layer
    before, and the linear layer's comes after (``tail``)."""
    ops, edges = [], []
    before = [_entering(document)]
    for layer in layers(document):
        outs = before if layer.kind == "depthwise" else lanes(layer.outs)
        pairs = [(p, p) for p in before] if layer.kind == "depthwise" else [(p, q) for p in before for q in outs]
        candidates = []
        for p, q in pairs:
            cycles = layer.cycles(p, q)
            last = layer.kind == "linear"
            reads = (Interface(p, ""),) if ops else ()
            candidates.append(
                Candidate(
                    (p, q), 0 if last else cycles, (layer.dsp(p, q), layer.bram(p, q)), Interface(q, ""), reads,
                    duration=cycles, drain=cycles if last else 0,
                )
            )  # fmt: skip
        if ops:
            same = {(Interface(p, ""), Interface(p, "")): Link((0, 0)) for p in before}
            edges.append(MilpEdge(ops[-1].name, layer.name, 0, same))
        ops.append(MilpOp(layer.name, tuple(candidates), Fraction(0)))
        before = outs
    return Problem("zcu102", tuple(ops), tuple(edges), ops[-1].name, budget)


def cost(document: dict[str, Any], choice: Sequence[int]) -> tuple[float, int, int]:
    """Objective, DSP blocks and memories of ``choice``, the lanes of the input and then of what each pointwise, 3x3 and
    linear layer writes. Written apart from ``Layer``, from the document alone, to check what a solver says."""
    written, slowest, dsp, bram, last = iter(choice), 0.0, 0, 0, 0

    def block(bits: int, words: int) -> int:
        return -(-bits // BITS) * -(-words // ADDRESSES)

    p = next(written)
    for number, layer in enumerate(document["layers"]):
        height, width = (side // layer["stride"] for side in layer["in_hw"])
        channels, dense, rows = layer["channels"], height * width, layer["in_hw"][0]
        if layer["type"] == "linear":
            q = next(written)
            last = channels[0] * channels[1] // (p * q)
            sums = 8 + (layer["in_hw"][0] * layer["in_hw"][1] - 1).bit_length()
            dsp, bram = dsp + p * q, bram + q * block(8 * p, last) + block(sums * p, channels[0] // p)
        elif layer["type"] == "conv":
            q = next(written)
            steps, scales = channels[0] * channels[1] // (p * q), p // 2 * block(32, 2 * channels[0] // p)
            slowest = max(slowest, dense * steps * layer["sparsity"])
            dsp += q + p * q // 2 * (1 if number else 9)
            bram += scales
            bram += 3 * block(8 * p, rows * channels[0] // p) if not number else q // 2 * block(8 * p, 2 * steps)
        else:
            middle, q = next(written), next(written)
            a, b, c = channels
            seen = sum((n + 1) * share for n, share in enumerate(layer["kernel_sparsity"]))
            one, two, three = a * b // (p * middle), b // middle, b * c // (middle * q)
            shares = layer["sparsity"]
            slowest = max(slowest, *(dense * s for s in (one * shares[0], two * shares[1] * seen, three * shares[2])))
            dsp += (p + 2) * middle // 2 + 2 * middle + (middle + 2) * q // 2 + (q if layer["residual"] else 0)
            bram += p // 2 * block(32, 2 * a // p) + 2 * (middle // 2) * block(32, 2 * two)
            bram += middle // 2 * block(8 * p, 2 * one) + q // 2 * block(8 * middle, 2 * three)
            bram += block(8 * middle, 9 * two) + block(8 * middle, 3 * rows * two)
        p = q
    return slowest + last, dsp, bram


def published(document: dict[str, Any]) -> list[int]:
    """The lanes of a published design, as ``cost`` takes them."""
    written = [document["layers"][0]["parallelism"][0]]
    for layer in document["layers"]:
        written += layer["parallelism"][1:]
    return written


def bottleneck(document: dict[str, Any], *, whole: bool) -> int:
    """Cycles of the slowest layer of a published design but the last, linear one; ``whole`` as in ``layers``."""
    lanes = iter(published(document))
    p, slowest = next(lanes), 0
    for layer in layers(document, whole=whole):
        q = p if layer.kind == "depthwise" else next(lanes)
        slowest = max(slowest, 0 if layer.kind == "linear" else layer.cycles(p, q))
        p = q
    return slowest


def budget(name: str) -> dict[str, int]:
    return {"dsp": int(SHARES[name] * DEVICE.dsp), "bram": int(SHARES[name] * DEVICE.bram)}


def designs() -> dict[str, dict[str, Any]]:
    """The published designs' documents, by name."""
    paths = sorted((DATA / "esda_designs").glob("*.json"))
    if not paths:
        raise FileNotFoundError(f"{DATA}: no published designs are there; the variable NETWEAVE_DATA names where")
    return {path.stem.partition("_shift")[0]: json.loads(path.read_text()) for path in paths}


def solved(document: dict[str, Any], limits: dict[str, int]) -> tuple[Solution, list[int]]:
    """The optimum, and its lanes."""
    found = solve(problem(document, limits), Objective.LATENCY)
    return found, written(document, found.selection)


def written(document: dict[str, Any], selection: Selection) -> list[int]:
    """The lanes of a choice, as ``cost`` takes them."""
    kinds = {layer.name: layer.kind for layer in layers(document)}
    outs = [own.writes.lanes for name, own in selection.items() if kinds[name] != "depthwise"]
    return [_entering(document), *outs]


def _entering(document: dict[str, Any]) -> int:
    """Lanes of the input: all of its channels."""
    return document["layers"][0]["channels"][0]


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, document in designs().items():
        limits = budget(name)
        found, lanes = solved(document, limits)
        objective, dsp, bram = cost(document, lanes)
        before, *taken = cost(document, published(document))
        figures[name] = {
            "label": "estimated",
            "budget": limits,
            "published": {"objective": round(before, 1), "dsp": taken[0], "bram18": taken[1]},
            "found": {"objective": round(objective, 1), "dsp": dsp, "bram18": bram},
            "less, %": round(100 * (1 - objective / before), 1),
            "candidates": sum(len(op.candidates) for op in problem(document, limits).ops),
            "solver": {
                "status": found.report.status,
                "objective, whole cycles": round(found.report.objective),
                "bound": round(found.report.bound, 3),
                "seconds": round(found.report.seconds, 2),
            },
            "lanes": lanes,
        }
    return figures
