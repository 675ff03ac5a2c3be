"""The search for one device's front: which evaluations it asks for, and what it writes of their results."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

from dse.explore import design_problem, families
from dse.front import Front, FrontPoint
from dse.milp import SolverReport
from dse.problem import Objective
from dse.proof import PROOF
from dse.proof import save as save_proof
from netweave.exploration import Exploration, evaluate, measured_point
from netweave.listener import Progress
from netweave.workers import Task, Workers
from reports.designs import ALL, FRONT
from reports.front import write_front

BUDGET_STEP = 1.02
"""Budget fractions whose ratio is below this are not told apart."""

Ask = Callable[[str, str, Iterable[dict[str, Any]]], list[Any]]
"""Has evaluations of a kind made, shown by a name, with each of these arguments."""


class NothingFits(ValueError):
    """No family has a design within the limits; the message is the first one's reason."""


def explore(exploration: Exploration, pool: Workers, progress: Progress, folder: Path) -> None:
    """Write the front of a device, and all designs that were found.

    ``front.json`` holds the front, ``designs.json`` all designs; each has a folder with its graph and mapping. The
    front is written as a picture and as a page too.
    """
    name, clock = exploration.target.target.name, exploration.clock_mhz

    def ask(what: str, shown: str, of: Iterable[dict[str, Any]]) -> list[Any]:
        """Have ``what`` evaluated with each of these arguments."""
        base = exploration.network_origin if what == "accuracy" else exploration.origin
        whom = {"exploration": exploration, "what": what}
        tasks = [Task(what, {**base, **own}, evaluate, {**whom, "arguments": own}) for own in of]
        return pool.run(tasks, shown, progress)

    named = families(exploration.formats, exploration.search)
    budgets = ask("budget_fractions", "budgets", [{"family": family} for family in named])
    examined = {family: results["budget_fractions"] for family, results in zip(named, budgets, strict=True)}
    infeasible = {
        family: results["infeasible"] for family, results in zip(named, budgets, strict=True) if "infeasible" in results
    }
    pending = [(family, budget_fraction) for family in named for budget_fraction in examined[family]]
    points: dict[str, FrontPoint] = {}
    homes: dict[str, tuple[str, Fraction]] = {}
    mappings: list[tuple[Any, Any]] = []
    while pending:
        results = ask(
            "designs",
            "foldings",
            [{"family": family, "budget_fraction": budget_fraction} for family, budget_fraction in pending],
        )
        infeasible |= {
            family: group["infeasible"]
            for (family, _), group in zip(pending, results, strict=True)
            if "infeasible" in group
        }
        fresh = []
        for design in (design for group in results for design in group["designs"]):
            same = design["assignment"], design["mapping"]
            if same not in mappings and design["name"] not in homes:
                mappings.append(same)
                homes[design["name"]] = design["family"], Fraction(design["budget_fraction"])
                fresh.append(design)
        for design, costs in within_limits(fresh, ask, infeasible):
            points[design["name"]] = measured_point(exploration, design, costs, folder / design["name"])
            _prove(exploration, design, folder / design["name"] / PROOF)
        front = Front.of(name, clock, list(points.values()))
        if len(front) >= exploration.config.explore.points:
            break
        pending = _between(front, homes, examined)
    if not points:
        raise NothingFits(infeasible[named[0]])
    feasible = {homes[name][0] for name in points}
    infeasible = {family: why for family, why in infeasible.items() if family not in feasible}
    whole = Front(name, clock, tuple(points.values()), infeasible)
    whole.save(folder / ALL)
    Front.of(name, clock, whole.points, infeasible).save(folder / FRONT)
    write_front(folder)


def within_limits(
    designs: list[dict[str, Any]], ask: Ask, infeasible: dict[str, str]
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Designs that keep their limits with queues as deep as they have to be, and what they cost.

    The program takes queues to be about as deep as they need to be. A design that their exact depths take over a limit
    is chosen again, with that much less of it; one that has no such choice is left out, and ``infeasible`` says why.
    """
    part = {design["name"]: design["solver"]["limits"] for design in designs}
    while designs:
        assignments = list({json.dumps(d["assignment"], sort_keys=True): d["assignment"] for d in designs}.values())
        ask("accuracy", "accuracy", [{"assignment": assignment} for assignment in assignments])
        keys = "family", "budget_fraction", "choice", "assignment"
        near = [{**{key: d[key] for key in keys}, "limits": d["solver"]["limits"]} for d in designs]
        designs = [{**d, **own} for d, own in zip(designs, ask("improved", "designs nearby", near), strict=True)]
        measured = ask("cycles", "cycles", [{key: d[key] for key in ("assignment", "mapping")} for d in designs])
        over = []
        for design, costs in zip(designs, measured, strict=True):
            limits, name = design["solver"]["limits"], design["name"]
            beyond = {kind: max(0, amount - part[name][kind]) for kind, amount in costs["resources"].items()}
            if any(beyond.values()):
                same = {key: design[key] for key in ("name", "family", "budget_fraction", "minimised")}
                lower = {kind: max(0, limit - beyond.get(kind, 0)) for kind, limit in limits.items()}
                over.append({**same, "limits": lower})
            else:
                yield design, costs
        again = ask("again", "room for queues", over) if over else []
        for own, group in zip(over, again, strict=True):
            infeasible |= {own["family"]: group["infeasible"]} if "infeasible" in group else {}
        designs = [design for group in again for design in group["designs"]]


def _prove(exploration: Exploration, design: Mapping[str, Any], path: Path) -> None:
    """Write why a design is as good as its report says."""
    report, budget_fraction = SolverReport(**design["solver"]), Fraction(design["budget_fraction"])
    problem = design_problem(exploration.table, exploration.search, design["family"], budget_fraction, report.limits)
    save_proof(path, problem, design["choice"], Objective(design["minimised"]), report)


def _between(
    front: Front, homes: Mapping[str, tuple[str, Fraction]], examined: dict[str, list[str]]
) -> list[tuple[str, str]]:
    """The next budget fraction of each family with designs on the front: the geometric middle of its widest gap.

    A gap lies between two neighbours among the fractions examined so far, one of which has a design on the front. Its
    middle is added to ``examined``.
    """
    result = []
    for family, fractions in examined.items():
        used = {homes[point.name][1] for point in front.points if homes[point.name][0] == family}
        steps = sorted(map(Fraction, fractions), reverse=True)
        gaps = [(a, b) for a, b in pairwise(steps) if a > BUDGET_STEP * b and (a in used or b in used)]
        if gaps:
            a, b = max(gaps, key=lambda gap: gap[0] / gap[1])
            middle = str(Fraction(math.sqrt(a * b)).limit_denominator(1 << 20))
            if middle not in fractions:
                fractions.append(middle)
                result.append((family, middle))
    return result
