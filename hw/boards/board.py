"""The boards a bitstream can be made for: device, pins and oscillator of each.

A board is described by what the accelerator needs to be reached: a clock, a serial line, a few LEDs. Your own board is
a TOML file with the fields of ``Board``.
"""

from __future__ import annotations

import dataclasses
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.fpga.device import Device
from hw.fpga.families.registry import DEVICES
from hw.tools.toolchains.registry import ROUTABLE, TOOLCHAINS
from hw.tools.toolchains.toolchain import Toolchain
from models.ir.files import read_toml
from models.ir.names import NAME_RULE, did_you_mean, is_name

_WORD = re.compile(r"[A-Za-z0-9_./-]+")


class BoardError(ValueError):
    """A board that does not exist or is described wrongly; the message names field, value and what is valid."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board.

    Parameters
        name           its name on the command line
        title          its name for people
        device         its FPGA, a name in ``hw.fpga.device``
        package        the FPGA's package as nextpnr names it
        clock_pin      pin of the oscillator
        clock_mhz      frequency of the oscillator, 1 to 400
        rx_pin         serial line into the FPGA
        tx_pin         serial line out of the FPGA
        program        command that loads a bitstream, with ``{bitstream}`` for its file
        speed          speed grade of an ECP5: 6, 7 or 8
        baud           bits per second of the serial line, 1200 to 12000000
        led_pins       pins of LEDs, any number
        leds_low       True where the LEDs light when driven low
        high_pins      pins that must be driven high
        io_standard    I/O standard of all pins; "" for the family's default
        note           what a person has to do to the board first
    Raises             BoardError: a field with a value that is not valid, or a pin listed twice
    """

    name: str
    title: str
    device: str
    package: str
    clock_pin: str
    clock_mhz: float
    rx_pin: str
    tx_pin: str
    program: str
    speed: int = 6
    baud: int = 1_000_000
    led_pins: tuple[str, ...] = ()
    leds_low: bool = False
    high_pins: tuple[str, ...] = ()
    io_standard: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not is_name(self.name):
            raise self._error("name", NAME_RULE)
        texts = ("title", "device", "package", "clock_pin", "rx_pin", "tx_pin", "program")
        for field in (*texts, "io_standard", "note"):
            value = getattr(self, field)
            if not isinstance(value, str) or not value.isprintable() or (field in texts and not value):
                raise self._error(field, f"a text of one line{' that is not empty' if field in texts else ''}")
        for field in ("led_pins", "high_pins"):
            value = getattr(self, field)
            if not isinstance(value, tuple) or not all(isinstance(pin, str) and _WORD.fullmatch(pin) for pin in value):
                raise self._error(field, "a list of pins, each a text of letters, digits, '_', '.', '/' and '-'")
        for field in ("package", "clock_pin", "rx_pin", "tx_pin", "io_standard"):
            value = getattr(self, field)
            if value and not _WORD.fullmatch(value):
                raise self._error(field, "of letters, digits, '_', '.', '/' and '-'")
        if re.findall(r"\{[^}]*\}?|\}", self.program) != ["{bitstream}"]:
            raise self._error("program", "a command with '{bitstream}' once, for its file, and no other braces")
        if not isinstance(self.leds_low, bool):
            raise self._error("leds_low", "true or false")
        if type(self.speed) is not int or self.speed not in (6, 7, 8):
            raise self._error("speed", "6, 7 or 8")
        if type(self.baud) is not int or not 1200 <= self.baud <= 12_000_000:
            raise self._error("baud", "an integer of 1200 to 12000000")
        if isinstance(self.clock_mhz, bool) or not isinstance(self.clock_mhz, int | float):
            raise self._error("clock_mhz", "a number")
        if not 1 <= self.clock_mhz <= 400:
            raise self._error("clock_mhz", "of 1 to 400")
        if self.device not in ROUTABLE:
            raise self._error("device", f"one with an open place and route: {', '.join(ROUTABLE)}")
        pins = [self.clock_pin, self.rx_pin, self.tx_pin, *self.led_pins, *self.high_pins]
        duplicates = sorted({pin for pin in pins if pins.count(pin) > 1})
        if duplicates:
            raise BoardError(f"board {self.name!r}: pin {duplicates[0]!r} is listed more than once")

    @property
    def toolchain(self) -> Toolchain:
        """The open toolchain of the FPGA on it."""
        return TOOLCHAINS[self.target.family]

    @property
    def target(self) -> Device:
        """The FPGA on it."""
        return DEVICES[self.device]

    def _error(self, field: str, valid: str) -> BoardError:
        return BoardError(f"board {self.name!r}, field {field!r}: {getattr(self, field)!r} must be {valid}")


def _ulx3s(size: str) -> Board:
    return Board(
        name=f"ulx3s-{size}f", title=f"Radiona ULX3S with LFE5U-{size}F", device=f"ecp5-{size}k",
        package="CABGA381", speed=6, clock_pin="G2", clock_mhz=25, rx_pin="M1", tx_pin="L4",
        led_pins=("B2", "C2", "C1", "D2"), io_standard="LVCMOS33", program="openFPGALoader -b ulx3s {bitstream}",
        # wifi_gpio0: when it is low, the ESP32 on the board takes over the FPGA's configuration
        high_pins=("L2",),
    )  # fmt: skip


BOARDS: dict[str, Board] = {
    board.name: board
    for board in (
        _ulx3s("85"),
        _ulx3s("25"),
        Board(
            name="icebreaker", title="1BitSquared iCEBreaker", device="ice40up5k", package="sg48",
            clock_pin="35", clock_mhz=12, rx_pin="6", tx_pin="9", led_pins=("37", "11"), leds_low=True,
            program="iceprog {bitstream}",
        ),
        Board(
            name="tang-primer-20k", title="Sipeed Tang Primer 20K with Dock", device="gw2a-18",
            package="GW2A-LV18PG256C8/I7", clock_pin="H11", clock_mhz=27, rx_pin="T13", tx_pin="M11",
            io_standard="LVCMOS33", program="openFPGALoader -b tangprimer20k {bitstream}",
        ),
    )
}  # fmt: skip


def board(name: str) -> Board:
    """The board of this name, or the one that a TOML file describes.

    Parameters
        name    a name in ``BOARDS``, or the path of a ``.toml`` file
    Raises      BoardError: no such board, or a file that does not describe one
    """
    if name.endswith(".toml"):
        return load_board(Path(name))
    if name not in BOARDS:
        raise BoardError(f"unknown board {name!r}; {did_you_mean(name, BOARDS)}, or the path of a .toml file")
    return BOARDS[name]


def load_board(path: Path) -> Board:
    """The board that a TOML file describes.

    Parameters
        path    the file; its keys are the fields of ``Board``
    Raises      BoardError: a file that cannot be read, an unknown or missing field, or a value that is not valid
    """
    try:
        table = read_toml(path)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BoardError(f"{path}: cannot be read as a board: {error}") from error
    fields = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(Board)}
    for key, value in table.items():
        if key not in fields:
            raise BoardError(f"{path}: unknown field {key!r} = {value!r}; valid are {', '.join(fields)}")
    missing = [field for field, required in fields.items() if required and field not in table]
    if missing:
        raise BoardError(f"{path}: missing field(s) {', '.join(missing)}")
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}
    try:
        return Board(**values)
    except BoardError as error:
        raise BoardError(f"{path}: {error}") from error
