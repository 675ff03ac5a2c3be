"""What a multiply-accumulate takes, by formats, multiplier and width of the array: synthesized, and routed on ECP5.

Arrays of four lanes of 1, 4 and 16 terms, with all that stands between codes and sums: decoders, products, adder tree,
accumulators, wide enough for a convolution of 3x3 over 64 channels. Yosys counts them for AMD's UltraScale+ (zu3eg);
nextpnr places and routes them on an ECP5 of the slowest grade, between registers: a 25F, or an 85F where the blocks are
more than a 25F has. ``circuits`` are the ways to multiply in LUTs among which ``hw.arithmetic.multipliers`` chooses.
Requantizing with its encoder stands by itself, as one lane of it serves many products; ``fused`` is a lane for several
precisions beside lanes for one each. What was made stays in ``runs/multipliers``, and is not made again while its
Verilog is the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import verilog
from amaranth.lib import wiring

from benchmarks.fmax import component, routed
from hw.arithmetic.circuits.circuit import Circuit
from hw.arithmetic.fused import FusedMac, Mode
from hw.arithmetic.mac import MacArray, MacArraySpec
from hw.arithmetic.multipliers import CIRCUITS, in_table, multipliers
from hw.arithmetic.packing import packing
from hw.arithmetic.requantizer import Requantizer
from hw.fpga.device import Device
from hw.fpga.families.registry import DEVICES, family
from hw.fpga.formulas import total
from hw.fpga.mapping import Memory, Multiplier
from hw.resources.arrays import sums
from hw.tools.nextpnr import CLOCK, ports
from hw.tools.yosys import synthesize
from models.ir.accumulator import width
from models.ir.formats.dybit import DyBitType
from models.ir.formats.integer import IntType
from models.ir.formats.registry import parse_dtype
from models.ir.requant import MULT_BITS, Requant

KEPT = Path("runs") / "multipliers"
XCUP, ECP5, LARGER_ECP5 = DEVICES["zu3eg"], DEVICES["ecp5-25k"], DEVICES["ecp5-85k"]
PAIRS = (
    ("uint8", "int8"), ("uint4", "int4"), ("udybit8", "dybit8"), ("udybit4", "dybit4"), ("uint8", "dybit4"),
    ("uint8", "int4"), ("uint4", "dybit4"), ("ufp4", "fp4"), ("ufp6", "fp6"), ("upot4", "pot4"),
)  # fmt: skip
"""Features and weights."""
LANES = 4
TERMS = (1, 4, 16)
"""Of a lane."""
FAN_IN = 9 * 64
WORDS = 1000
"""Weights so many that none of their bits is constant."""
GOAL_MHZ = 150.0
COMPARED = {
    ("udybit8", "dybit8"): ("rows", "shifted"),
    ("udybit4", "dybit4"): ("rows", "chosen", "table"),
    ("uint8", "dybit4"): ("rows", "chosen"),
    ("udybit8", "dybit4"): ("rows", "chosen"),
    ("udybit8", "int8"): ("rows", "shifted"),
}
REQUANTIZED = ("uint8", "uint4", "udybit8", "udybit4", "ufp4", "ufp6", "upot4")


@dataclass(frozen=True)
class OfCircuit(MacArraySpec):
    """Products in LUTs out of ``in_luts`` instead of the one that is chosen."""

    in_luts: str = "rows"

    @property
    def circuit(self) -> Circuit:
        return CIRCUITS[self.in_luts]


def array(features: str, weights: str, kind: str, terms: int, device: Device) -> MacArraySpec | None:
    """None where there is no such table, or no two weights share a multiplier of the device; ``kind``: a multiplier or
    a circuit.
    """
    x, w = parse_dtype(features), parse_dtype(weights)
    reach = FAN_IN * x.max * max(w.max, -w.min)
    bits = width(-reach, reach)
    if kind == Multiplier.TABLE and not in_table(x, w, XCUP.lut_inputs):
        return None
    if kind in CIRCUITS:
        return OfCircuit(LANES, terms, 1, x, w, Multiplier.LUT, False, bits, in_luts=kind)
    operand = max(device.dsp_widths) if kind == Multiplier.PACKED else 0
    if operand and packing(x, w, LANES, terms, operand) is None:
        return None
    return MacArraySpec(LANES, terms, 1, x, w, Multiplier(kind), False, bits, operand=operand)


def synthesized(made: wiring.Component, device: Device) -> dict[str, Any]:
    text = verilog.convert(made, name="netweave", emit_src=False, strip_internal_attrs=True)
    folder = KEPT / device.name / hashlib.sha256(f"{device.synth}\n{text}".encode()).hexdigest()[:20]
    kept = folder / "synthesized.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        source = folder / "netweave.v"
        source.write_text(text)
        figures = asdict(synthesize(source, device.synth, log=folder / "yosys.log").resources)
        kept.write_text(json.dumps(figures))
    return json.loads(kept.read_text())


def each(figures: dict[str, Any], products: int) -> dict[str, Any]:
    """With those of one product beside them."""
    return figures | {f"{kind}_each": round(figures[kind] / products, 1) for kind in ("lut", "ff", "dsp")}


def specs(device: Device) -> Iterator[tuple[str, MacArraySpec]]:
    """Every array that can be made for the device, by its title."""
    for features, weights in PAIRS:
        for kind in Multiplier:
            for terms in TERMS:
                spec = array(features, weights, kind, terms, device)
                if spec is not None:
                    yield f"{features} x {weights}, {LANES} x {terms}, {kind}", spec


def arrays() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for title, spec in specs(XCUP):
        made = synthesized(MacArray(spec), XCUP)
        parts = sums(family(XCUP), spec, WORDS, spec.weight_bits, Memory.BRAM, masked=False)
        said = asdict(total(family(XCUP), parts))
        figures[title] = each(made, spec.pe * spec.terms) | {"kind": "synthesized", "estimated": said}
    return figures


def on_ecp5() -> dict[str, Any]:
    """As nextpnr counts them, but for the registers around a design, one a bit of a port; by title, with the device."""
    figures: dict[str, Any] = {}
    for title, spec in specs(ECP5):
        blocks = total(family(ECP5), sums(family(ECP5), spec, WORDS, spec.weight_bits, Memory.BRAM, masked=False)).dsp
        device = ECP5 if blocks <= ECP5.dsp else LARGER_ECP5
        folder = component(title, lambda spec=spec: MacArray(spec), device, KEPT)
        found = routed(folder, device, GOAL_MHZ)
        if "failed" in found:
            figures[title] = {"device": device.name, "failed": found["failed"]}
            continue
        around = ports((folder / "netweave.v").read_text(), "netweave")
        bits = sum(bits for port, (_, bits) in around.items() if port != CLOCK)
        used = {"lut": found["lut"], "ff": found["ff"] - bits, "dsp": found["dsp"]}
        short = {name: found[name] for name in ("kind", "fmax_mhz", "levels", "critical_from", "critical_to")}
        figures[title] = {"device": device.name} | each(used, spec.pe * spec.terms) | short
    return figures


def circuits() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for (features, weights), ways in COMPARED.items():
        for way in ways:
            for device in (XCUP, ECP5):
                title = f"{features} x {weights}, {LANES} x 1, {way}"
                spec = array(features, weights, way, 1, device)
                assert spec is not None
                made = synthesized(MacArray(spec), device)
                figures[f"{title}, {device.name}"] = each(made, LANES) | {"kind": "synthesized"}
    return figures


def requantizers() -> dict[str, Any]:
    """Of four lanes, of sums of 24 bits, with constants of 16 channels: a quarter of the sums fills the format."""
    figures: dict[str, Any] = {}
    limits, rng = (-(1 << 23), (1 << 23) - 1), np.random.default_rng(0)
    bias, mult = rng.integers(-(1 << 19), 1 << 19, 16), rng.integers(1 << MULT_BITS - 1, 1 << MULT_BITS, 16)
    for name in REQUANTIZED:
        dtype = parse_dtype(name)
        requant = Requant(bias, mult, MULT_BITS + 21 - dtype.max.bit_length(), 0, dtype.max)
        for device in (XCUP, ECP5):
            made = synthesized(Requantizer(requant, dtype, LANES, limits), device)
            figures[f"{name}, {device.name}"] = each(made, LANES) | {"kind": "synthesized"}
    return figures


def fused() -> dict[str, Any]:
    """The lane of three precisions beside the lanes of a word of 8 bits each that it stands for, all in LUTs."""
    figures: dict[str, Any] = {}
    for kind in (IntType, DyBitType):
        wide = kind(8, False).max * kind(8).max * FAN_IN
        bits = width(-wide, wide)
        name = f"u{kind(8)} x {kind(8)}".replace("8", "")
        lane = FusedMac(kind, False, bits)
        for device in (XCUP, ECP5):
            figures[f"{name}, 8, 4 and 2 bits, {device.name}"] = synthesized(lane, device)
            for mode in Mode:
                x, w = kind(mode.width, False), kind(mode.width)
                multiplier, _ = multipliers(device, x, w, 1)[0]
                one = MacArraySpec(1, mode.codes, 1, x, w, multiplier, False, bits)
                title = f"{x} x {w}, {mode.codes} a word"
                figures[f"{title}, {device.name}"] = synthesized(MacArray(one), device)
    return figures


def measure() -> dict[str, Any]:
    return {
        "arrays": arrays(),
        "ecp5": on_ecp5(),
        "fused": fused(),
        "circuits": circuits(),
        "requantize": requantizers(),
    }
