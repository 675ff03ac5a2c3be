"""Boards by name and from a file, and what is wrong with a description."""

from __future__ import annotations

from pathlib import Path

import pytest

from hw.boards.board import BOARDS, BoardError, board, load_board

OWN = """
name = "mine"
title = "A board of my own"
device = "ecp5-25k"
package = "CABGA256"
clock_pin = "P3"
clock_mhz = 50
rx_pin = "A1"
tx_pin = "A2"
led_pins = ["B1", "B2"]
program = "openocd -f mine.cfg {bitstream}"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "mine.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize("name", BOARDS)
def test_boards_are_known_by_their_names(name: str) -> None:
    assert board(name) is BOARDS[name]
    assert board(name).target.name == board(name).device


def test_a_board_of_one_s_own(tmp_path: Path) -> None:
    own = board(str(written(tmp_path, OWN)))
    assert (own.name, own.led_pins, own.leds_low, own.baud) == ("mine", ("B1", "B2"), False, 1_000_000)


def test_the_example_is_a_board() -> None:
    own = load_board(Path(__file__).resolve().parents[3] / "examples" / "own_board.toml")
    assert (own.name, own.target.family, own.led_pins) == ("upduino", "ice40", ())


def test_an_unknown_board_names_the_nearest() -> None:
    with pytest.raises(BoardError, match=r"unknown board 'ulx3s'; did you mean 'ulx3s-\d5f'\?"):
        board("ulx3s")


@pytest.mark.parametrize(
    "change, says",
    [
        (('device = "ecp5-25k"', 'device = "zu3eg"'), r"'device': 'zu3eg' must be one with an open place and route: "),
        (("clock_mhz = 50", "clock_mhz = true"), "'clock_mhz': True must be a number"),
        (("clock_mhz = 50", "clock_mhz = 0.5"), "'clock_mhz': 0.5 must be of 1 to 400"),
        (('rx_pin = "A1"', 'rx_pin = ""'), "'rx_pin': '' must be a text of one line that is not empty"),
        (('rx_pin = "A1"', 'rx_pin = "B2"'), "pin 'B2' is listed more than once"),
        (('["B1", "B2"]', '"B1"'), "'led_pins': 'B1' must be a list of pins"),
        (('rx_pin = "A1"', ""), r"missing field\(s\) rx_pin"),
        (('rx_pin = "A1"', 'rx_pin = "A1"\nrx = 3'), "unknown field 'rx' = 3; valid are name, title"),
        (('rx_pin = "A1"', 'rx_pin = "A1"\nbaud = 100'), "'baud': 100 must be an integer of 1200 to 12000000"),
        (('rx_pin = "A1"', 'rx_pin = "A1"\nspeed = 5'), "'speed': 5 must be 6, 7 or 8"),
        (('name = "mine"', "name ="), "cannot be read as a board"),
    ],
)
def test_a_wrong_description_names_file_field_and_value(tmp_path: Path, change: tuple[str, str], says: str) -> None:
    path = written(tmp_path, OWN.replace(*change))
    with pytest.raises(BoardError, match=says) as error:
        load_board(path)
    assert str(path) in str(error.value)
