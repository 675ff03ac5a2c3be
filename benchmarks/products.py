"""What products take: arrays of four lanes of two terms, out of each kind of multiplier, synthesized by Yosys."""

from __future__ import annotations

import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amaranth.back import verilog

from hw.device import DEVICES, Device
from hw.fabric import family, total
from hw.mac import MacArray, Sums
from hw.mapping import Memory, Multiplier
from hw.resources import sums
from hw.targets.yosys import synthesize
from models.ir.dtype import parse_dtype

LANES, TERMS, WIDTH = 4, 2, 24
WORDS = 1000
"""Weights so many that none of their bits is constant."""

CASES = [
    ("zu3eg", "uint8", "int8", ("dsp", "packed")),
    ("zu3eg", "uint4", "int4", ("lut", "dsp", "packed")),
    ("zu3eg", "dybit4", "dybit4", ("adders", "lut", "dsp", "packed")),
    ("zu3eg", "udybit4", "dybit4", ("adders", "lut")),
    ("ecp5-85k", "uint4", "int4", ("lut", "dsp", "packed")),
    ("ecp5-85k", "dybit4", "dybit4", ("adders", "lut", "dsp", "packed")),
    ("ecp5-85k", "udybit4", "dybit4", ("adders", "lut")),
]


class OutOfAdders(Sums):
    """In LUTs as products of wider formats are: decoded, and added up row by row."""

    @property
    def looks_up(self) -> bool:
        return False


def array(device: Device, features: str, weights: str, kind: str) -> Sums:
    multiplier = Multiplier.LUT if kind == "adders" else Multiplier(kind)
    made = OutOfAdders if kind == "adders" else Sums
    return made(
        LANES, TERMS, 1, parse_dtype(features), parse_dtype(weights), multiplier, False, WIDTH,
        operand=max(device.dsp_widths) if multiplier is Multiplier.PACKED else 0,
    )  # fmt: skip


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="netweave_products_") as folder:
        source = Path(folder) / "array.v"
        for name, features, weights, kinds in CASES:
            device = DEVICES[name]
            for kind in kinds:
                spec = array(device, features, weights, kind)
                text = verilog.convert(MacArray(spec), name="netweave", emit_src=False, strip_internal_attrs=True)
                source.write_text(text)
                made = synthesize(source, device.synth, log=source.with_suffix(".log")).resources
                said = total(family(device), sums(family(device), spec, WORDS, Memory.BRAM, masked=False))
                title = f"{name}, {features} x {weights}, {LANES * TERMS} products, {kind}"
                figures[title] = {"synthesized": asdict(made), "estimated": asdict(said)}
    return figures
