"""How long a proof takes: published networks, long chains, and a front; beside the former solver where it says so.

``networks``: the least latency of published networks in half, 80 % and all of a device, asked for to within 1 %, .5 %
and exactly, one after the other; ``front``: formats int8 and int4 for each of MobileNetV2's layers, activations int8,
where int4's error stands in for a measured one: the layer's squared error of rounding, as a share of the squares of all
weights; ``growth``: chains of 5 to 300 ops for three objectives, by this solver and by that of commit ``FORMER`` on the
problems that it makes of the same networks, in the same run. CPU seconds are of one thread; other load changes them
little.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.solve_time.problems import NETWORKS, chain, mobilenet_v2, of_int4_weights, part, problem
from dse.candidates import Table
from dse.epsilon import pareto_points
from dse.highs import cpu_seconds
from dse.milp import Solution, solve
from dse.problem import Infeasible, Objective, Problem
from dse.program import SolverError
from hw.fpga.families.registry import DEVICES
from reports.style import CHOSEN, STEPS, STYLE

ROOT = Path(__file__).resolve().parent.parent.parent
SOLVER = (*sorted((ROOT / "dse" / "labels").glob("*.py")), *sorted((ROOT / "dse").glob("*.py")))
FORMER = "707426e"
"""The last commit whose proofs rest on HiGHS's own bound."""
FORMER_GROWTH = """
import json, sys, time
from benchmarks.solve_time import DEVICE, chain, part
from dse.candidates import Table
from dse.milp import SolverError, solve
from dse.problem import Infeasible, Objective

def attempt(problem, objective):
    begin = time.process_time()
    try:
        report = solve(problem, Objective(objective), then=(), gap=gap, time_limit=seconds).report
        figures = {"status": report.status, "objective": report.objective, "bound": report.bound}
        figures["gap"] = round(report.gap, 5)
    except (SolverError, Infeasible) as error:
        figures = {"status": "infeasible" if isinstance(error, Infeasible) else "nothing found", "why": str(error)}
    return figures | {"CPU seconds": round(time.process_time() - begin, 2)}

blocks, objectives, gap, seconds = json.loads(sys.argv[1])
figures = {}
for count in blocks:
    own = Table({"int8": chain(count)}, DEVICE).problem(part(1.0))
    figures[str(len(own.ops))] = {"candidates": sum(len(op.candidates) for op in own.ops)}
    for objective in objectives:
        figures[str(len(own.ops))][objective] = attempt(own, objective)
    print("growth before", len(own.ops), figures[str(len(own.ops))], file=sys.stderr, flush=True)
print(json.dumps(figures))
"""
"""What the copy of the former code runs: ``growth`` by that code."""
SHARES = (0.5, 0.8, 1.0)
GAPS = ((0.01, 60.0), (0.005, 300.0), (0.0, 100.0))
"""What is asked for, and for how long."""
BLOCKS = (1, 2, 5, 10, 20, 50, 74)
"""Of the chains: four ops each, and three or four more; one op less in the first."""
GROWTH_GAP, GROWTH_SECONDS = 0.02, 60.0
OBJECTIVES = (Objective.BOTTLENECK, Objective.LATENCY, Objective.UTILISATION)
PARTS_OF_ERROR, FRONT_GAP, FRONT_SHARE, FRONT_SECONDS = 150, 0.02, 0.8, 400
"""Of the front: the parts of the largest error that tell its points apart, of which few can be had; the gap, the share
of the device, and the seconds after which it ends."""
IMAGES = ROOT / "docs" / "images"
Result = TypeVar("Result")


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    begin = cpu_seconds()
    return work(), round(cpu_seconds() - begin, 2)


def entry(found: Solution, seconds: float) -> dict[str, Any]:
    report = found.report
    return {
        "status": report.status,
        "objective": report.objective,
        "bound": report.bound,
        "gap": round(report.gap, 5),
        "CPU seconds": seconds,
    }


def attempt(problem: Problem, objective: Objective, gap: float, limit: float) -> dict[str, Any]:
    begin = cpu_seconds()
    try:
        return entry(*timed(lambda: solve(problem, objective, then=(), gap=gap, time_limit=limit)))
    except (SolverError, Infeasible) as error:
        status = "infeasible" if isinstance(error, Infeasible) else "nothing found"
        return {"status": status, "why": str(error), "CPU seconds": round(cpu_seconds() - begin, 2)}


def networks() -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, (device, _) in NETWORKS.items():
        for share in SHARES:
            own = problem(name, share)
            label = f"{name}, {share:.0%} of {device}"
            count = sum(len(op.candidates) for op in own.ops)
            figures[label] = {"label": "estimated", "ops": len(own.ops), "candidates": count}
            for gap, limit in GAPS:
                found = attempt(own, Objective.LATENCY, gap, limit)
                figures[label][f"{gap:g} asked, {limit:g} s at most"] = found
                print(label, gap, found, file=sys.stderr, flush=True)
    return figures


def course() -> list[tuple[float, float, float | None]]:
    """Seconds, bound, and best choice or None, as they move, of MobileNetV2 in 80 % of a ZCU102."""
    moves: list[tuple[float, float, float | None]] = []
    solve(
        problem("MobileNetV2", 0.8), Objective.LATENCY, then=(), gap=0.001, time_limit=120.0,
        watch=lambda bound, best, seconds: moves.append(
            (round(seconds, 2), float(bound), None if best is None else float(best))
        ),
    )  # fmt: skip
    return moves


def front() -> dict[str, Any]:
    graph, device = mobilenet_v2(), DEVICES["zcu102"]
    coarse, errors = of_int4_weights(graph)
    by_format = {name: {"int8": 0.0, "int4": error} for name, error in errors.items()}
    table = Table({"int8": graph, "int4": coarse}, device, by_format)
    count, spent = timed(lambda: sum(map(len, table.candidates.values())))
    own = table.problem(part(device, FRONT_SHARE))
    error_step = sum(round(error * 1e6) for error in errors.values()) // PARTS_OF_ERROR
    begin, points = cpu_seconds(), []

    def found(point: Solution) -> None:
        seconds = round(cpu_seconds() - begin, 1)
        costs = {"cycles": point.evaluation.bottleneck, "error": point.evaluation.error}
        points.append({**costs, "proven": str(point.objective), **entry(point, seconds)})
        print("front", points[-1], file=sys.stderr, flush=True)

    def ended(*_: object) -> None:
        raise TimeoutError

    whole = True
    # a point may stay open for long, and trades have no limit on time
    signal.signal(signal.SIGALRM, ended)
    signal.alarm(FRONT_SECONDS)
    try:
        pareto_points(own, Objective.BOTTLENECK, error_step, FRONT_GAP, found)
    except TimeoutError:
        whole = False
    finally:
        signal.alarm(0)
    figures = {"label": "estimated", "candidates": count, "CPU seconds of the table": spent, "whole": whole}
    return {**figures, "points, CPU seconds since the start": points}


def growth() -> dict[str, Any]:
    """By this code's solver."""
    figures: dict[str, Any] = {}
    device = DEVICES["zcu102"]
    for blocks in BLOCKS:
        own = Table({"int8": chain(blocks)}, device).problem(part(device, 1.0))
        found: dict[str, Any] = {"candidates": sum(len(op.candidates) for op in own.ops)}
        for objective in OBJECTIVES:
            found[str(objective)] = attempt(own, objective, GROWTH_GAP, GROWTH_SECONDS)
        figures[str(len(own.ops))] = found
        print("growth", len(own.ops), found, file=sys.stderr, flush=True)
    return figures


def growth_before() -> dict[str, Any]:
    """By the former solver, in a copy of its code, on the chains of its own benchmark."""
    with tempfile.TemporaryDirectory() as folder:
        archive = subprocess.run(["git", "archive", FORMER], cwd=ROOT, check=True, capture_output=True).stdout
        subprocess.run(["tar", "x", "-C", folder], input=archive, check=True)
        asked = [list(BLOCKS), list(map(str, OBJECTIVES)), GROWTH_GAP, GROWTH_SECONDS]
        command = [sys.executable, "-c", FORMER_GROWTH, json.dumps(asked)]
        # without the path by which Python would find the code of today
        path = {"PYTHONPATH": folder}
        said = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE, env=os.environ | path).stdout
    return json.loads(said.splitlines()[-1])


def growth_picture(now: dict[str, Any], before: dict[str, Any]) -> Figure:
    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(8.4, 5.0), layout="constrained")
        grid = drawn.subplots(2, len(OBJECTIVES), sharex=True, sharey="row")
        for column, objective in enumerate(OBJECTIVES):
            for figures, color, label in ((before, STEPS, f"before ({FORMER})"), (now, CHOSEN, "now")):
                own = {int(ops): found[str(objective)] for ops, found in figures.items()}
                seconds = [found["CPU seconds"] for found in own.values()]
                grid[0, column].plot(list(own), seconds, "o-", color=color, label=label)
                gaps = {ops: 100 * found["gap"] for ops, found in own.items() if "gap" in found}
                grid[1, column].plot(list(gaps), list(gaps.values()), "o-", color=color)
            grid[0, column].set_title(str(objective))
            grid[1, column].set_xlabel("ops")
            for axes in grid[:, column]:
                axes.grid(True)
        grid[0, 0].set_yscale("log")
        grid[1, 0].set_yscale("symlog", linthresh=1)
        grid[1, 0].set_ylim(bottom=0)
        grid[0, 0].set_ylabel("CPU seconds")
        grid[1, 0].set_ylabel("gap, %; no point: no choice found")
        grid[0, 0].legend(frameon=False)
        drawn.suptitle(
            f"inverted residual blocks on zcu102 (estimated), {GROWTH_GAP:.0%} asked, {GROWTH_SECONDS:.0f} s"
        )
    return drawn


def course_picture(moves: list[tuple[float, float, float | None]]) -> Figure:
    with mpl.rc_context(STYLE):
        drawn = Figure(figsize=(6.4, 3.2), layout="constrained")
        axes = drawn.add_subplot()
        last = moves[-1][0]
        bounds = [(seconds, bound) for seconds, bound, _ in moves]
        bests = [(seconds, best) for seconds, _, best in moves if best is not None]
        for points, color, label in ((bests, CHOSEN, "best choice"), (bounds, STEPS, "bound, proven")):
            seconds, values = zip(*points, (last, points[-1][1]), strict=True)
            axes.step(seconds, values, where="post", color=color, label=label)
        axes.set_xlabel("seconds")
        axes.set_ylabel("latency, cycles (estimated)")
        axes.set_title("MobileNetV2 at 224 in 80 % of a zcu102")
        axes.grid(True)
        axes.legend(frameon=False)
    return drawn


def measure() -> dict[str, Any]:
    moves, now, before = kept("course"), kept("growth"), kept("before")
    course_picture(moves).savefig(IMAGES / "solve_course.png")
    growth_picture(now, before).savefig(IMAGES / "solve_time.png")
    return {
        "networks": kept("networks"),
        "front of MobileNetV2": kept("front"),
        "growth, now": now,
        f"growth, before ({FORMER})": before,
        "course of MobileNetV2: seconds, bound, best": moves,
    }


PARTS: dict[str, Callable[[], Any]] = {
    "course": course,
    "front": front,
    "growth": growth,
    "before": growth_before,
    "networks": networks,
}


def kept(name: str) -> Any:
    """A part's figures: kept from before, if they are of this solver, or measured now and kept."""
    path = stored(name)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        begin = time.perf_counter()
        figures = PARTS[name]()
        part = {"figures": figures, "seconds": round(time.perf_counter() - begin, 1)}
        path.write_text(json.dumps(part), encoding="utf-8")
    return json.loads(path.read_text(encoding="utf-8"))["figures"]


def seconds() -> float:
    """How long all parts took, each when it was measured."""
    return sum(json.loads(stored(name).read_text(encoding="utf-8"))["seconds"] for name in PARTS)


def stored(name: str) -> Path:
    """Where a part is kept, for the solver as it is."""
    solver = () if name == "before" else SOLVER
    code = b"".join(path.read_bytes() for path in (*solver, ROOT / "benchmarks" / "solve_time" / "problems.py"))
    return ROOT / "runs" / "solve_time" / f"{name}-{hashlib.sha256(code).hexdigest()[:16]}.json"
