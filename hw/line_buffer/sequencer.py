"""The sequencer: turns each site into steps, one per cycle, for the pipeline that computes the sums.

A site takes ``neuron_folds`` folds, each for ``pe`` output channels. A fold goes over the active taps one by one, or
over all taps at once, and for each over ``synapse_folds`` words. A step is issued only when the output queue has room
for what it produces, so the pipeline behind the sequencer never stops.
"""

from __future__ import annotations

from dataclasses import dataclass

from amaranth.hdl import Cat, Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hw.streams.layout import index_bits
from hw.streams.stream import RegisterSlice


@dataclass(frozen=True)
class Folds:
    """How a site is split into steps.

    A site takes ``neuron_folds`` folds of ``synapse_folds`` steps each, times its active taps where there is a
    ``kernel``.

    Parameters
        neuron_folds     output-channel folds per site
        synapse_folds    input-channel folds per tap, one word each
        beats            output beats per output-channel fold, which leave one per cycle
        kernel           rows and columns of the kernel whose active taps are taken one by one; None where a step has
                         all taps
        may_be_empty     with ``kernel``, whether a site may have no active tap; its step then counts nothing
        whole_frame      whether the beats of all folds leave at the end of the frame, not after each fold
    """

    neuron_folds: int
    synapse_folds: int
    beats: int
    kernel: tuple[int, int] | None = None
    may_be_empty: bool = False
    whole_frame: bool = False

    def fold_cycles(self, taps: int) -> int:
        """Cycles of one output-channel fold.

        Where the beats leave after each fold, the fold takes at least as many cycles as it has beats.

        Parameters
            taps   active taps of the site; a site without one takes as long as a site with one
        """
        positions = max(taps, 1) if self.kernel else 1
        return positions * self.synapse_folds if self.whole_frame else max(positions * self.synapse_folds, self.beats)

    def cycles(self, taps: int) -> int:
        """Cycles of a site.

        Parameters
            taps   active taps of the site
        """
        return self.neuron_folds * self.fold_cycles(taps)

    @property
    def end_cycles(self) -> int:
        """Cycles that the end of a frame takes after its last site; 1 for an empty frame."""
        return 1 if self.whole_frame else self.beats

    @property
    def end_beats(self) -> int:
        """Output beats at the end of a frame."""
        return self.neuron_folds * self.beats + 1 if self.whole_frame else 1

    @property
    def end_interval(self) -> int:
        """The fewest cycles from one ``end`` to the next: the beats of the first must be out."""
        return self.end_beats if self.whole_frame else 1


class Sequencer(wiring.Component):
    """Accepts sites and issues their steps.

    Parameters
        folds    how a site is split into steps
        site     fields of a site; ``mask`` are its active taps
        depth    depth of the output queue
    Ports
        site       in, stream of sites
        open       in, high when the output queue has room for a fold, with ``whole_frame`` for all folds
        reserve    out, places of the output queue to reserve: a fold's beats at its first step and one for ``end``;
                   with ``whole_frame`` those of the whole frame at its ``end``
        step       out, the site's fields (``mask`` only where a step has all taps), the numbers of its fold ``group``,
                   ``word`` and tap ``tap_y``, ``tap_x``, with ``may_be_empty`` whether it has a tap, ``active``;
                   ``first`` and ``last`` mark the steps of a fold, ``final`` the last step of a site; ``end`` is a step
                   of its own
        valid      out, high when ``step`` is issued
        done       out, high when the final step of a site is issued
        begins     out, high when the first step of a site is next, and the step before it was issued or is issued now
        begun      out, the site of ``begins``
        idle       out, high when the last step was issued or is issued now, and there is no further site
    Timing
        II         1 step per cycle
        latency    2 cycles from a site to its first step; ``site.ready`` comes from a register
        ordering   a fold's last step, and ``end``, are issued only when the beats of the fold before have left
    Reset          drops the sites and the step
    """

    def __init__(self, folds: Folds, site: data.StructLayout, depth: int) -> None:
        self.folds = folds
        rows, columns = folds.kernel or (1, 1)
        site_fields = {name: field.shape for name, field in site if not (name == "mask" and folds.kernel)}
        flags = {name: unsigned(1) for name in ("first", "last", "final", *["active"] * folds.may_be_empty)}
        self.step_layout = data.StructLayout(
            {
                **site_fields,
                **flags,
                "group": unsigned(index_bits(folds.neuron_folds)),
                "word": unsigned(index_bits(folds.synapse_folds)),
                "tap_y": unsigned(index_bits(rows)),
                "tap_x": unsigned(index_bits(columns)),
            }
        )
        super().__init__(
            {
                "site": In(stream.Signature(site)),
                "open": In(1),
                "reserve": Out(range(depth + 1)),
                "step": Out(self.step_layout),
                "valid": Out(1),
                "done": Out(1),
                "begins": Out(1),
                "begun": Out(site),
                "idle": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        # tests find this signal by its name and count the cycles in which a step waits
        advance = Signal()
        finish = Signal()
        m.submodules.sites = sites = RegisterSlice(self.site.payload.shape())
        wiring.connect(m, wiring.flipped(self.site), sites.i)
        site, there = sites.o.payload, sites.o.valid
        m.d.comb += sites.o.ready.eq(finish)
        self._issue(m, advance, there)

        folds, step = self.folds, self.step
        group, word = Signal(index_bits(folds.neuron_folds)), Signal(index_bits(folds.synapse_folds))
        fresh, first = Signal(init=1), Signal(init=1)
        last_word, last_group, last_tap = Signal(), Signal(), Signal()
        last, final = Signal(), Signal()
        m.d.comb += [
            last_word.eq(word == folds.synapse_folds - 1),
            last_group.eq(group == folds.neuron_folds - 1),
            last.eq(~site.end & last_tap & last_word),
            final.eq(site.end | (last & last_group)),
            finish.eq(advance & there & final),
            self.begins.eq(advance & there & fresh),
            self.begun.eq(site),
            self.idle.eq(advance & ~there),
        ]
        with m.If(advance & there):
            m.d.sync += fresh.eq(final)
            with m.If(~site.end):
                m.d.sync += [first.eq(last), word.eq(Mux(last_word, 0, word + 1))]
                with m.If(last):
                    m.d.sync += group.eq(Mux(last_group, 0, group + 1))
        if folds.kernel:
            # active taps of this fold; taps: those not done, of which this step takes the first; rest: those after
            # it; left: the register of those not done
            rows, columns = folds.kernel
            left, taps, rest = (Signal(rows * columns, name=name) for name in ("left", "taps", "rest"))
            m.d.comb += [
                taps.eq(Mux(first, site.mask, left)),
                rest.eq(Cat(taps[n] & taps[:n].any() if n else 0 for n in range(len(taps)))),
                last_tap.eq(rest == 0),
            ]
            with m.If(advance & there & ~site.end):
                m.d.sync += left.eq(Mux(last_word, rest, taps))
            lowest = taps ^ rest
            positions = [divmod(tap, columns) for tap in range(rows * columns)]
            with m.If(advance):
                m.d.sync += step.tap_y.eq(_select(lowest, [y for y, _ in positions]))
                m.d.sync += step.tap_x.eq(_select(lowest, [x for _, x in positions]))
                if folds.may_be_empty:
                    m.d.sync += step.active.eq(site.mask.any())
        else:
            m.d.comb += last_tap.eq(1)
        with m.If(advance):
            m.d.sync += [step[name].eq(site[name]) for name in step.shape().members if name in site.shape().members]
            m.d.sync += [
                step.first.eq(~site.end & first),
                step.last.eq(last),
                step.final.eq(final),
                step.group.eq(group),
                step.word.eq(word),
            ]
        return m

    def _issue(self, m: Module, advance: Signal, there: Signal) -> None:
        """Issue the pending step when that is allowed; ``advance`` is high when the next step can replace it."""
        folds, step = self.folds, self.step
        held, needs, produces = Signal(), Signal(), Signal()
        cooldown_cycles = folds.end_interval - 1 if folds.whole_frame else folds.beats - 1
        cooling = Signal(range(cooldown_cycles + 1))
        m.d.comb += [
            needs.eq(step.end if folds.whole_frame else step.end | step.first),
            produces.eq(step.end if folds.whole_frame else step.end | step.last),
            self.valid.eq(held & (self.open | ~needs) & ((cooling == 0) | ~produces)),
            self.done.eq(self.valid & step.final),
            advance.eq(~held | self.valid),
        ]
        with m.If(advance):
            m.d.sync += held.eq(there)
        with m.If(self.valid & needs):
            m.d.comb += self.reserve.eq(Mux(step.end, folds.end_beats, folds.beats))
        with m.If(self.valid & (step.end if folds.whole_frame else step.last)):
            m.d.sync += cooling.eq(cooldown_cycles)
        with m.Elif(cooling != 0):
            m.d.sync += cooling.eq(cooling - 1)


def _select(one_hot: Value, numbers: list[int]) -> Value:
    """The entry of ``numbers`` whose bit in ``one_hot`` is set; 0 where no bit is set."""
    bits = range(max(numbers).bit_length())
    return Cat(Cat(one_hot[n] for n, number in enumerate(numbers) if number >> bit & 1).any() for bit in bits)
