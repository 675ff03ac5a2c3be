"""Compares the beats of the RTL with golden and names the first difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cosim.rtl.run import RtlRun
from cosim.rtl.trace import StreamTrace
from hw.streams.layout import TokenLayout, index_bits
from models.ir import golden
from models.ir.frame import Frame
from models.ir.graph import Graph

Edge = tuple[str, str, int]
"""(producer, consumer, index of the consumer's input), as in ``Graph.edges``."""


@dataclass(frozen=True)
class Mismatch:
    """The first difference on one stream.

    Parameters
        layer       the node that made the stream
        edge        port prefix of the stream
        frame       number of the frame
        kind        what is wrong, in words
        site        (y, x) of the token; None outside of a token
        channel     channel of the first wrong or missing feature; None where a whole token or ``end`` is wrong
        expected    golden's feature where a value is wrong, otherwise what is expected, in words
        got         the RTL's, likewise
        cycle       the cycle of the wrong beat; None where the beat is missing
    """

    layer: str
    edge: str
    frame: int
    kind: str
    site: tuple[int, int] | None
    channel: int | None
    expected: int | str
    got: int | str
    cycle: int | None

    def __str__(self) -> str:
        where = f"layer {self.layer}, stream {self.edge}, frame {self.frame}"
        if self.site is not None:
            where += f", site (y={self.site[0]}, x={self.site[1]})"
        if self.channel is not None:
            where += f", channel {self.channel}"
        when = f" in cycle {self.cycle}" if self.cycle is not None else ""
        return f"{where}: {self.kind}: got {self.got}{when}, expected {self.expected}"


@dataclass(frozen=True)
class Check:
    """The result of a comparison.

    Parameters
        frames        frames compared
        streams       port prefixes of the probed edges in the graph's order, then ``o``
        values        features compared on all streams
        mismatches    the first mismatch of each stream that has one, in the graph's order: the first is nearest to the
                      input
    """

    frames: int
    streams: tuple[str, ...]
    values: int
    mismatches: tuple[Mismatch, ...]

    @property
    def equal(self) -> bool:
        """Whether every beat is golden's."""
        return not self.mismatches

    def __str__(self) -> str:
        streams = "the output" if len(self.streams) == 1 else f"{len(self.streams)} streams"
        if self.equal:
            return f"{streams} of {self.frames} frames equal golden"
        return f"{len(self.mismatches)} of {streams} differ from golden; first: {self.mismatches[0]}"


def check(graph: Graph, frames: Sequence[Frame], run: RtlRun, edges: Mapping[str, Edge] | None = None) -> Check:
    """Compare the output of a run, and each probed edge, with golden.

    Parameters
        graph     the network
        frames    the frames that were played
        run       the RTL's beats
        edges     the graph edge of each probed stream, by port prefix
    """
    expected: dict[str, list[Frame]] = {node.name: [] for node in graph.nodes}
    for frame in frames:
        for name, result in golden.run(graph, frame).items():
            expected[name].append(result)
    order = {node.name: index for index, node in enumerate(graph.nodes)}
    streams = [(edge[0], prefix, run.edges[prefix]) for prefix, edge in (edges or {}).items()]
    streams = [*sorted(streams, key=lambda stream: order[stream[0]]), (graph.output, "o", run.output)]
    mismatches = [first_mismatch(layer, prefix, expected[layer], beats) for layer, prefix, beats in streams]
    return Check(
        len(frames),
        tuple(prefix for _, prefix, _ in streams),
        sum(frame.features.size for layer, _, _ in streams for frame in expected[layer]),
        tuple(mismatch for mismatch in mismatches if mismatch is not None),
    )


def first_mismatch(layer: str, edge: str, expected: Sequence[Frame], beats: StreamTrace) -> Mismatch | None:
    """The first beat of a stream of tokens that differs from what is expected; None where all beats agree.

    Parameters
        layer       the node that made the stream
        edge        port prefix of the stream
        expected    the frames that the stream must carry
        beats       the beats that moved
    """
    layout = beats.layout
    assert isinstance(layout, TokenLayout)
    position = 0
    for number, frame in enumerate(expected):
        golden_beats = layout.beats(frame)
        actual_beats = beats.payloads[position : position + len(golden_beats)]
        if actual_beats != golden_beats:
            offset = next(
                (k for k, pair in enumerate(zip(golden_beats, actual_beats, strict=False)) if pair[0] != pair[1]),
                len(actual_beats),
            )
            at = position + offset
            cycle = int(beats.cycles[at]) if at < len(beats.cycles) else None
            payload = actual_beats[offset] if offset < len(actual_beats) else None
            channel = offset % layout.beats_per_token * layout.lanes
            return Mismatch(layer, edge, number, *_explain(layout, golden_beats[offset], payload, channel), cycle)
        position += len(golden_beats)
    if position < len(beats.payloads):
        surplus = _Beat.of(layout, beats.payloads[position])
        cycle = int(beats.cycles[position])
        return Mismatch(layer, edge, len(expected), "surplus beat", surplus.site, None, "nothing", str(surplus), cycle)
    return None


@dataclass(frozen=True)
class _Beat:
    """The fields of a payload; ``site`` is None in an ``end`` beat."""

    site: tuple[int, int] | None
    codes: list[int]
    features: list[int]
    junk: bool

    @classmethod
    def of(cls, layout: TokenLayout, payload: int) -> _Beat:
        y_bits, x_bits = index_bits(layout.shape.height), index_bits(layout.shape.width)
        if payload & 1:
            return cls(None, [], [], junk=payload != 1)
        site = payload >> 1 & (1 << y_bits) - 1, payload >> 1 + y_bits & (1 << x_bits) - 1
        word, mask = payload >> 1 + y_bits + x_bits, (1 << layout.dtype.width) - 1
        codes = [word >> lane * layout.dtype.width & mask for lane in range(layout.lanes)]
        return cls(site, codes, layout.dtype.decode(np.array(codes)).tolist(), junk=False)

    def __str__(self) -> str:
        if self.site is None:
            return "end with fields that are not zero" if self.junk else "end"
        return f"a token at (y={self.site[0]}, x={self.site[1]}) with {self.features}"


def _explain(
    layout: TokenLayout, golden_payload: int, payload: int | None, channel: int
) -> tuple[str, tuple[int, int] | None, int | None, int | str, int | str]:
    """(kind, site, channel, expected, got) of two beats that differ; ``channel`` is the channel of lane 0."""
    expected = _Beat.of(layout, golden_payload)
    if payload is None:
        return "missing beat", expected.site, channel if expected.site else None, str(expected), "nothing more"
    actual = _Beat.of(layout, payload)
    if expected.site == actual.site and expected.site is not None:
        lane = next(k for k, pair in enumerate(zip(expected.codes, actual.codes, strict=True)) if pair[0] != pair[1])
        if expected.features[lane] == actual.features[lane]:
            return "wrong code", actual.site, channel + lane, f"{expected.codes[lane]:#x}", f"{actual.codes[lane]:#x}"
        return "wrong value", actual.site, channel + lane, expected.features[lane], actual.features[lane]
    if expected.site == actual.site:
        return "malformed end", None, None, str(expected), str(actual)
    if channel:
        return "token cut short", expected.site, channel, str(expected), str(actual)
    if expected.site is None or (actual.site is not None and actual.site < expected.site):
        return "extra token", actual.site, None, str(expected), str(actual)
    return "missing token", expected.site, None, str(expected), str(actual)
