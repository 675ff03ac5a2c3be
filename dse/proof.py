"""A proof as a file: the whole problem, the selection, the report and the certificate; it is checked without a solver.

The file needs neither the network, nor the cost model, nor a solver. It cannot show that the costs in it are those of
the hardware; the simulators check that.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from pathlib import Path
from typing import Any

from dse.certificate import Certificate, CertificateError, check
from dse.evaluate import evaluate
from dse.milp import SolverReport
from dse.problem import Candidate, Interface, Link, MilpEdge, MilpOp, Objective, Problem
from models.ir.files import parse_json

PROOF = "proof.json.gz"
VERSION = 3
READ_ERRORS = (OSError, EOFError, KeyError, IndexError, TypeError, ValueError)
"""What reading a damaged file raises."""
FIGURES = ("cycles", "fill", "first_output", "duration", "drain", "rest", "error")


class ProofError(ValueError):
    """A proof that cannot be read or does not show what it claims; the message names file, field and value."""


def save(path: Path, problem: Problem, choice: Sequence[int], objective: Objective, report: SolverReport) -> None:
    """Write a proof file.

    Parameters
        path       file to write
        problem    the problem
        choice     index of each op's candidate, in the order of the problem's ops
        objective  the objective that was minimised
        report     what is claimed of the selection
    """
    entry = {
        "version": VERSION,
        "problem": _problem_entry(problem),
        "choice": list(choice),
        "objective": str(objective),
        "solver": asdict(report),
    }
    path.write_bytes(gzip.compress(json.dumps(entry, sort_keys=True).encode(), mtime=0))


def verify(path: Path) -> SolverReport:
    """Check a proof file.

    The selection is evaluated, the report is compared with the result, and the passes of the certificate are repeated.

    Parameters
        path  file to read
    Returns   the report, which the proof shows to be true
    Raises    ProofError: when the file cannot be read or does not show what it claims
    """
    problem, objective, entry = _read(path)
    try:
        report = SolverReport(**entry["solver"])
        if not all(type(number) is int and number >= 0 for number in entry["choice"]):
            raise ProofError(f"{path}, field 'choice': {entry['choice']!r} must be integers of 0 or more")
        names = [op.name for op in problem.ops]
        pairs = zip(problem.ops, entry["choice"], strict=True)
        selection = dict(zip(names, (op.candidates[number] for op, number in pairs), strict=True))
        evaluation = evaluate(problem, selection)
    except ProofError:
        raise
    except READ_ERRORS as error:
        raise ProofError(f"{path}: missing or bad field: {error}") from error
    value = evaluation.objective(objective)
    if not evaluation.feasible:
        raise ProofError(f"{path}, field 'choice': breaks a limit by {float(evaluation.violation):.2%}")
    if float(value) != report.objective:
        raise ProofError(f"{path}, field 'objective': {report.objective} is said, the choice has {float(value)}")
    bound = Fraction(0)
    if report.certificate is not None:
        try:
            certificate = Certificate.read(report.certificate)
            if certificate.goal != str(objective):
                raise CertificateError(f"certificate: it is of {certificate.goal}, not of {objective}")
            check(problem, certificate)
            bound = Fraction(certificate.value)
        except CertificateError as error:
            raise ProofError(f"{path}: {error}") from error
    if report.bound > float(bound):
        raise ProofError(f"{path}, field 'bound': {report.bound} is said, {float(bound)} is shown")
    missed = (value - bound) / value if value else Fraction(0)
    if report.gap < float(missed) or (report.status == "optimal" and missed):
        raise ProofError(f"{path}: {report.status!r}, gap {report.gap} is said, {float(missed)} is shown")
    return report


def load(path: Path) -> tuple[Problem, Objective]:
    """The problem of a proof file, and the objective that was minimised.

    Parameters
        path  file to read
    Raises    ProofError: when the file cannot be read
    """
    problem, objective, _ = _read(path)
    return problem, objective


def _read(path: Path) -> tuple[Problem, Objective, dict[str, Any]]:
    """The problem of a proof file, the objective, and the whole of the file."""
    try:
        entry = parse_json(gzip.decompress(path.read_bytes()))
        if entry["version"] != VERSION:
            raise ProofError(f"{path}, field 'version': {entry['version']!r}; this netweave reads version {VERSION}")
        return _problem(entry["problem"]), Objective(entry["objective"]), entry
    except ProofError:
        raise
    except READ_ERRORS as error:
        raise ProofError(f"{path}: missing or bad field: {error}") from error


def _problem_entry(problem: Problem) -> dict[str, Any]:
    ends: dict[Interface, int] = {}

    def place(end: Interface) -> int:
        return ends.setdefault(end, len(ends))

    ops = [
        {
            "name": op.name,
            "input_fraction": str(op.input_fraction),
            "knee": str(op.knee),
            "candidates": [
                [
                    *(getattr(own, figure) for figure in FIGURES), list(own.resources), place(own.writes),
                    [place(read) for read in own.reads],
                ]
                for own in op.candidates
            ],
        }
        for op in problem.ops
    ]  # fmt: skip
    edges = [
        {
            "producer": edge.producer,
            "consumer": edge.consumer,
            "index": edge.index,
            "links": [
                [place(writes), place(reads), link.fill, list(link.resources)]
                for (writes, reads), link in edge.links.items()
            ],
        }
        for edge in problem.edges
    ]
    caps = {name: getattr(problem, name) for name in ("max_cycles", "max_error", "max_latency")}
    return {
        "name": problem.name, "ops": ops, "edges": edges, "output": problem.output, **caps,
        "budget": list(problem.budget.items()), "interfaces": [list(end) for end in ends],
    }  # fmt: skip


def _problem(entry: Mapping[str, Any]) -> Problem:
    ends = [Interface(int(lanes), str(name)) for lanes, name in entry["interfaces"]]

    def candidate(number: int, figures: Sequence[Any]) -> Candidate:
        *amounts, resources, writes, reads = figures
        own = dict(zip(FIGURES, map(int, amounts), strict=True))
        read = tuple(ends[place] for place in reads)
        return Candidate(number, resources=tuple(map(int, resources)), writes=ends[writes], reads=read, **own)

    ops = tuple(
        MilpOp(
            op["name"], tuple(candidate(number, own) for number, own in enumerate(op["candidates"])),
            Fraction(op["input_fraction"]), Fraction(op["knee"]),
        )
        for op in entry["ops"]
    )  # fmt: skip
    edges = tuple(
        MilpEdge(
            edge["producer"], edge["consumer"], edge["index"],
            {
                (ends[writes], ends[reads]): Link(tuple(map(int, resources)), int(fill))
                for writes, reads, fill, resources in edge["links"]
            },
        )
        for edge in entry["edges"]
    )  # fmt: skip
    caps = (entry[name] for name in ("max_cycles", "max_error", "max_latency"))
    return Problem(entry["name"], ops, edges, entry["output"], dict(entry["budget"]), *caps)
