"""The accelerator behind AXI: AXI4-Stream in and out, AXI4-Lite registers, and nothing that bad input can break."""

from __future__ import annotations

from amaranth.hdl import Cat, ClockDomain, ClockSignal, Instance, Module, ResetInserter, ResetSignal, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.interface.axi_layout import AxiLayout
from hw.interface.checker import TIME_BITS, VERDICT, FrameChecker
from hw.interface.gate import Gate
from hw.interface.register_file import AXI_LITE, RegisterFile
from hw.interface.registers import Register
from hw.interface.rules import Fault
from hw.streams.stream import Queue

FRAMES_INSIDE = 16
"""The most frames in the accelerator at once."""

BEATS_WAITING = 2
"""Places of the queue before the checker, so that ``s_axis_tready`` comes from a register and input flows at II 1."""


class VerilogCore(wiring.Component):
    """The accelerator as a module of its own Verilog file.

    Parameters
        name             name of the Verilog module
        input_layout     layout of the input frames
        output_layout    layout of the output frames
    Ports
        i                in, beats of ``input_layout.core``
        o                out, beats of ``output_layout.core``
        reset            in, resets the module while it is high
    Timing               that of the module
    Reset                resets the module, which drops everything
    """

    def __init__(self, name: str, input_layout: AxiLayout, output_layout: AxiLayout) -> None:
        self.name = name
        super().__init__({"i": In(input_layout.core.signature), "o": Out(output_layout.core.signature), "reset": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        payload = Signal(Value.cast(self.o.payload).shape())
        m.submodules.core = Instance(
            self.name,
            i_clk=ClockSignal(),
            i_rst=ResetSignal() | self.reset,
            i_i__payload=Value.cast(self.i.payload),
            i_i__valid=self.i.valid,
            o_i__ready=self.i.ready,
            o_o__payload=payload,
            o_o__valid=self.o.valid,
            i_o__ready=self.o.ready,
        )
        m.d.comb += Value.cast(self.o.payload).eq(payload)
        return m


class ResettableCore(wiring.Component):
    """The accelerator as an Amaranth component with the ports of ``VerilogCore``, for simulation in Amaranth.

    Parameters
        accelerator    component with streams ``i`` and ``o``
    Ports
        i              in, the accelerator's input
        o              out, the accelerator's output
        reset          in, resets the accelerator while it is high
    Timing             that of the accelerator
    Reset              resets the accelerator, which drops everything
    """

    def __init__(self, accelerator: wiring.Component) -> None:
        self.accelerator = accelerator
        ports = accelerator.signature.members
        super().__init__({"i": ports["i"], "o": ports["o"], "reset": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        inner = self.accelerator
        m.submodules.accelerator = ResetInserter(self.reset)(inner)
        wiring.connect(m, wiring.flipped(self.i), inner.i)
        wiring.connect(m, inner.o, wiring.flipped(self.o))
        return m


class AxiAccelerator(wiring.Component):
    """An accelerator with the ports of a block design: AXI4-Stream in and out, AXI4-Lite registers.

    ::

        s_axis -> queue -> checker -> core -> gate -> m_axis
                              |  verdicts ---->|
                           registers (s_axi) <-'

    Answers leave in the order of their frames. A bad frame gets no answer. It costs at most the cycles of its own beats
    and of the beats that a legal frame still lacks. At most ``FRAMES_INSIDE`` frames are in the core at once.

    A soft reset drops every frame inside. The streams stay legal: an answer whose first beat is already offered leaves
    whole, and the rest of a frame that was coming in is swallowed up to its ``tlast`` and not counted.

    Parameters
        input_layout     layout of the frames at ``s_axis``
        output_layout    layout of the frames at ``m_axis``
        dense_only       True where the core takes only frames with every site active, and empty ones
        registers        the registers that ``register_map`` returns
        core             component with streams ``i`` and ``o`` and an input ``reset``, such as ``VerilogCore``
    Ports
        aclk             in, the only clock
        aresetn          in, reset, active low, synchronous to ``aclk``
        s_axis_*         in, frames of ``input_layout``
        m_axis_*         out, the answers, frames of ``output_layout``
        s_axi_*          in, AXI4-Lite bus of the registers
    Timing
        II               that of the core
        latency          1 cycle before the core; 2 cycles from the end of an answer at the core to its first beat at
                         ``m_axis``
    Reset                drops everything
    """

    def __init__(
        self,
        input_layout: AxiLayout,
        output_layout: AxiLayout,
        dense_only: bool,
        registers: tuple[Register, ...],
        core: wiring.Component,
    ) -> None:
        self.input_layout, self.output_layout, self.dense_only = input_layout, output_layout, dense_only
        self.registers, self.core = registers, core
        streams = {}
        for port, layout, forward, back in (("s_axis", input_layout, In, Out), ("m_axis", output_layout, Out, In)):
            streams |= {
                f"{port}_tdata": forward(8 * layout.bytes),
                f"{port}_tkeep": forward(layout.bytes),
                f"{port}_tlast": forward(1),
                f"{port}_tvalid": forward(1),
                f"{port}_tready": back(1),
            }
        bus = {f"s_axi_{name}": port for name, port in AXI_LITE.items()}
        super().__init__({"aclk": In(1), "aresetn": In(1, init=1), **streams, **bus})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.domains.sync = clock = ClockDomain("sync")
        clock.clk = self.aclk
        m.d.comb += ResetSignal().eq(~self.aresetn)
        m.submodules.registers = registers = RegisterFile(self.registers)
        m.submodules.core = core = self.core
        checker, gate = FrameChecker(self.input_layout, self.dense_only), Gate(self.output_layout)
        waiting, verdicts = Queue(self.input_layout.struct, BEATS_WAITING), Queue(VERDICT, FRAMES_INSIDE)
        m.submodules.gate = gate

        # a soft reset lasts a cycle; in the next one `cut` drops the rest of an open frame; neither cycle takes a beat
        soft, soft_before, open_, cut, now = Signal(), Signal(), Signal(), Signal(), Signal(TIME_BITS)
        m.d.comb += [
            soft.eq(registers.control[0]),
            cut.eq(soft_before & open_),
            core.reset.eq(soft),
            gate.drop.eq(soft),
        ]
        m.d.sync += [soft_before.eq(soft), now.eq(now + 1)]
        for name, part in {"waiting": waiting, "checker": checker, "verdicts": verdicts}.items():
            m.submodules[name] = ResetInserter(soft)(part)

        resetting = soft | soft_before
        m.d.comb += [
            self.s_axis_tready.eq(waiting.i.ready & ~resetting),
            waiting.i.valid.eq(self.s_axis_tvalid & ~resetting),
            waiting.i.payload.data.eq(self.s_axis_tdata),
            waiting.i.payload.keep.eq(self.s_axis_tkeep),
            waiting.i.payload.last.eq(self.s_axis_tlast),
        ]
        with m.If(self.s_axis_tvalid & self.s_axis_tready):
            m.d.sync += open_.eq(~self.s_axis_tlast)
        wiring.connect(m, waiting.o, checker.i)
        wiring.connect(m, checker.o, core.i)
        wiring.connect(m, core.o, gate.i)
        m.d.comb += [
            checker.now.eq(now),
            checker.cut.eq(cut),
            checker.room.eq(verdicts.i.ready),
            verdicts.i.valid.eq(checker.closed),
            verdicts.i.payload.eq(checker.verdict),
            gate.judged.eq(verdicts.o.valid),
            gate.bad.eq(verdicts.o.payload.bad),
            verdicts.o.ready.eq(gate.done),
            self.m_axis_tvalid.eq(gate.o.valid),
            gate.o.ready.eq(self.m_axis_tready),
            self.m_axis_tdata.eq(gate.o.payload.data),
            self.m_axis_tkeep.eq(gate.o.payload.keep),
            self.m_axis_tlast.eq(gate.o.payload.last),
        ]

        for name, port in AXI_LITE.items():
            inner, outer = getattr(registers, f"bus_{name}"), getattr(self, f"s_axi_{name}")
            m.d.comb += inner.eq(outer) if port.flow is In else outer.eq(inner)
        computing = waiting.o.valid | checker.inside | verdicts.o.valid
        m.d.comb += [
            registers.clear.eq(soft | registers.control[1]),
            registers.status.eq(Cat(open_, checker.swallowing, computing, gate.waits)),
            registers.errors.eq(checker.fault),
            registers.frames_in.eq(checker.closed),
            registers.frames_out.eq(gate.left),
            registers.frames_bad.eq(checker.closed & checker.verdict.bad),
            registers.last_cycles_valid.eq(gate.done & ~verdicts.o.payload.bad),
            registers.last_cycles.eq(now - verdicts.o.payload.start),
            registers.busy_cycles.eq(computing | gate.waits),
        ]
        for fault in Fault:
            m.d.comb += getattr(registers, f"error_{fault.name.lower()}").eq(checker.fault[fault])
        return m
