"""docs/layers.md names what a network may be made of: all of it, and nothing else."""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import Any

import torch.nn.functional as F

from models.frontend import endings, operations

PAGE = Path(__file__).resolve().parents[3] / "docs" / "layers.md"
OPERATORS = {operator.add: "+", operator.iadd: "+=", getattr: ".shape", operator.getitem: "[]"}


def shown(function: Any) -> str:
    if function in OPERATORS:
        return OPERATORS[function]
    if isinstance(function, str):
        return f".{function}"
    home = "F" if getattr(F, function.__name__, None) is function else "torch"
    return f"{home}.{function.__name__}"


def column(number: int) -> set[str]:
    table = PAGE.read_text(encoding="utf-8").partition("## Layers")[2].partition("## Inputs")[0]
    rows = [line.split("|")[number] for line in table.splitlines() if line.startswith("|") and "---" not in line]
    return {name for row in rows[1:] for name in re.findall(r"`([^`]+)`", row)}


def test_every_module_is_named() -> None:
    assert column(1) == {kind.__name__ for kind in (*operations.MODULES, *endings.MODULES)}


def test_every_function_is_named() -> None:
    known = {shown(function) for function in (*operations.FUNCTIONS, *endings.FUNCTIONS)}
    # the page says "an index" of what has no name
    assert column(2) | {"[]"} == known


def test_the_readme_leads_there() -> None:
    readme = (PAGE.parent.parent / "README.md").read_text(encoding="utf-8")
    assert "docs/layers.md" in readme
