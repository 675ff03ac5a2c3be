"""How long proofs take."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

LABEL = "latencies `estimated`; CPU seconds of one thread, measured"


def networks(figures: dict[str, Any]) -> Table:
    """Of each network, its candidates, and of each gap asked for the gap reached and the CPU seconds."""
    rows = []
    for title, own in figures["networks"].items():
        answers = [found for found in own.values() if isinstance(found, dict)]
        rows.append((title, f"{own['candidates']:,}", *map(_shown, answers)))
    return Table(LABEL, ("network", "candidates", "1 % asked, 60 s at most", "0.5 %, 300 s", "the best, 100 s"), rows)


def open_ones(figures: dict[str, Any]) -> Table:
    """The problems whose best choice stays unproven."""
    whole = {title: own["0 asked, 100 s at most"] for title, own in figures["networks"].items()}
    with_choice = {title: found for title, found in whole.items() if "gap" in found}
    rows = [
        (title, f"{100 * found['gap']:.2f} %") for title, found in with_choice.items() if found["status"] != "optimal"
    ]
    head = (f"open after 100 s, {len(rows)} of the {len(with_choice)} that have a choice", "gap")
    return Table(LABEL, head, rows)


def chains(figures: dict[str, Any]) -> Table:
    """Chains of inverted residual blocks, by this solver and by the former one."""
    (former,) = (key for key in figures if key.startswith("growth, before"))
    objectives = ("latency", "bottleneck", "utilisation")
    rows = []
    for ops, own in figures["growth, now"].items():
        before = figures[former][ops]
        cells = [f"{_shown(own[each])} ({_shown(before[each])})" for each in objectives]
        rows.append((ops, f"{own['candidates']:,}", *cells))
    return Table(f"{LABEL}; in brackets the former solver's", ("ops", "candidates", *objectives), rows)


def front(figures: dict[str, Any]) -> Table:
    """MobileNetV2 with int8 or int4 a layer."""
    own = figures["front of MobileNetV2"]
    points = own["points, CPU seconds since the start"]
    row = (
        f"{len(points)}{'' if own['whole'] else ', ended early'}",
        f"{sum(point['gap'] <= 0.02 for point in points)}",
        f"{100 * max(point['gap'] for point in points):.2f} %",
        f"{points[-1]['CPU seconds']:,.0f} s",
        f"{own['CPU seconds of the table']:,.0f} s",
    )
    return Table(
        LABEL,
        ("points of MobileNetV2's front", "proven to 2 %", "largest gap", "found within", "candidates' table, before"),
        [row],
    )


def _shown(found: dict[str, Any]) -> str:
    seconds = f"{found['CPU seconds']:.0f} s"
    if "gap" not in found:
        return f"{found['status']}, {seconds}"
    return f"best, {seconds}" if found["status"] == "optimal" else f"{100 * found['gap']:.2f} %, {seconds}"
