"""How well unseen networks are ranked."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

CASES = {"digits_dvs": "digits_dvs", "n_mnist": "N-MNIST"}
TIMES = {"after calibration": "calibrated", "after an epoch of training": "trained"}


def by_accuracy(figures: dict[str, Any]) -> Table:
    return _ranks(figures, "accuracy")


def by_loss(figures: dict[str, Any]) -> Table:
    return _ranks(figures, "loss")


def _ranks(figures: dict[str, Any], order: str) -> Table:
    columns = {
        f"{data}, {time}": figures[f"{case}, {when}"][f"order by {order}"]
        for case, data in CASES.items()
        for when, time in TIMES.items()
    }
    return Table(
        f"Kendall's tau with the measured order, mean ± standard deviation of {figures['splits']} splits",
        (f"order by measured **{order}**", *columns),
        [
            (name, *(_shown(column[name]["Kendall tau"]) for column in columns.values()))
            for name in next(iter(columns.values()))
        ],
    )


def _shown(tau: list[float]) -> str:
    return f"{tau[0]:.2f} ± {tau[1]:.2f}"
