"""The boards a bitstream can be made for: device, pins and oscillator of each.

The figures are the ones that matter to the accelerator's way in and out: a clock, a serial line, a few LEDs.
Your own board is a TOML file with the same fields.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hw.device import DEVICES, Device
from models.ir.names import NAME_RULE, did_you_mean, is_name

FAMILIES = ("ecp5", "ice40", "gowin")
"""Device families with an open place and route."""


class BoardError(ValueError):
    """A board that does not exist or is described wrongly; the message names field, value and what is valid."""


@dataclass(frozen=True, kw_only=True)
class Board:
    """One board.

    ``device``: its FPGA, one of ``hw.device``. ``package``: as nextpnr names it; of Gowin the whole part number.
    ``speed``: the speed grade of an ECP5. ``clock_pin``, ``clock_mhz``: where its oscillator comes in, and how fast.
    ``rx_pin``, ``tx_pin``: the serial line as the FPGA sees it; ``baud``: its speed. ``led_pins``: LEDs, any number;
    ``leds_low``: they light when driven low. ``high_pins``: pins that must be driven high. ``io_standard``: of all
    pins, "" for the family's default. ``program``: the command that loads a bitstream, with ``{bitstream}`` for its
    file. ``note``: what a person has to do to the board first.
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
            if not isinstance(value, str) or (field in texts and not value):
                raise self._error(field, "a text that is not empty" if field in texts else "a text")
        for field in ("led_pins", "high_pins"):
            value = getattr(self, field)
            if not isinstance(value, tuple) or not all(isinstance(pin, str) and pin for pin in value):
                raise self._error(field, "a list of pins, each a text")
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
        routable = [name for name, device in DEVICES.items() if device.family in FAMILIES]
        if self.device not in routable:
            raise self._error("device", f"one with an open place and route: {', '.join(routable)}")
        pins = [self.clock_pin, self.rx_pin, self.tx_pin, *self.led_pins, *self.high_pins]
        twice = sorted({pin for pin in pins if pins.count(pin) > 1})
        if twice:
            raise BoardError(f"board {self.name!r}: pin {twice[0]!r} is given two things to do")

    @property
    def target(self) -> Device:
        return DEVICES[self.device]

    def _error(self, field: str, valid: str) -> BoardError:
        return BoardError(f"board {self.name!r}, field {field!r}: {getattr(self, field)!r} must be {valid}")


def _ulx3s(size: str) -> Board:
    return Board(
        name=f"ulx3s-{size}f", title=f"Radiona ULX3S with LFE5U-{size}F", device=f"ecp5-{size}k",
        package="CABGA381", speed=6, clock_pin="G2", clock_mhz=25, rx_pin="M1", tx_pin="L4",
        led_pins=("B2", "C2", "C1", "D2"), io_standard="LVCMOS33", program="openFPGALoader -b ulx3s {bitstream}",
        # wifi_gpio0: low, the ESP32 on the board would take over the FPGA's configuration
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
    )
}  # fmt: skip


def board(name: str) -> Board:
    """The board called ``name``, or the one described by the TOML file ``name`` points to."""
    if name.endswith(".toml"):
        return load_board(Path(name))
    if name not in BOARDS:
        raise BoardError(f"unknown board {name!r}; {did_you_mean(name, BOARDS)}, or the path of a .toml file")
    return BOARDS[name]


def load_board(path: Path) -> Board:
    """The board described by a TOML file whose keys are the fields of ``Board``."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise BoardError(f"{path}: cannot be read as a board: {error}") from error
    fields = {field.name: field.default is dataclasses.MISSING for field in dataclasses.fields(Board)}
    for key, value in table.items():
        if key not in fields:
            raise BoardError(f"{path}: unknown field {key!r} = {value!r}; valid are {', '.join(fields)}")
    missing = [field for field, needed in fields.items() if needed and field not in table]
    if missing:
        raise BoardError(f"{path}: missing field(s) {', '.join(missing)}")
    values: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in table.items()}
    try:
        return Board(**values)
    except BoardError as error:
        raise BoardError(f"{path}: {error}") from error
