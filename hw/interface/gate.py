"""The gate at the output: an answer leaves where its frame was good, and is dropped where it was bad."""

from __future__ import annotations

from amaranth.hdl import Module, Mux, Signal, Value, unsigned
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from hw.interface.axi_layout import AxiLayout, Form
from hw.streams.stream import BLOCK_DEPTH


class Gate(wiring.Component):
    """Stores the accelerator's answers and lets each leave once its frame is known to be good.

    An answer is stored until its ``end`` and its frame's verdict are there. Then it leaves at II 1, or is dropped where
    the frame was bad. The memory holds the beats of the largest answer, so every answer fits; while one leaves the next
    can come in. It is block memory from more than ``BLOCK_DEPTH`` beats on.

    ``drop`` discards all that is stored, also whole answers. Only an answer of which a beat is already offered still
    leaves whole: no beat that was offered is withdrawn, and no frame stays without its ``last``.

    Parameters
        layout     layout of the answers that leave
    Ports
        i          in, the accelerator's output, beats of ``layout.core``
        judged     in, high while the verdict on the oldest frame without an answer is known
        bad        in, that verdict: whether the frame was bad
        drop       in, high for the cycle in which the accelerator is reset
        o          out, the answers, beats of ``layout``
        done       out, high in the cycle in which an answer's ``end`` is taken; its verdict is used up
        left       out, high in the cycle in which the last beat of an answer leaves
        waits      out, high while a whole answer is stored or leaving
    Timing
        II         1 beat per cycle
        latency    2 cycles from ``end`` at ``i`` to the first beat of the answer at ``o``
    Reset          drops everything
    """

    def __init__(self, layout: AxiLayout) -> None:
        self.layout = layout
        self.depth = max(2, layout.most_beats)
        super().__init__(
            {
                "i": In(layout.core.signature),
                "judged": In(1),
                "bad": In(1),
                "drop": In(1),
                "o": Out(layout.signature),
                "done": Out(1),
                "left": Out(1),
                "waits": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        word = data.StructLayout({"bits": unsigned(self.layout.bits), "last": unsigned(1), "empty": unsigned(1)})
        attrs = {"ram_style": "block"} if self.depth > BLOCK_DEPTH else {}
        m.submodules.memory = store = memory.Memory(shape=word, depth=self.depth, init=[], attrs=attrs)
        write, read = store.write_port(), store.read_port()
        stores, put, good, take = (Signal(name=name) for name in ("stores", "put", "good", "take"))
        pending, whole, held = (Signal(range(self.depth + 1), name=name) for name in ("pending", "whole", "held"))
        head, start, after = (Signal(range(self.depth), name=name) for name in ("head", "start", "after"))

        # the beats of the answer that is coming in lie behind those of whole answers; a bad frame's are overwritten
        end = self.i.payload.end
        m.d.comb += [
            self.i.ready.eq(~self.drop & (~end | self.judged) & (~stores | (held != self.depth))),
            put.eq(self.i.valid & self.i.ready & stores),
            self.done.eq(self.i.valid & self.i.ready & end),
            good.eq(self.done & ~self.bad),
            after.eq(Mux(put, next_address(head, self.depth), head)),
            write.en.eq(put),
            write.addr.eq(head),
        ]
        self._word(m, write.data, stores)
        m.d.sync += [
            head.eq(Mux(self.drop | (self.done & self.bad), start, after)),
            pending.eq(Mux(self.drop | self.done, 0, pending + put)),
            held.eq(Mux(self.drop | (self.done & self.bad), whole, held + put) - take),
            whole.eq(whole + Mux(good, pending + put, 0) - take),
        ]
        with m.If(good):
            m.d.sync += start.eq(after)

        tail, shown, middle, moved = Signal(range(self.depth)), Signal(), Signal(), Signal()
        frames, stale = Signal(range(self.depth + 1)), Signal(range(self.depth + 1))
        own, dropping, leaving, gone = Signal(), Signal(), Signal(), Signal()
        m.d.comb += [
            dropping.eq((stale != 0) & ~own),
            leaving.eq(~dropping & (shown | middle)),
            moved.eq(shown & (self.o.ready | dropping)),
            gone.eq(moved & read.data.last),
            take.eq((whole != 0) & (~shown | moved)),
            read.en.eq(take),
            read.addr.eq(tail),
            self.o.valid.eq(shown & ~dropping),
            self.o.payload.data.eq(read.data.bits),
            self.o.payload.keep.eq(Mux(read.data.empty, 0, self.layout.keep_all)),
            self.o.payload.last.eq(read.data.last),
            self.left.eq(gone & ~dropping),
            self.waits.eq(frames != 0),
        ]
        m.d.sync += [
            shown.eq(take | (shown & ~moved)),
            frames.eq(frames + good - gone),
        ]
        with m.If(take):
            m.d.sync += tail.eq(next_address(tail, self.depth))
        with m.If(moved):
            m.d.sync += middle.eq(~read.data.last)
        with m.If(self.drop):
            # all but the answer that is leaving are stale
            m.d.sync += [stale.eq(frames - (leaving | gone)), own.eq(leaving & ~gone)]
        with m.Elif(gone):
            m.d.sync += [stale.eq(stale - dropping), own.eq(0)]
        return m

    def _word(self, m: Module, word: data.View, stores: Signal) -> None:
        """What is stored of the beat at ``i``, and whether anything is."""
        p = self.i.payload
        if self.layout.form is Form.TOKENS:
            m.d.comb += [word.bits.eq(Value.cast(p)), word.last.eq(p.end), stores.eq(1)]
            return
        count = Signal(range(self.layout.most_beats + 1))
        none = count == 0
        m.d.comb += [
            word.bits.eq(Value.cast(p.features)),
            word.empty.eq(p.end),
            word.last.eq(p.end | (count == self.layout.most_beats - 1)),
            stores.eq(~p.end | none),
        ]
        with m.If(self.drop | self.done):
            m.d.sync += count.eq(0)
        with m.Elif(self.i.valid & self.i.ready):
            m.d.sync += count.eq(count + 1)


def next_address(pointer: Signal, depth: int) -> Value:
    """The address after ``pointer`` in a ring buffer.

    Parameters
        pointer    an address below ``depth``
        depth      words of the buffer
    """
    return Mux(pointer == depth - 1, 0, pointer + 1)
