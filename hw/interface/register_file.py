"""The registers as hardware: an AXI4-Lite subordinate generated from the register table."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hw.interface.registers import ADDRESS_BITS, WRITABLE, Kind, Register

OKAY, SLVERR, DECERR = 0, 2, 3

AXI_LITE = {
    "awaddr": In(ADDRESS_BITS), "awprot": In(3), "awvalid": In(1), "awready": Out(1),
    "wdata": In(32), "wstrb": In(4), "wvalid": In(1), "wready": Out(1),
    "bresp": Out(2), "bvalid": Out(1), "bready": In(1),
    "araddr": In(ADDRESS_BITS), "arprot": In(3), "arvalid": In(1), "arready": Out(1),
    "rdata": Out(32), "rresp": Out(2), "rvalid": Out(1), "rready": In(1),
}  # fmt: skip
"""The signals of the bus."""


class RegisterFile(wiring.Component):
    """The registers of a design behind an AXI4-Lite bus.

    Each channel has one access at a time; reads and writes work at once. A write changes only the bytes whose strobe is
    set. The two lowest bits of an address are ignored. An address without a register is answered with DECERR, a write
    to a register that cannot be written with SLVERR.

    Parameters
        registers         the register table
    Ports
        bus_*             AXI4-Lite, the signals of ``AXI_LITE``
        <STATUS>          in, the bits that the register shows
        <COUNT>           in, high in each cycle that is to be counted
        <LATEST>          in, the value to store
        <LATEST>_valid    in, high in the cycle in which that value is stored
        <STICKY>          in, the bits to set
        <PULSE>           out, the bits that were written as 1, for one cycle after the write
        clear             in, sets every COUNT, LATEST and STICKY to 0
    Timing
        II                1 access in 1 cycle in each direction
        latency           1 cycle from address (and data) to the answer
    Reset                 sets all registers but the constants to 0
    """

    def __init__(self, registers: Sequence[Register]) -> None:
        self.registers = tuple(registers)
        ports = {f"bus_{name}": port for name, port in AXI_LITE.items()}
        for register in self.registers:
            match register.kind:
                case Kind.STATUS | Kind.STICKY:
                    ports[register.name] = In(len(register.fields))
                case Kind.COUNT:
                    ports[register.name] = In(1)
                case Kind.LATEST:
                    ports |= {register.name: In(register.bits), f"{register.name}_valid": In(1)}
                case Kind.PULSE:
                    ports[register.name] = Out(len(register.fields))
        super().__init__({**ports, "clear": In(1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        write, read = Signal(), Signal()
        m.d.comb += [
            write.eq(self.bus_awvalid & self.bus_wvalid & (~self.bus_bvalid | self.bus_bready)),
            self.bus_awready.eq(write),
            self.bus_wready.eq(write),
            read.eq(self.bus_arvalid & (~self.bus_rvalid | self.bus_rready)),
            self.bus_arready.eq(read),
        ]
        words: dict[int, Value] = {}
        writable = []
        for register in self.registers:
            place = register.offset >> 2
            parts = self._register(
                m, register, write & (self.bus_awaddr[2:] == place), read & (self.bus_araddr[2:] == place)
            )
            words |= {place + n: part for n, part in enumerate(parts)}
            writable += [place] * (register.kind in WRITABLE)
        with m.If(self.bus_bready):
            m.d.sync += self.bus_bvalid.eq(0)
        with m.If(write):
            m.d.sync += self.bus_bvalid.eq(1)
            with m.Switch(self.bus_awaddr[2:]):
                with m.Case(*writable):
                    m.d.sync += self.bus_bresp.eq(OKAY)
                with m.Case(*words):
                    m.d.sync += self.bus_bresp.eq(SLVERR)
                with m.Default():
                    m.d.sync += self.bus_bresp.eq(DECERR)
        with m.If(self.bus_rready):
            m.d.sync += self.bus_rvalid.eq(0)
        with m.If(read):
            m.d.sync += [self.bus_rvalid.eq(1), self.bus_rresp.eq(OKAY)]
            with m.Switch(self.bus_araddr[2:]):
                for place, word in words.items():
                    with m.Case(place):
                        m.d.sync += self.bus_rdata.eq(word)
                with m.Default():
                    m.d.sync += [self.bus_rdata.eq(0), self.bus_rresp.eq(DECERR)]
        return m

    def _register(self, m: Module, register: Register, write: Value, read: Value) -> list[Value]:
        """The 32-bit words through which one register is read."""
        if register.kind is Kind.CONSTANT:
            return [Const(register.value, 32)]
        if register.kind is Kind.STATUS:
            return [getattr(self, register.name)]
        strobes = Cat(bit.replicate(8) for bit in self.bus_wstrb)
        if register.kind is Kind.PULSE:
            pulse = getattr(self, register.name)
            m.d.sync += pulse.eq(Mux(write, self.bus_wdata & strobes, 0))
            return [Const(0, 32)]
        width = len(register.fields) or register.bits
        value = Signal(width, name=f"{register.name}_value")
        if register.kind is Kind.READ_WRITE:
            with m.If(write):
                m.d.sync += value.eq((self.bus_wdata & strobes) | (value & ~strobes))
            return [value]
        given = getattr(self, register.name)
        if register.kind is Kind.COUNT:
            m.d.sync += value.eq(value + given)
        elif register.kind is Kind.STICKY:
            m.d.sync += value.eq((value & ~Mux(write, self.bus_wdata & strobes, 0)[:width]) | given)
        else:
            with m.If(getattr(self, f"{register.name}_valid")):
                m.d.sync += value.eq(given)
        with m.If(self.clear):
            m.d.sync += value.eq(0)
        if width <= 32:
            return [value]
        upper = Signal(width - 32, name=f"{register.name}_upper")
        with m.If(read):
            m.d.sync += upper.eq(value[32:])
        return [value[:32], upper]
