"""Small faults put into a file, drawn by a seed; those that change nothing that is run are left out."""

from __future__ import annotations

import ast
import difflib
import random
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

OPERATORS = tuple(
    f"core/{name}"
    for name in (
        "NumberReplacer",
        "AddNot",
        "ReplaceAndWithOr",
        "ReplaceOrWithAnd",
        "ReplaceTrueWithFalse",
        "ReplaceFalseWithTrue",
        "ReplaceBreakWithContinue",
        "ReplaceContinueWithBreak",
        "ReplaceUnaryOperator_Delete_Not",
        "ReplaceUnaryOperator_Delete_USub",
        "ReplaceUnaryOperator_Delete_Invert",
        "ZeroIterationForLoop",
        "ExceptionReplacer",
        *(f"ReplaceComparisonOperator_{a}_{b}" for a, b in (
            ("Lt", "LtE"), ("LtE", "Lt"), ("Gt", "GtE"), ("GtE", "Gt"), ("Lt", "GtE"), ("Gt", "LtE"),
            ("Eq", "NotEq"), ("NotEq", "Eq"), ("Is", "IsNot"), ("IsNot", "Is"),
        )),
        *(f"ReplaceBinaryOperator_{a}_{b}" for a, b in (
            ("Add", "Sub"), ("Sub", "Add"), ("Mul", "Add"), ("Mul", "FloorDiv"), ("Div", "Mul"), ("FloorDiv", "Mul"),
            ("FloorDiv", "Div"), ("Mod", "FloorDiv"), ("Pow", "Mul"), ("LShift", "RShift"), ("RShift", "LShift"),
            ("BitAnd", "BitOr"), ("BitOr", "BitAnd"), ("BitXor", "BitAnd"),
        )),
    )
)  # fmt: skip
"""Kinds of faults, as cosmic-ray names them: one of each pair that a slip of the hand confuses."""


LARGE = 100


@dataclass(frozen=True)
class Mutant:
    """A file with one fault.

    ``path``: the file, relative to the repository's root.
    ``line``: the first line that differs, from 1.
    ``fault``: the line as it was and as it is.
    ``text``: the whole file with the fault.
    """

    path: str
    line: int
    fault: str
    text: str


def mutants(root: Path, path: str, count: int, seed: int) -> list[Mutant]:
    """At most ``count`` different faults of a file, the same for the same text and seed."""
    code = (root / path).read_text(encoding="utf-8")
    meaning = _meaning(code)
    found: dict[str, Mutant] = {}
    for name in OPERATORS:
        operator = get_operator(name)()
        occurrence = 0
        while (text := mutate_code(code, operator, occurrence)) is not None:
            occurrence += 1
            if _meaning(text) != meaning:
                found.setdefault(text, _mutant(path, code, text))
    drawn = list(found.values())
    random.Random(f"{seed} {path}").shuffle(drawn)
    return drawn[:count]


def _mutant(path: str, code: str, text: str) -> Mutant:
    before, after = code.splitlines(), text.splitlines()
    steps = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    _, begin, end, other, last = next(step for step in steps if step[0] != "equal")
    was, now = (" ".join(part.strip() for part in lines) for lines in (before[begin:end], after[other:last]))
    return Mutant(path, begin + 1, f"{was}  ->  {now}", text)


class _Bare(ast.NodeTransformer):
    """Leaves out what Python does not run: annotations and docstrings."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in ast.walk(node.args):
            if isinstance(argument, ast.arg):
                argument.annotation = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return ast.Pass() if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST | None:
        """Checks of what never happens in a program that is right: lengths that differ, changes of what is frozen."""
        return None if node.arg in ("strict", "frozen") else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """A number above a hundred is an effort, a limit or a seed, and one more or less is no fault."""
        large = isinstance(node.value, int | float) and node.value > LARGE
        return ast.Constant(LARGE) if large else node


def _meaning(code: str) -> str | None:
    """What of a file is run; None where it is no Python, so that it differs from every file that is."""
    try:
        return ast.dump(_Bare().visit(ast.parse(code)))
    except SyntaxError:
        return None
