"""Architecture search against chance and NSGA-II."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

METHODS = {"tree search": "tree search", "NSGA-II": "NSGA-II (pymoo)", "random": "random"}


def searches(figures: dict[str, Any]) -> Table:
    """After all evaluations, in percent of the true front's hypervolume."""
    rows = []
    for name, title in METHODS.items():
        own = figures[f"{name}, after {figures['evaluations']} evaluations, % of the true front's hypervolume"]
        cells = [own[key] for key in ("5 seeds, mean", "50 seeds, mean", "50 seeds, least", "50 seeds, deviation")]
        mean, *others = (f"{cell:.2f}" for cell in cells)
        rows.append((title, " ".join(f"{share:.2f}" for share in own["5 seeds"]), mean, *others))
    return Table(figures["label"], ("", "seeds 0 to 4", "mean", "50 seeds: mean", "least", "deviation"), rows)


def ahead(figures: dict[str, Any]) -> Table:
    """How often the tree search ends ahead, and after how many evaluations it is where the other one ends."""
    rows = []
    for name in ("random", "NSGA-II"):
        own = figures[f"tree search against {name}"]
        reached = own[f"evaluations to its mean of {figures['evaluations']}, median of 50 seeds"]
        rows.append((METHODS[name], str(own["seeds ahead, of 5"]), str(own["seeds ahead, of 50"]), f"{reached:g}"))
    head = ("tree search against", "ahead in, of 5 seeds", "of 50", "evaluations to the other's mean, median of 50")
    return Table(figures["label"], head, rows)
