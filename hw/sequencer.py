"""The sequencer: turns a site into steps, one a cycle, for the pipeline that does the sums.

A site takes ``groups`` rounds (of ``pe`` output channels each); a round takes its active taps one after
the other (``taps="serial"``), or all at once, and for each tap ``words`` words. Steps are issued only
when the output queue has room for what they will produce, so the pipeline behind never stops.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Module, Mux, Signal, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.layout import index_bits


@dataclass(frozen=True)
class Rounds:
    """How a site is cut into steps.

    ``groups`` rounds of ``words`` words, times the active taps where ``kernel`` is given (its taps are
    walked one by one). Each round produces ``beats`` output beats, one a cycle; with ``whole_frame`` the beats
    of all rounds come at the end of the frame instead.
    """

    groups: int
    words: int
    beats: int
    kernel: int | None = None
    whole_frame: bool = False

    def steps(self, taps: int) -> int:
        """Cycles of a round on a site with so many active taps; a site without any still takes one."""
        walked = max(taps, 1) if self.kernel else 1
        return walked * self.words if self.whole_frame else max(walked * self.words, self.beats)

    def cycles(self, taps: int) -> int:
        """Cycles of a site."""
        return self.groups * self.steps(taps)

    @property
    def end_cycles(self) -> int:
        """Cycles the close of a frame takes after its last site; 1 for an empty frame."""
        return 1 if self.whole_frame else self.beats

    @property
    def end_beats(self) -> int:
        """Beats that the close of a frame brings."""
        return self.groups * self.beats + 1 if self.whole_frame else 1

    @property
    def end_apart(self) -> int:
        """The fewest cycles from one ``end`` to the next: the beats of the first must be out."""
        return self.end_beats if self.whole_frame else 1


class Sequencer(wiring.Component):
    """In: ``site``, and ``room``, the free places of the output queue. Out: one ``step`` a cycle while ``valid``.

    ``first`` and ``last`` mark the steps of a round; ``end`` is a step of its own. ``reserve`` takes places
    of the queue: a round's beats at its first step, one for ``end`` (with ``whole_frame`` all at ``end``).
    ``done`` is high in the last step of a site. The next round's last step, and ``end``, come no sooner than
    the beats of the round before are out. II 1 step; latency 0: the first step is issued when the site shows.
    """

    def __init__(self, rounds: Rounds, site: data.StructLayout, depth: int) -> None:
        self.rounds = rounds
        kernel = rounds.kernel or 1
        places = {name: shape for name, shape in site if name not in ("release",)}
        if rounds.kernel:
            del places["mask"]
        fields = {
            **{name: field.shape for name, field in places.items()},
            "first": unsigned(1),
            "last": unsigned(1),
            "group": unsigned(index_bits(rounds.groups)),
            "word": unsigned(index_bits(rounds.words)),
            "tap_y": unsigned(index_bits(kernel)),
            "tap_x": unsigned(index_bits(kernel)),
        }
        self.step_layout = data.StructLayout(fields)
        super().__init__(
            {
                "site": In(stream.Signature(site)),
                "room": In(range(depth + 1)),
                "reserve": Out(range(depth + 1)),
                "step": Out(self.step_layout),
                "valid": Out(1),
                "done": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        r, site, step = self.rounds, self.site.payload, self.step
        group, word = Signal(index_bits(r.groups)), Signal(index_bits(r.words))
        busy_for = r.end_apart - 1 if r.whole_frame else r.beats - 1
        cooling = Signal(range(busy_for + 1))
        last_word, last_tap, first_tap = Signal(), Signal(init=1), Signal(init=1)
        go = Signal()

        for name in step.shape().members:
            if name in site.shape().members:
                m.d.comb += step[name].eq(site[name])
        if r.kernel:
            # what is left of the taps in this round; the site's own mask when it starts
            left, fresh = Signal(r.kernel**2), Signal(init=1)
            taps, rest = Signal(r.kernel**2), Signal(r.kernel**2)
            m.d.comb += [
                taps.eq(Mux(fresh, site.mask, left)),
                rest.eq(taps & (taps - 1)),
                last_tap.eq(rest == 0),
                first_tap.eq(fresh),
            ]
            for tap in reversed(range(r.kernel**2)):
                with m.If(taps[tap]):
                    m.d.comb += [step.tap_y.eq(tap // r.kernel), step.tap_x.eq(tap % r.kernel)]
            with m.If(self.valid & ~site.end & last_word):
                m.d.sync += [left.eq(rest), fresh.eq(last_tap)]
        else:
            m.d.comb += [last_tap.eq(1), first_tap.eq(1)]

        m.d.comb += [
            last_word.eq(word == r.words - 1),
            step.group.eq(group),
            step.word.eq(word),
            step.first.eq(~site.end & first_tap & (word == 0)),
            step.last.eq(~site.end & last_tap & last_word),
            step.end.eq(site.end),
        ]
        at_first = 0 if r.whole_frame else r.beats
        enough = Mux(site.end, self.room >= r.end_beats, ~step.first | (self.room >= at_first))
        produces = site.end if r.whole_frame else site.end | step.last
        cool = (cooling == 0) | ~produces
        m.d.comb += [
            go.eq(self.site.valid & enough & cool),
            self.valid.eq(go),
            self.done.eq(go & (site.end | (step.last & (group == r.groups - 1)))),
            self.site.ready.eq(self.done),
        ]
        with m.If(go):
            m.d.comb += self.reserve.eq(Mux(site.end, r.end_beats, Mux(step.first, at_first, 0)))
        with m.If(cooling != 0):
            m.d.sync += cooling.eq(cooling - 1)
        with m.If(go & ~site.end):
            m.d.sync += word.eq(Mux(last_word, 0, word + 1))
            with m.If(step.last):
                m.d.sync += group.eq(Mux(group == r.groups - 1, 0, group + 1))
        with m.If(go & (site.end if r.whole_frame else step.last)):
            m.d.sync += cooling.eq(busy_for)
        return m
