"""Architecture search: tree search over a predictor, NSGA-II and chance, at equal evaluations, on digits_dvs.

An evaluation is one network trained, quantized, run on the validation split and folded for a zu3eg by the program.
All networks of the space are evaluated first, an hour or two on one core, kept in ``runs/architectures``: so the true
front is known, and every search is free to be repeated. NSGA-II is pymoo's, with its operators for integers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.evaluator import Evaluator
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.sbx import SBX
from pymoo.operators.mutation.pm import PM
from pymoo.operators.repair.rounding import RoundingRepair
from pymoo.operators.sampling.rnd import IntegerRandomSampling
from pymoo.problems.static import StaticProblem

from dse.architecture.evaluations import Costs, Evaluations
from dse.architecture.random_search import random_search
from dse.architecture.space import Choice, Space
from dse.architecture.tree_search import tree_search
from dse.hypervolume import hypervolume, latency_and_error
from dse.pareto import non_dominated
from netweave.architectures import Recipe, costs, network
from netweave.store import Store
from netweave.workers import Pool
from reports.style import STYLE

SPACE = Space(
    {
        "width": (0.5, 0.75, 1.0),
        "resolution": (16, 24, 32),
        "format": ("int4", "int8"),
        "depth": ("1.1", "1.2", "2.2"),
        "expansion": (1, 2, 3),
        "kernel": (3, 5),
    }
)
DATA = "digits_dvs"
RECIPE = Recipe(epochs=6, quantized_epochs=1, utilisation=0.25)
REFERENCE = latency_and_error(2**14, 0.5)
"""More cycles, or more errors, are of no use."""
EVALUATIONS, SEEDS = 40, range(5)
MANY = range(50)
"""Seeds by which chance in the searches themselves is told from what they are worth."""
POPULATION, ETA = 6, 3
"""The best of populations of 4 to 16 and etas of 3 and 15, on other seeds and costs predicted from a part of these."""
GENERATIONS = 1000
"""After so many, NSGA-II only breeds networks it knows."""
FOLDER = Path("runs") / "architectures"
PICTURE = Path(__file__).resolve().parent.parent / "docs" / "images" / "architectures.png"
COLOURS = {"tree search": "#1f5f99", "NSGA-II": "#d1892b", "random": "#8a94a0"}


def nsga2(evaluations: Evaluations, seed: int, population: int = POPULATION, eta: int = ETA) -> None:
    """pymoo's; networks that it breeds again are not counted again."""
    sizes = evaluations.space.sizes
    problem: Any = Problem(
        n_var=len(sizes), n_obj=len(evaluations.reference), xl=np.zeros(len(sizes)), xu=np.array(sizes) - 1, vtype=int
    )
    algorithm = NSGA2(
        pop_size=population,
        sampling=IntegerRandomSampling(),
        crossover=SBX(prob=1.0, eta=eta, vtype=float, repair=RoundingRepair()),
        mutation=PM(prob=1.0, eta=eta, vtype=float, repair=RoundingRepair()),
        eliminate_duplicates=True,
    )
    algorithm.setup(problem, termination=NoTermination(), seed=seed, verbose=False)
    for _ in range(GENERATIONS):
        bred: Any = algorithm.ask()
        if not evaluations.remaining or bred is None or not len(bred):
            return
        choices = [tuple(int(place) for place in row) for row in bred.get("X")]
        evaluations.ask(choices)
        # those beyond the limit stay unknown; their generation is the last
        found = [evaluations.costs.get(choice) or evaluations.reference for choice in choices]
        Evaluator().eval(StaticProblem(problem, F=np.array(found)), bred)
        algorithm.tell(infills=bred)


METHODS: dict[str, Callable[[Evaluations, int], None]] = {
    "tree search": tree_search,
    "NSGA-II": nsga2,
    "random": random_search,
}


def table(folder: Path = FOLDER) -> dict[Choice, Costs | None]:
    """The costs of every network of the space."""
    choices = list(SPACE)
    # formats of a network next to each other: the second finds it trained
    order = sorted(choices, key=lambda choice: named(choice))
    tasks = [RECIPE.task(*named(choice)) for choice in order]
    with Pool(count=1).open(Store(folder)) as pool:
        results = pool.run(tasks, "networks", lambda what, done, of: print(f"    {what}: {done} of {of}", flush=True))
    return {choice: costs(result) for choice, result in zip(order, results, strict=True)}


def named(choice: Choice) -> tuple[str, str, str]:
    return network(SPACE.values(choice), DATA, inputs=2, classes=10)


def searched(known: Mapping[Choice, Costs | None], method: str, seed: int) -> Evaluations:
    evaluations = Evaluations(SPACE, lambda asked: [known[choice] for choice in asked], EVALUATIONS, REFERENCE)
    METHODS[method](evaluations, seed)
    return evaluations


def measure() -> dict[str, Any]:
    known = table()
    built = {choice: own for choice, own in known.items() if own is not None}
    best = [list(built)[place] for place in non_dominated(list(built.values()))]
    whole = hypervolume(list(built.values()), REFERENCE)
    # shares of the true front's volume [seeds, evaluations]
    shares = {name: np.array([_volumes(known, name, seed) for seed in MANY]) / whole for name in METHODS}
    _picture({name: own[: len(SEEDS)] for name, own in shares.items()}).savefig(PICTURE)
    figures: dict[str, Any] = {
        "label": "accuracy measured on the validation split, cycles `estimated`",
        "networks of the space": len(known),
        "networks that fit": len(built),
        "networks on the true front": len(best),
        "hypervolume of the true front, octaves times points": round(whole, 2),
        "evaluations": EVALUATIONS,
    }
    for name, own in shares.items():
        for after in range(EVALUATIONS // 4, EVALUATIONS + 1, EVALUATIONS // 4):
            figures[f"{name}, after {after} evaluations, % of the true front's hypervolume"] = {
                f"{len(SEEDS)} seeds": [round(100 * float(share), 2) for share in own[: len(SEEDS), after - 1]],
                **_spread(f"{len(SEEDS)} seeds", own[: len(SEEDS), after - 1]),
                **_spread(f"{len(MANY)} seeds", own[:, after - 1]),
            }
    ours = shares["tree search"]
    for name in ("random", "NSGA-II"):
        ahead = ours[:, -1] > shares[name][:, -1]
        reached = [_first(own, shares[name][:, -1].mean()) for own in ours]
        figures[f"tree search against {name}"] = {
            f"seeds ahead, of {len(SEEDS)}": int(ahead[: len(SEEDS)].sum()),
            f"seeds ahead, of {len(MANY)}": int(ahead.sum()),
            f"evaluations to its mean of {EVALUATIONS}, median of {len(MANY)} seeds": float(np.median(reached)),
        }
    return figures


def _volumes(known: Mapping[Choice, Costs | None], method: str, seed: int) -> list[float]:
    """What was covered after each evaluation; NSGA-II may end before the last, where it breeds nothing new."""
    volumes = searched(known, method, seed).volumes
    return volumes + volumes[-1:] * (EVALUATIONS - len(volumes))


def _spread(name: str, shares: np.ndarray) -> dict[str, float]:
    return {
        f"{name}, mean": round(100 * float(shares.mean()), 2),
        f"{name}, least": round(100 * float(shares.min()), 2),
        f"{name}, deviation": round(100 * float(shares.std(ddof=1)), 2),
    }


def _first(shares: np.ndarray, share: float) -> int:
    """Evaluations that it took to ``share``; one more than there are where it never did."""
    return int((shares < share).sum()) + 1


def _picture(shares: Mapping[str, np.ndarray]) -> Figure:
    """Hypervolume against evaluations, the mean of the seeds between the least and the most of any."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.add_subplot()
        evaluations = np.arange(1, EVALUATIONS + 1)
        for name, own in shares.items():
            axes.fill_between(
                evaluations, 100 * own.min(axis=0), 100 * own.max(axis=0), color=COLOURS[name], alpha=0.15, lw=0
            )
            axes.plot(evaluations, 100 * own.mean(axis=0), color=COLOURS[name], lw=1.8, label=name)
        axes.axhline(100, color="#c3cad1", lw=0.8)
        axes.set_xlim(5, EVALUATIONS)
        axes.set_ylim(60, 101)
        axes.set_xlabel("networks trained, measured and folded")
        axes.set_ylabel("hypervolume, % of the true front's")
        axes.set_title(f"{DATA} on {RECIPE.device}: {SPACE.size} networks, {len(SEEDS)} seeds, mean and range")
        axes.grid(True)
        axes.set_axisbelow(True)
        axes.legend(frameon=False, loc="lower right")
        return figure
