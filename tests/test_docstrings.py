"""Every public class and function of hw, dse and cosim says what it is, and what each of its parameters is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted(path for folder in ("hw", "dse", "cosim") for path in (ROOT / folder).rglob("*.py"))


def parameters(node: ast.ClassDef | ast.FunctionDef) -> list[str]:
    """The names that a docstring has to list: of a function's arguments, of ``__init__``'s, or of a record's fields."""
    function = node
    if isinstance(node, ast.ClassDef):
        inits = [own for own in node.body if isinstance(own, ast.FunctionDef) and own.name == "__init__"]
        if not inits:
            if any("Enum" in ast.unparse(base) for base in node.bases):
                return []
            fields = [own for own in node.body if isinstance(own, ast.AnnAssign) and isinstance(own.target, ast.Name)]
            names = [ast.unparse(own.target) for own in fields if "ClassVar" not in ast.unparse(own.annotation)]
            return [name for name in names if not name.startswith("_")]
        (function,) = inits
    assert isinstance(function, ast.FunctionDef)
    own = function.args
    every = [*own.posonlyargs, *own.args, *own.kwonlyargs, *(one for one in (own.vararg, own.kwarg) if one)]
    return [argument.arg for argument in every if argument.arg not in ("self", "cls")]


def explained(node: ast.ClassDef | ast.FunctionDef, name: str, lines: list[str]) -> bool:
    """Whether a line of the docstring begins with a name, or a comment stands behind it, as in a typed record."""
    if re.search(rf"^\s+{name}\b", ast.get_docstring(node) or "", re.M):
        return True
    return any(re.match(rf"    {name}: int  # \S", line) for line in lines[node.lineno : node.end_lineno])


def undocumented(text: str) -> list[str]:
    """Of a file's text: each public class or function without a docstring, or with parameters that it does not list."""
    found, lines = [], text.splitlines()
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            docstring = ast.get_docstring(node) or ""
            missing = [name for name in parameters(node) if not explained(node, name, lines)]
            if not docstring or missing:
                found.append(f"{node.name}: {', '.join(missing) or 'no docstring'}")
    return found


@pytest.mark.parametrize("folder", ["hw", "dse", "cosim"])
def test_every_parameter_is_listed(folder: str) -> None:
    files = [path for path in FILES if path.is_relative_to(ROOT / folder)]
    assert len(files) > 20
    assert [f"{path}: {own}" for path in files for own in undocumented(path.read_text(encoding="utf-8"))] == []


def test_what_is_not_listed_is_found() -> None:
    text = '''
class Pair:
    """Two numbers.

    Parameters
        a    the first
    """

    a: int
    b: int

def bare(x): ...

def whole(x, *rest):
    """The sum.

    Parameters
        x     a number
        rest  more of them
    """
'''
    assert undocumented(text) == ["Pair: b", "bare: x"]


def test_a_field_of_a_typed_record_has_a_comment() -> None:
    text = '''
class Queue(Record):
    """A queue."""

    depth: int  # its depth in beats
    latency: int
'''
    assert undocumented(text) == ["Queue: latency"]
