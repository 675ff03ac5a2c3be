"""What each op waits for in a given design, whose inputs come otherwise than if all ops took equally long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dse.token_times import passage
from hw.accelerator import Plan
from hw.mapping import Mapping
from models.ir.activity import Activity, Load, expected, mean_activity, sample, site_activity, walk
from models.ir.graph import Graph

ENDLESS = 1 << 24
"""Beats of a queue in which no frame finds the end."""


def profiled(graph: Graph, mapping: Mapping, load: Load = "mean") -> dict[str, Activity]:
    """What the graph has to do, with the shares of its inputs' times that ``mapping`` gives, on the frames it holds.

    Frames find the accelerator idle, and queues have room for all of them.
    """
    plan = Plan(graph, replace(mapping, queues=dict.fromkeys(mapping.queues, ENDLESS)))
    frames = [walk(graph, mask) for mask in sample(graph)]
    tokens = passage(plan, frames, apart=True).tokens
    found = []
    for number, sites in enumerate(frames):
        times = {}
        for name, own in tokens.items():
            end = own.ends[number]
            times[name] = own.last[end - len(sites[name].sites) : end].astype(float)
        found.append(site_activity(graph, sites, times))
    design = mean_activity(found)
    return {name: _with_times(own, design[name]) for name, own in expected(graph, load).items()}


def _with_times(own: Activity, design: Activity) -> Activity:
    """An activity with the shares, and the knee, of another one, to whose frames its own are in proportion."""
    if own.waits is None or design.waits is None or not design.tokens_in or not design.tokens_out:
        return own
    start, knee = own.waits.start, design.waits.knee
    tokens, sites = own.tokens_in / design.tokens_in, own.tokens_out / design.tokens_out
    scaled = replace(knee, tokens=knee.tokens * tokens, left=_times(knee.left, sites))
    return replace(own, waits=replace(own.waits, start=replace(start, share=design.waits.start.share), knee=scaled))


def _times(sites: Sequence[float], factor: float) -> tuple[float, ...]:
    return tuple(factor * count for count in sites)
