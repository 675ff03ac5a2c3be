"""The register table, from which the hardware, the driver's manifest and the documents are generated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hw.interface.axi_layout import AxiLayout, Form
from hw.interface.rules import FAULTS

ADDRESS_BITS = 12
"""Address bits of the bus: 4 KiB, the smallest page that a processor can map by itself."""

IDENTITY = 0x4E575631
INTERFACE_VERSION = 0x0001_0000
FORMS = tuple(Form)
"""The forms of a stream; the place of each is its number in a register."""


class Kind(StrEnum):
    """What a register does.

    Values
        CONSTANT    reads as ``value``
        STATUS      reads as signals are in that cycle
        LATEST      stores the last value that the hardware gave it
        COUNT       counts cycles in which a signal is high, and wraps; one of 64 bits takes two words, and reading the
                    lower word stores the upper one of that moment, to be read next
        STICKY      bits that the hardware sets and that writing 1 clears
        PULSE       bits that act once when 1 is written; reads as 0
        READ_WRITE  reads as what was last written, for tests of the bus
    """

    CONSTANT = "constant"
    STATUS = "status"
    LATEST = "latest"
    COUNT = "count"
    STICKY = "sticky"
    PULSE = "pulse"
    READ_WRITE = "read_write"


WRITABLE = (Kind.STICKY, Kind.PULSE, Kind.READ_WRITE)


@dataclass(frozen=True)
class Field:
    """One named bit of a register.

    Parameters
        name    its name, lower case
        bit     its number, 0 the lowest
        text    what it means, in a phrase
    """

    name: str
    bit: int
    text: str


@dataclass(frozen=True)
class Register:
    """One register.

    Parameters
        name      its name, lower case
        offset    its address, in bytes
        kind      what it does
        text      what it means, in a phrase
        value     what a CONSTANT reads as
        bits      its width: 32, or 64 in two words
        fields    its named bits, of a STATUS, STICKY or PULSE
    """

    name: str
    offset: int
    kind: Kind
    text: str
    value: int = 0
    bits: int = 32
    fields: tuple[Field, ...] = ()

    @property
    def access(self) -> str:
        """How software uses it, in words."""
        special = {Kind.STICKY: "read, write 1 to clear", Kind.PULSE: "write 1 to act", Kind.READ_WRITE: "read, write"}
        return special.get(self.kind, "read")


CONTROL_FIELDS = (
    Field("soft_reset", 0, "drop every frame inside and begin anew, with every count at 0"),
    Field("clear", 1, "set every count to 0 and clear ERRORS"),
)
STATUS_FIELDS = (
    Field("open", 0, "a frame has begun at the input: its tlast is awaited"),
    Field("swallowing", 1, "the rest of a bad or reset frame is swallowed up to its tlast"),
    Field("computing", 2, "something of a frame is inside, and it has no answer yet"),
    Field("waiting", 3, "an answer is waiting to leave, or leaving"),
)


def register_map(build: str, input_layout: AxiLayout, output_layout: AxiLayout) -> tuple[Register, ...]:
    """Every register of a design, in the order of their addresses.

    Parameters
        build            SHA-256 of the accelerator's Verilog, in hexadecimal
        input_layout     layout of the input frames
        output_layout    layout of the output frames
    """
    registers: list[Register] = []

    def add(name: str, kind: Kind, text: str, value: int = 0, bits: int = 32, fields: Sequence[Field] = ()) -> None:
        offset = registers[-1].offset + registers[-1].bits // 8 if registers else 0
        registers.append(Register(name, offset, kind, text, value, bits, tuple(fields)))

    add("identity", Kind.CONSTANT, "what this is: always this value", IDENTITY)
    add(
        "version",
        Kind.CONSTANT,
        "of these registers and streams: the upper half changes where programs must",
        INTERFACE_VERSION,
    )
    add("build_low", Kind.CONSTANT, "bits 31 to 0 of the design's build hash", int(build[8:16], 16))
    add("build_high", Kind.CONSTANT, "bits 63 to 32 of the design's build hash", int(build[:8], 16))
    add("control", Kind.PULSE, "what to do once", fields=CONTROL_FIELDS)
    add("status", Kind.STATUS, "what is going on", fields=STATUS_FIELDS)
    faults = [Field(fault.name.lower(), fault, text) for fault, text in FAULTS.items()]
    add("errors", Kind.STICKY, "kinds of bad frames since they were last cleared", fields=faults)
    add("scratch", Kind.READ_WRITE, "holds what was written, for tests of the bus")
    add("frames_in", Kind.COUNT, "frames closed at the input, good and bad")
    add("frames_out", Kind.COUNT, "answers that have left")
    add("frames_bad", Kind.COUNT, "bad frames, whose answers are dropped")
    add(
        "last_cycles",
        Kind.LATEST,
        "cycles of the last answered frame: from its first beat in to its answer being whole",
    )
    add("busy_cycles", Kind.COUNT, "cycles with a frame or an answer inside; the upper word after the lower", bits=64)
    for fault, text in FAULTS.items():
        add(f"error_{fault.name.lower()}", Kind.COUNT, f"bad frames: {text}")
    for end, layout in (("in", input_layout), ("out", output_layout)):
        tokens = layout.tokens
        add(f"{end}_form", Kind.CONSTANT, "0 tokens, 1 mask, 2 pixels", FORMS.index(layout.form))
        add(f"{end}_height", Kind.CONSTANT, "rows of a frame", tokens.shape.height)
        add(f"{end}_width", Kind.CONSTANT, "sites of a row", tokens.shape.width)
        add(f"{end}_channels", Kind.CONSTANT, "features of a site", tokens.shape.channels)
        add(f"{end}_bits", Kind.CONSTANT, "bits of a feature", tokens.dtype.width)
        add(f"{end}_lanes", Kind.CONSTANT, "features of a beat", tokens.lanes)
        add(f"{end}_bytes", Kind.CONSTANT, "bytes of a beat", layout.bytes)
    return tuple(registers)


def offsets(registers: Sequence[Register]) -> dict[str, int]:
    """The address of each register, in bytes, by name.

    Parameters
        registers    the register table
    """
    return {register.name: register.offset for register in registers}


def markdown(registers: Sequence[Register], input_layout: AxiLayout, output_layout: AxiLayout) -> str:
    """The register map for people, in Markdown, with the layouts of the streams.

    Parameters
        registers        the register table
        input_layout     layout of the input frames
        output_layout    layout of the output frames
    """
    lines = [
        "# Registers and streams",
        "",
        "Registers are 32-bit words behind `s_axi`; counts wrap. An address that is",
        "none of these answers DECERR, a write to one that is only read SLVERR.",
        "",
        "| offset | name | access | what | value |",
        "|---|---|---|---|---|",
    ]
    for register in registers:
        value = f"`0x{register.value:08X}`" if register.kind is Kind.CONSTANT else ""
        lines.append(
            f"| `0x{register.offset:03X}` | {register.name.upper()} | {register.access} | {register.text} | {value} |"
        )
    for register in registers:
        if register.fields:
            lines += ["", f"## {register.name.upper()}", "", "| bit | name | what |", "|---|---|---|"]
            lines += [f"| {field.bit} | {field.name} | {field.text} |" for field in register.fields]
    for port, layout in (("s_axis", input_layout), ("m_axis", output_layout)):
        lines += ["", f"## {port}", "", _stream_text(layout), "", "| bits of tdata | field |", "|---|---|"]
        lines += [
            f"| {first + width - 1} to {first} | {name} |" for name, (first, width) in beat_fields(layout).items()
        ]
    return "\n".join(lines) + "\n"


def beat_fields(layout: AxiLayout) -> dict[str, tuple[int, int]]:
    """The fields of a beat's ``tdata`` by name: (lowest bit, bits). A mask's word and features both start at bit 0.

    Parameters
        layout    the AXI4-Stream
    """
    tokens = layout.tokens
    features = tokens.lanes * tokens.dtype.width
    if layout.form is Form.TOKENS:
        return {str(name): (field.offset, field.width) for name, field in tokens.struct}
    return {**({"mask": (0, layout.bits)} if layout.form is Form.MASK else {}), "features": (0, features)}


def _stream_text(layout: AxiLayout) -> str:
    tokens = layout.tokens
    what = {
        Form.TOKENS: "tokens; the last beat has `end` and `tlast`, an empty frame is that beat alone",
        Form.MASK: f"{getattr(layout.core, 'words', 0)} words of mask, then features; an empty frame is its mask alone",
        Form.PIXELS: "features of every site in raster order; an empty frame is a beat with `tkeep` 0",
    }[layout.form]
    return (
        f"Frames of {tokens.shape} {tokens.dtype}, {tokens.lanes} a beat of {layout.bytes} bytes, at most "
        f"{layout.most_beats} beats: {what}."
    )


def c_header(registers: Sequence[Register]) -> str:
    """The register map as a C header.

    Parameters
        registers    the register table
    """
    lines = [
        "/* Registers of a netweave accelerator: byte offsets, values of constants, masks of fields. */",
        "#ifndef NETWEAVE_H",
        "#define NETWEAVE_H",
        "",
    ]
    for register in registers:
        name = register.name.upper()
        lines.append(f"#define NETWEAVE_{name} 0x{register.offset:03X}u /* {register.access}: {register.text} */")
        if register.kind is Kind.CONSTANT:
            lines.append(f"#define NETWEAVE_{name}_VALUE 0x{register.value:08X}u")
        lines += [
            f"#define NETWEAVE_{name}_{field.name.upper()} 0x{1 << field.bit:08X}u /* {field.text} */"
            for field in register.fields
        ]
    return "\n".join([*lines, "", "#endif", ""])


def manifest_entry(
    registers: Sequence[Register], input_layout: AxiLayout, output_layout: AxiLayout
) -> dict[str, object]:
    """What a driver must know of a design, as JSON values: the manifest's ``axi``.

    Parameters
        registers        the register table
        input_layout     layout of the input frames
        output_layout    layout of the output frames
    """
    return {
        "version": INTERFACE_VERSION,
        "registers": offsets(registers),
        "constants": {register.name: register.value for register in registers if register.kind is Kind.CONSTANT},
        "control": {field.name: 1 << field.bit for field in CONTROL_FIELDS},
        "status": {field.name: 1 << field.bit for field in STATUS_FIELDS},
        "errors": {fault.name.lower(): text for fault, text in FAULTS.items()},
        "input": _stream_entry(input_layout),
        "output": _stream_entry(output_layout),
    }


def _stream_entry(layout: AxiLayout) -> dict[str, object]:
    tokens = layout.tokens
    values = tokens.dtype.decode(np.arange(1 << tokens.dtype.width)).tolist() if tokens.dtype.width <= 8 else None
    return {
        "form": str(layout.form),
        "shape": list(tokens.shape),
        "dtype": str(tokens.dtype),
        "lanes": tokens.lanes,
        "bytes": layout.bytes,
        "most_beats": layout.most_beats,
        "fields": {name: list(place) for name, place in beat_fields(layout).items()},
        "values": values,
    }
