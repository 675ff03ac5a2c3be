"""The picture of the dataflow graph: layered from top to bottom, long edges beside the nodes they pass."""

from __future__ import annotations

from itertools import pairwise

import matplotlib as mpl
import networkx as nx
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from matplotlib.path import Path as Curve

from reports.schema import NodeEntry
from reports.style import STYLE

HALF_HEIGHT = 0.29
PLAIN = "#f3f5f7"
COLOURS = {
    "conv": "#dbe9f6",
    "linear": "#dbe9f6",
    "add": "#fde8d3",
    "max_pool": "#e2f1e3",
    "avg_pool": "#e2f1e3",
    "global_pool": "#e2f1e3",
    "requantize": "#efe5f5",
}

Spot = tuple[float, float]


def dataflow(nodes: list[NodeEntry]) -> Figure:
    """A node stands below all of its inputs; an edge over several layers keeps a column to itself."""
    routes, place = _layout(nodes)
    across = [x for x, _ in place.values()]
    rows = 1 - min(y for _, y in place.values())
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.2 + 1.3 * (max(across) - min(across)), 0.3 + 0.62 * rows), layout="constrained")
        axes = figure.add_subplot()
        for route in routes:
            _arrow(axes, [place[stop] for stop in route])
        for node in nodes:
            box = {
                "boxstyle": "round,pad=0.45",
                "facecolor": COLOURS.get(node.op, PLAIN),
                "edgecolor": "#a9b8c6",
                "lw": 0.8,
            }
            text = f"{node.name}\n{node.op}  {node.shape}"
            axes.text(*place[node.name], text, ha="center", va="center", fontsize=7.5, linespacing=1.3, bbox=box)
        axes.set_xlim(min(across) - 0.8, max(across) + 0.8)
        axes.set_ylim(0.5 - rows, 0.5)
        axes.axis("off")
        return figure


def _layout(nodes: list[NodeEntry]) -> tuple[list[list[str]], dict[str, Spot]]:
    """(the stops of every edge, the place of every stop); the stops between two nodes are named ``a>b 3``."""
    graph = nx.DiGraph()
    graph.add_nodes_from(node.name for node in nodes)
    graph.add_edges_from((name, node.name) for node in nodes for name in node.inputs)
    ranks = [list(rank) for rank in nx.topological_generations(graph)]
    row = {name: depth for depth, rank in enumerate(ranks) for name in rank}
    routes = []
    for producer, consumer in graph.edges:
        between = [f"{producer}>{consumer} {depth}" for depth in range(row[producer] + 1, row[consumer])]
        for depth, stop in enumerate(between, row[producer] + 1):
            ranks[depth].append(stop)
        routes.append([producer, *between, consumer])
    above: dict[str, list[str]] = {stop: [] for rank in ranks for stop in rank}
    for route in routes:
        for upper, lower in pairwise(route):
            above[lower].append(upper)
    place: dict[str, Spot] = {}
    for depth, rank in enumerate(ranks):
        wish = {stop: sum(place[up][0] for up in above[stop]) / max(1, len(above[stop])) for stop in rank}
        ordered = sorted(rank, key=lambda stop: (wish[stop], " " in stop))
        middle = sum(wish.values()) / len(wish)
        for column, stop in enumerate(ordered):
            place[stop] = (middle + column - (len(rank) - 1) / 2, float(-depth))
    return routes, place


def _arrow(axes: Axes, stops: list[Spot]) -> None:
    """A smooth curve from below the first stop, straight down through those between, to above the last."""
    corners = [(stops[0][0], stops[0][1] - HALF_HEIGHT)]
    for x, y in stops[1:-1]:
        corners += [(x, y + HALF_HEIGHT), (x, y - HALF_HEIGHT)]
    corners.append((stops[-1][0], stops[-1][1] + HALF_HEIGHT))
    points, codes = [corners[0]], [Curve.MOVETO]
    for (x0, y0), (x1, y1) in pairwise(corners):
        middle = (y0 + y1) / 2
        points += [(x0, middle), (x1, middle), (x1, y1)]
        codes += [Curve.CURVE4] * 3
    style = {"arrowstyle": "-|>", "mutation_scale": 9, "color": "#8a94a0", "lw": 1, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(path=Curve(points, codes), **style))
