"""How much a network has to do: tokens a frame at each node, how full its windows are, and what they wait for.

Cycle counts depend on the input only through these figures. They follow from the active sites
alone, never from features. ``measured`` keeps those of a data set in a graph's ``stats``, from
where cost, exploration and the report read them with ``expected``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from models.ir.graph import Graph
from models.ir.node import GraphError, Node, NodeSites
from models.ir.sites import reference, walk
from models.ir.window import Window

Load = Literal["mean", "p99"]
"""The mean frame of a data set, or one that 99 % of its frames do not exceed."""
LOADS: tuple[Load, ...] = get_args(Load)
SAMPLE = 16
"""Frames of a data set that are kept in the graph as they are."""


@dataclass(frozen=True)
class Stage:
    """A moment of a frame at the input of a window op, and what the op has left to do then.

    Parameters
        tokens   tokens of the frame that have come
        share    of the time from the first token to the last; of ``reference``, or of a design
        left     ``left[j]`` output sites with j active taps, from the one that this moment completes to the last
        coming   share of the frame's work that the op before has to do for the tokens that are still to come
        ended    share of frames in which that site waits for the frame's end
    """

    tokens: float
    share: float
    left: tuple[float, ...]
    coming: float
    ended: float


@dataclass(frozen=True)
class Waits:
    """What the sites of a window op wait for.

    Parameters
        first   ``first[j]``: 1 where the first output site sees j active input sites
        start   the first output site is complete
        knee    the moment after which most work is left, beside what is still to come, if both take equally long
        line    the last line of the input completes its first output site
        end     the last token has come
    """

    first: tuple[float, ...]
    start: Stage
    knee: Stage
    line: Stage
    end: Stage

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.start, self.knee, self.line, self.end


@dataclass(frozen=True)
class Activity:
    """Figures of one node, of a frame or of several on average.

    ``tokens_in``: active sites of one of its inputs; for the input node, of the frame.
    ``tokens_out``: active sites of its output.
    ``taps``: ``taps[j]`` output sites see j active input sites, j from 0 to kernel^2; ``()`` where
    the node has no window.
    ``waits``: what those sites wait for; None where the node has no window.
    """

    tokens_in: float
    tokens_out: float
    taps: tuple[float, ...] = ()
    waits: Waits | None = None


def frame_activity(graph: Graph, mask: np.ndarray) -> dict[str, Activity]:
    """Each node's activity on the frame whose active sites ``mask`` gives, bool ``[height, width]``."""
    sites = walk(graph, mask)
    return site_activity(graph, sites, reference(graph, sites))


def site_activity(graph: Graph, sites: dict[str, NodeSites], times: Mapping[str, np.ndarray]) -> dict[str, Activity]:
    """Each node's activity on the frame of which ``walk`` found the ``sites``; ``times``: when its tokens leave."""
    weights: dict[str, np.ndarray] = {}
    found: dict[str, Activity] = {}
    for node in graph.nodes:
        own = sites[node.name]
        taps, waits = (), None
        before = weights[node.inputs[0]] if node.inputs else np.ones(len(own.source))
        if node.window is not None:
            taps = _histogram(node.window, own.taps)
            waits = _waits(node.window, own, times[node.inputs[0]], before)
        weights[node.name] = node.work(own, before)
        found[node.name] = Activity(len(own.source), len(own.sites), taps, waits)
    return found


def _histogram(window: Window, taps: np.ndarray) -> tuple[float, ...]:
    return tuple(np.bincount(taps, minlength=window.taps + 1).tolist())


def _waits(window: Window, own: NodeSites, came: np.ndarray, weights: np.ndarray) -> Waits:
    """``came``: when each token comes in the reference; ``weights``: what it costs the op before."""
    tokens, sites = len(own.source), len(own.sites)
    nothing = _histogram(window, own.taps[:0])
    if not sites:
        none = Stage(0.0, 0.0, nothing, 0.0, 0.0)
        return Waits(nothing, none, none, none, none)
    # the first token has begun one of its share of the time before it is there
    begun = came[0] - (came[-1] - came[0]) / max(1, tokens - 1)
    shares = (came - begun) / (came[-1] - begun) if tokens > 1 else np.ones(1)
    # tokens that each site waits for, all where it is the end
    needs = np.minimum(own.needs, tokens)
    work = np.maximum(own.taps, 1)
    lag = shares[needs - 1] - (np.cumsum(work) - work) / work.sum()

    def stage(site: int) -> Stage:
        need = int(needs[site])
        return Stage(
            tokens=float(need if own.whole[site] or own.needs[site] > tokens else need - 1),
            share=float(shares[need - 1]),
            left=_histogram(window, own.taps[site:]),
            coming=float(weights[need:].sum() / weights.sum()),
            ended=float(own.needs[site] > tokens),
        )

    lines = own.source[needs - 1, 0]
    line, end = np.argmax(lines == lines[-1]), np.argmax(needs == needs[-1])
    return Waits(_histogram(window, own.taps[:1]), stage(0), *(stage(int(n)) for n in (np.argmax(lag), line, end)))


def activity(graph: Graph, masks: Sequence[np.ndarray] | None) -> dict[str, Activity]:
    """Each node's mean activity over the frames that ``masks`` give.

    None is the dense frame, in which every site is active; its figures are whole numbers.
    """
    if masks is None:
        return frame_activity(graph, np.ones(graph.input.shape[:2], dtype=bool))
    frames = [frame_activity(graph, np.asarray(mask, dtype=bool)) for mask in masks]
    if not frames:
        raise ValueError(f"graph {graph.name!r}: activity needs at least one mask")
    return mean_activity(frames)


def mean_activity(frames: Sequence[dict[str, Activity]]) -> dict[str, Activity]:
    """Each node's mean over frames."""
    return {name: _mean([frame[name] for frame in frames]) for name in frames[0]}


def measured(
    graph: Graph, masks: Sequence[np.ndarray], progress: Callable[[int, int], None] = lambda *_: None
) -> Graph:
    """The graph with the activity of a data set in its ``stats``.

    By node: ``frames``, how many there were; ``density``, the mean share of output sites that are
    active; and an ``Activity`` for each of ``LOADS``. That of ``p99`` is the figure of the one
    frame in whose place stand 99 % when they are sorted by what the node has to do. The input has a ``sample`` of the
    frames besides: at most ``SAMPLE`` of them, evenly spread by their number of active sites.
    """
    frames = []
    for number, mask in enumerate(masks):
        progress(number, len(masks))
        frames.append(frame_activity(graph, np.asarray(mask, dtype=bool)))
    if not frames:
        raise ValueError(f"graph {graph.name!r}: activity needs at least one mask")
    stats = {name: dict(entry) for name, entry in graph.stats.items()}
    for node in graph.nodes:
        own = [frame[node.name] for frame in frames]
        mean = _mean(own)
        shape = graph.shapes[node.name]
        stats.setdefault(node.name, {})["activity"] = {
            "frames": len(own),
            "density": mean.tokens_out / (shape.height * shape.width),
            "mean": _encoded(mean),
            "p99": _encoded(sorted(own, key=_work)[-(-99 * len(own) // 100) - 1]),
        }
    ordered = sorted(masks, key=lambda mask: int(np.count_nonzero(mask)))
    count = min(SAMPLE, len(ordered))
    chosen = [ordered[(2 * n + 1) * len(ordered) // (2 * count)] for n in range(count)]
    stats[graph.input.name]["activity"]["sample"] = [np.packbits(mask).tobytes().hex() for mask in chosen]
    return graph.replace(stats=stats)


def sample(graph: Graph) -> list[np.ndarray]:
    """The frames that ``measured`` kept, bool ``[height, width]`` each; of a dense graph the one that there is."""
    height, width, _ = graph.input.shape
    if not graph.input.sparse:
        return [np.ones((height, width), dtype=bool)]
    packed = [np.frombuffer(bytes.fromhex(text), dtype=np.uint8) for text in _entry(graph, graph.input)["sample"]]
    return [np.unpackbits(own, count=height * width).reshape(height, width).astype(bool) for own in packed]


def expected(graph: Graph, load: Load = "mean") -> dict[str, Activity]:
    """Each node's activity for costs: of the dense frame, or for a sparse graph what ``measured`` left in it."""
    if not graph.input.sparse:
        return activity(graph, None)
    if load not in LOADS:
        raise ValueError(f"load: {load!r} must be one of {', '.join(LOADS)}")
    return {node.name: _decoded(_entry(graph, node), load) for node in graph.nodes}


def check_stats(graph: Graph) -> None:
    """Raise a GraphError where the ``stats`` of a graph from a file are not as ``measured`` leaves them."""
    for name, entry in graph.stats.items():
        if name not in graph.shapes:
            raise GraphError(name, "stats", name, f"is no node; nodes are {', '.join(graph.shapes)}")
        try:
            if not isinstance(entry, dict):
                raise TypeError("it must be an object")
            if "activity" in entry:
                _check_activity(graph, graph[name], entry["activity"])
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, GraphError):
                raise
            why = f"is no activity as models.ir.activity.measured leaves it: {type(error).__name__}: {error}"
            # of an object its fields, as it has hundreds of numbers
            raise GraphError(name, "stats", sorted(entry) if isinstance(entry, dict) else entry, why) from None


def _check_activity(graph: Graph, node: Node, entry: dict[str, Any]) -> None:
    height, width, _ = graph.shapes[node.name]
    for load in LOADS:
        figures = _decoded(entry, load)
        sites = height * width
        source = graph.shapes[node.inputs[0]] if node.inputs else graph.shapes[node.name]
        if not (0 <= figures.tokens_in <= source.height * source.width and 0 <= figures.tokens_out <= sites):
            raise ValueError(
                f"{load}: tokens {figures.tokens_in} and {figures.tokens_out} must be 0 to the sites there are"
            )
        if len(figures.taps) != (node.window.taps + 1 if node.window else 0):
            raise ValueError(f"{load}: taps: {len(figures.taps)} of them")
        if (node.window is None) != (figures.waits is None):
            raise ValueError(f"{load}: waits are those of a window")
    for number in _leaves({load: entry[load] for load in LOADS} | {"density": entry["density"]}):
        if type(number) not in (int, float) or not 0 <= number < float("inf"):
            raise ValueError(f"{number!r} must be a number of 0 or more")
    if not entry["density"] <= 1:
        raise ValueError(f"density: {entry['density']!r} must be 0 to 1")
    if node is graph.input:
        for packed in entry["sample"]:
            if len(bytes.fromhex(packed)) != -(-height * width // 8):
                raise ValueError(f"sample: {packed!r} must be hexadecimal digits of {height * width} bits")


def _leaves(value: Any) -> Iterable[Any]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if parts is None:
        if value is not None:
            yield value
    else:
        for part in parts:
            yield from _leaves(part)


def density(graph: Graph, node: Node) -> float:
    """The mean share of active sites at a node's output that ``measured`` found; 1 for a dense graph."""
    return float(_entry(graph, node)["density"]) if graph.input.sparse else 1.0


def occupancy(figures: Activity) -> tuple[float, ...]:
    """The share of output sites that see j active input sites, j from 0; ``()`` where there is no window."""
    sites = sum(figures.taps)
    return tuple(taps / sites if sites else 0.0 for taps in figures.taps)


def _entry(graph: Graph, node: Node) -> dict[str, Any]:
    entry = graph.stats.get(node.name, {}).get("activity", {})
    if "waits" not in entry.get("mean", {}):
        why = "holds no activity; models.ir.activity.measured adds that of a data set"
        raise GraphError(node.name, "stats", sorted(graph.stats.get(node.name, {})), why)
    return entry


def _work(figures: Activity) -> tuple[float, float]:
    return sum(taps * sites for taps, sites in enumerate(figures.taps)), figures.tokens_in


def _mean(figures: Sequence[Activity]) -> Activity:
    taps = _averaged([own.taps for own in figures])
    waits = [own.waits for own in figures if own.waits is not None]
    return Activity(
        float(np.mean([own.tokens_in for own in figures])),
        float(np.mean([own.tokens_out for own in figures])),
        taps,
        _mean_waits(waits, [own.tokens_in for own in figures]) if waits else None,
    )


def _mean_waits(waits: Sequence[Waits], tokens: Sequence[float]) -> Waits:
    stages = [_mean_stage(own, tokens) for own in zip(*(own.stages for own in waits), strict=True)]
    return Waits(_averaged([own.first for own in waits]), *stages)


def _mean_stage(stages: Sequence[Stage], tokens: Sequence[float]) -> Stage:
    """``tokens`` of each frame, as a share of the time of one with more of them is a longer time."""
    return Stage(
        float(np.mean([own.tokens for own in stages])),
        float(np.dot([own.share for own in stages], tokens) / max(1.0, float(np.sum(tokens)))),
        _averaged([own.left for own in stages]),
        float(np.mean([own.coming for own in stages])),
        float(np.mean([own.ended for own in stages])),
    )


def _averaged(rows: Iterable[Sequence[float]]) -> tuple[float, ...]:
    return tuple(np.array(list(rows), dtype=float).mean(axis=0).tolist())


def _encoded(figures: Activity) -> dict[str, Any]:
    return json.loads(json.dumps(asdict(figures)))


def _decoded(entry: dict[str, Any], load: Load) -> Activity:
    figures = entry[load]
    waits = figures["waits"]
    if waits is not None:
        stages = (_decoded_stage(waits[name]) for name in ("start", "knee", "line", "end"))
        waits = Waits(tuple(waits["first"]), *stages)
    return Activity(figures["tokens_in"], figures["tokens_out"], tuple(figures["taps"]), waits)


def _decoded_stage(entry: dict[str, Any]) -> Stage:
    return Stage(**{**entry, "left": tuple(entry["left"])})
