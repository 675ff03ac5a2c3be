"""The activity of a network: tokens per frame at each node, active taps of its windows, and what they wait for.

Cycle counts depend on the input only through these figures. They follow from the active sites
alone, never from features. ``with_activity`` stores the figures of a data set in a graph's ``stats``, from
which cost models, exploration and the report read them with ``expected_activity``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np

from models.ir.graph import Graph
from models.ir.node import GraphError, Node, NodeSites
from models.ir.sites import reference_times, walk
from models.ir.window import Window

Load = Literal["mean", "p99"]
"""The mean frame of a data set, or one that 99 % of its frames do not exceed."""
LOADS: tuple[Load, ...] = get_args(Load)
SAMPLE = 16
"""The most frames of a data set that the graph stores."""


@dataclass(frozen=True)
class Stage:
    """One moment of a frame at the input of a window op, and the work that the op then has left.

    Parameters
        tokens   tokens of the frame that have arrived
        share    fraction of the time from the first token to the last, in the reference or in a design
        left     ``left[j]`` output sites with j active taps, from the one that this moment completes to the last
        coming   fraction of the frame's work that the producer still has to do for the tokens to come
        ended    fraction of frames in which that site waits for the frame's end
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
        start   the moment in which the first output site is complete
        knee    the moment with the most work left beside what is still to come, if both ops take equally long
        line    the moment in which the last line of the input completes its first output site
        end     the moment in which the last token has arrived
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
    """The activity of one node, in one frame or as the mean of several.

    Parameters
        tokens_in    active sites of one of its inputs; for the input node, of the frame
        tokens_out   active sites of its output
        taps         ``taps[j]`` output sites see j active input sites, j from 0 to kernel^2; ``()`` without a window
        waits        what those sites wait for; None without a window
    """

    tokens_in: float
    tokens_out: float
    taps: tuple[float, ...] = ()
    waits: Waits | None = None


def frame_activity(graph: Graph, mask: np.ndarray) -> dict[str, Activity]:
    """Each node's activity in one frame.

    Parameters
        graph      the network
        mask       active sites of the frame, bool ``[height, width]``
    """
    sites = walk(graph, mask)
    return site_activity(graph, sites, reference_times(graph, sites))


def site_activity(graph: Graph, sites: dict[str, NodeSites], times: Mapping[str, np.ndarray]) -> dict[str, Activity]:
    """Each node's activity in a frame whose sites are known.

    Parameters
        graph      the network
        sites      each node's sites, the result of ``walk``
        times      when each node's tokens leave, the result of ``reference_times`` or of a design
    """
    weights: dict[str, np.ndarray] = {}
    result: dict[str, Activity] = {}
    for node in graph.nodes:
        own = sites[node.name]
        taps, waits = (), None
        before = weights[node.inputs[0]] if node.inputs else np.ones(len(own.source))
        if node.window is not None:
            taps = _histogram(node.window, own.taps)
            waits = _waits(node.window, own, times[node.inputs[0]], before)
        weights[node.name] = node.work(own, before)
        result[node.name] = Activity(len(own.source), len(own.sites), taps, waits)
    return result


def _histogram(window: Window, taps: np.ndarray) -> tuple[float, ...]:
    return tuple(np.bincount(taps, minlength=window.taps + 1).tolist())


def _waits(window: Window, own: NodeSites, arrivals: np.ndarray, weights: np.ndarray) -> Waits:
    """What the sites of a window op wait for, in one frame.

    Parameters
        window     the op's window
        own        the op's sites
        arrivals   when each token arrives
        weights    what each token costs the producer
    """
    tokens, sites = len(own.source), len(own.sites)
    nothing = _histogram(window, own.taps[:0])
    if not sites:
        none = Stage(0.0, 0.0, nothing, 0.0, 0.0)
        return Waits(nothing, none, none, none, none)
    # the first token starts one token time before it arrives
    start = arrivals[0] - (arrivals[-1] - arrivals[0]) / max(1, tokens - 1)
    shares = (arrivals - start) / (arrivals[-1] - start) if tokens > 1 else np.ones(1)
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
    """Each node's mean activity over frames.

    Parameters
        graph      the network
        masks      active sites of the frames; None for the one dense frame, whose figures are whole numbers
    Raises         ValueError: there are no masks, or one has another shape than the input
    """
    if masks is None:
        return frame_activity(graph, np.ones(graph.input.shape[:2], dtype=bool))
    frames = [frame_activity(graph, np.asarray(mask, dtype=bool)) for mask in masks]
    if not frames:
        raise ValueError(f"graph {graph.name!r}: activity needs at least one mask")
    return mean_activity(frames)


def mean_activity(frames: Sequence[dict[str, Activity]]) -> dict[str, Activity]:
    """Each node's mean activity over frames.

    Parameters
        frames     each node's activity in each frame, at least one
    """
    return {name: _mean([frame[name] for frame in frames]) for name in frames[0]}


def with_activity(
    graph: Graph, masks: Sequence[np.ndarray], progress: Callable[[int, int], None] = lambda *_: None
) -> Graph:
    """The graph with the activity of a data set in its ``stats``.

    Each node gets an entry ``activity``: ``frames``, how many there were; ``density``, the mean fraction of active
    output sites; and an ``Activity`` for each of ``LOADS``. That of ``p99`` is the frame at the 99th percentile of this
    node's work. The input's entry also has a ``sample``: at most ``SAMPLE`` frames, evenly spread by their number of
    active sites.

    Parameters
        graph      the network; other statistics in it are kept
        masks      active sites of the frames, bool ``[height, width]`` each
        progress   called before each frame with its number and the number of frames
    Raises         ValueError: there are no masks, or one has another shape than the input
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
    spread = [ordered[(2 * n + 1) * len(ordered) // (2 * count)] for n in range(count)]
    stats[graph.input.name]["activity"]["sample"] = [np.packbits(mask).tobytes().hex() for mask in spread]
    return graph.replace(stats=stats)


def sample(graph: Graph) -> list[np.ndarray]:
    """The sample of frames in a graph's statistics, bool ``[height, width]`` each; the one frame of a dense graph.

    Parameters
        graph      a network from ``with_activity``, or a dense one
    """
    height, width, _ = graph.input.shape
    if not graph.input.sparse:
        return [np.ones((height, width), dtype=bool)]
    packed = [np.frombuffer(bytes.fromhex(text), dtype=np.uint8) for text in _entry(graph, graph.input)["sample"]]
    return [np.unpackbits(own, count=height * width).reshape(height, width).astype(bool) for own in packed]


def expected_activity(graph: Graph, load: Load = "mean") -> dict[str, Activity]:
    """Each node's activity for cost models: of the dense frame, or of a sparse graph's statistics.

    Parameters
        graph      a network from ``with_activity``, or a dense one
        load       which of ``LOADS`` to take of a sparse graph
    """
    if not graph.input.sparse:
        return activity(graph, None)
    if load not in LOADS:
        raise ValueError(f"load: {load!r} must be one of {', '.join(LOADS)}")
    return {node.name: _decoded(_entry(graph, node), load) for node in graph.nodes}


def check_stats(graph: Graph) -> None:
    """Raise a GraphError where the ``stats`` of a graph from a file are not as ``with_activity`` writes them.

    Parameters
        graph      the network
    """
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
            why = f"is no activity as models.ir.activity.with_activity leaves it: {type(error).__name__}: {error}"
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
    """The mean fraction of active sites at a node's output; 1 for a dense graph.

    Parameters
        graph      a network from ``with_activity``, or a dense one
        node       the node
    """
    return float(_entry(graph, node)["density"]) if graph.input.sparse else 1.0


def occupancy(figures: Activity) -> tuple[float, ...]:
    """The fraction of output sites that see j active input sites, j from 0; ``()`` without a window.

    Parameters
        figures    activity of the node
    """
    sites = sum(figures.taps)
    return tuple(taps / sites if sites else 0.0 for taps in figures.taps)


def _entry(graph: Graph, node: Node) -> dict[str, Any]:
    entry = graph.stats.get(node.name, {}).get("activity", {})
    if "waits" not in entry.get("mean", {}):
        why = "holds no activity; models.ir.activity.with_activity adds that of a data set"
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
    """The mean of one moment over frames.

    Parameters
        stages     the moment in each frame
        tokens     tokens of each frame, the weights of ``share``: the same share of a longer frame is a longer time
    """
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
