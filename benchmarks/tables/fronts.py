"""Fronts beside what else one could do."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

NETWORKS = {"digits_dvs": "`digits_dvs`", "n_mnist": "N-MNIST"}


def against(figures: dict[str, Any]) -> Table:
    """Of each way the share of the common box that its front covers, and how many designs it has there."""
    both, three = "hypervolume, latency and accuracy", "hypervolume, with utilisation"
    head = [
        f"{title}: {column}"
        for title in NETWORKS.values()
        for column in ("latency, accuracy", "and utilisation", "designs")
    ]
    rows = []
    for way in figures["digits_dvs"][both]:
        row = [way]
        for name in NETWORKS:
            own = figures[name]
            if way in own["points"]:
                designs = own["points"][way]
            else:
                designs = own["designs that a walk was asked for"] - own["of these, found none that fits"][way]
            row += [f"{own[both][way]:.3f}", f"{own[three][way]:.3f}", str(designs)]
        rows.append(row)
    images = ", ".join(
        f"{title} on {figures[name]['validation images']} recordings of validation" for name, title in NETWORKS.items()
    )
    return Table(f"accuracy measured, {images}; latency `simulated`, utilisation `estimated`", ("", *head), rows)


def rtl(figures: dict[str, Any]) -> Table:
    """Of the points that ran as RTL."""
    rows = [
        (
            NETWORKS[name],
            own["name"],
            str(own["frames"]),
            f"{own['cycles, on the front']:,}",
            f"{own['cycles, rtl']:,.0f}",
            str(own["cycles apart from simulated, at most"]),
            "yes" if own["outputs equal golden's"] else "no",
        )
        for name in NETWORKS
        for own in figures[name]["rtl"]
    ]
    head = ("network", "point", "frames", "cycles on the front", "in RTL", "apart, at most", "golden's integers")
    return Table("mean cycles of a frame alone, `simulated` on the front and `rtl`", head, rows)
