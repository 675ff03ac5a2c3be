"""Files of one's own devices and boards: every field, and what is no such file."""

from __future__ import annotations

import re

from tests.netweave.bad_inputs.support import DEEP, DEVICE, ROOT, Break, Command, folder, raw, rows_of, text

BIG = 2**70


def changed(example: str, lines: str) -> str:
    """A file of examples/ with these lines in place of those of the same fields, or behind it."""
    content = (ROOT / "examples" / example).read_text()
    for line in lines.splitlines():
        field = line.partition("=")[0].strip()
        content = "".join(own for own in content.splitlines(keepends=True) if not re.match(rf"{field}\s*=", own))
    return f"{lines}\n{content}"


# of a device: name, lines that are changed, what the error says
FIELDS = [
    ("a name outside", 'name = "../../../evil"', "device '../../../evil', field 'name': '../../../evil' must be at"),
    ("a name of no text", "name = 3", "device 3, field 'name': 3 must be at most 100 letters, digits"),
    ("an empty name", 'name = ""', "device '', field 'name': '' must be at most 100 letters, digits"),
    ("a family unknown", 'family = "stratix"', "'family': no resource figures for 'stratix'; valid are xcup, xc7,"),
    ("a family near one", 'family = "ecp6"', "for 'ecp6'; did you mean 'ecp5'? valid are"),
    ("a family by number", "family = 7", "field 'family': 7 must be a text of one line that is not empty"),
    ("an empty title", 'title = ""', "field 'title': '' must be a text of one line that is not empty"),
    ("a title of two lines", 'title = "a\\nb"', "field 'title': 'a\\nb' must be a text of one line"),
    ("a source in a list", "source = []", "field 'source': [] must be a text of one line that is not empty"),
    ("no LUT", "lut = 0", "field 'lut': 0 must be an integer of 1 to 1000000000"),
    ("LUTs without end", f"lut = {BIG}", f"field 'lut': {BIG} must be an integer of 1 to 1000000000"),
    ("LUTs that are none", "lut = nan", "field 'lut': nan must be an integer of 1 to 1000000000"),
    ("half a register", "ff = 0.5", "field 'ff': 0.5 must be an integer of 1 to 1000000000"),
    ("registers below 0", "ff = -1", "field 'ff': -1 must be an integer of 1 to 1000000000"),
    ("memories as text", 'bram = "108"', "field 'bram': '108' must be an integer of 0 to 1000000000"),
    ("memories as truth", "bram = true", "field 'bram': True must be an integer of 0 to 1000000000"),
    ("DSP blocks below 0", "dsp = -72", "field 'dsp': -72 must be an integer of 0 to 1000000000"),
    ("memories of no bit", "bram_bits = 0", "field 'bram_bits': 0 must be an integer of 1 to 1000000000"),
    ("memories of another family", "bram_bits = 36864", "field 'bram_bits': 36864 must be 18432, as 'ecp5' has it"),
    ("memories of no width", "bram_width = 0", "field 'bram_width': 0 must be an integer of 1 to 1000000000"),
    ("memories too wide", "bram_width = 72", "field 'bram_width': 72 must be 36, as 'ecp5' has it"),
    ("LUTs of five inputs", "lut_inputs = 5", "field 'lut_inputs': 5 must be 4 or 6"),
    ("LUTs of a fraction", "lut_inputs = 4.0", "field 'lut_inputs': 4.0 must be 4 or 6"),
    ("LUTs of another family", "lut_inputs = 6", "field 'lut_inputs': 6 must be 4, as 'ecp5' has it"),
    ("one operand", "dsp_widths = [18]", "field 'dsp_widths': (18,) must be two integers of 2 to 64"),
    ("an operand of a bit", "dsp_widths = [18, 1]", "field 'dsp_widths': (18, 1) must be two integers of 2 to 64"),
    ("operands as text", 'dsp_widths = "18x18"', "field 'dsp_widths': '18x18' must be two integers of 2 to 64"),
    ("operands of another family", "dsp_widths = [27, 18]", "'dsp_widths': (27, 18) must be (18, 18), as 'ecp5' has"),
    ("memory as text", 'lutram = "yes"', "field 'lutram': 'yes' must be true or false"),
    ("memory of another family", "lutram = false", "field 'lutram': False must be True, as 'ecp5' has it"),
    ("no clock", "clock_mhz = 0", "field 'clock_mhz': 0 must be above 0 and at most 2000"),
    ("a clock without end", "clock_mhz = inf", "field 'clock_mhz': inf must be above 0 and at most 2000"),
    ("a clock that is none", "clock_mhz = nan", "field 'clock_mhz': nan must be above 0 and at most 2000"),
    ("a clock as text", 'clock_mhz = "80"', "field 'clock_mhz': '80' must be a number"),
    ("no synthesis", 'synth = "make"', "field 'synth': 'make' must be one Yosys command that starts with 'synth'"),
    ("two commands", 'synth = "synth_ecp5; shell"', "'synth': 'synth_ecp5; shell' must be one Yosys command that"),
    ("two lines", 'synth = "synth_ecp5\\nexec -- ls"', "'synth': 'synth_ecp5\\nexec -- ls' must be a text of one line"),
    ("a field unknown", "luts = 3", "unknown field 'luts' = 3; valid are name, family, title, lut"),
]  # fmt: skip


@rows_of("lines, says", FIELDS)
def test_device(command: Command, lines: str, says: str) -> None:
    (command.folder / "own.toml").write_text(changed("own_device.toml", lines))
    (command.folder / "net.toml").write_text('[[device]]\nname = "own.toml"\n')
    command.refuses("train net.toml -o run", f"net.toml: device[0].name: ... own.toml: ... {says}")
    assert not command.run.exists(), "no time is spent on training before"


# of a board: name, lines that are changed, what the error says
BOARDS = [
    ("a name outside", 'name = "a/../../b"', "board 'a/../../b', field 'name': 'a/../../b' must be at most 100"),
    ("an empty title", 'title = ""', "field 'title': '' must be a text of one line that is not empty"),
    ("a device near one", 'device = "ice40up5"', "'ice40up5' must be one with an open place and route: ecp5-25k,"),
    ("a device without a router", 'device = "zu3eg"', "field 'device': 'zu3eg' must be one with an open place and"),
    ("a device by path", 'device = "own_device.toml"', "'own_device.toml' must be one with an open place and route"),
    ("a package by number", "package = 48", "field 'package': 48 must be a text of one line that is not empty"),
    ("a package of two words", 'package = "sg48 --quiet"', "'package': 'sg48 --quiet' must be of letters, digits, '_'"),
    ("a clock's pin by number", "clock_pin = 20", "field 'clock_pin': 20 must be a text of one line that is not empty"),
    ("a pin with a quote", "rx_pin = '15\"'", "field 'rx_pin': '15\"' must be of letters, digits, '_', '.', '/' and"),
    ("a pin of two lines", 'tx_pin = "14\\n14"', "field 'tx_pin': '14\\n14' must be a text of one line"),
    ("one pin for two", 'tx_pin = "15"', "pin '15' is listed more than once"),
    ("one LED as text", 'led_pins = "39"', "field 'led_pins': '39' must be a list of pins, each a text of letters"),
    ("an LED by number", "led_pins = [39]", "field 'led_pins': (39,) must be a list of pins, each a text of letters"),
    ("an empty pin", 'high_pins = [""]', "field 'high_pins': ('',) must be a list of pins, each a text of letters"),
    ("LEDs by number", "leds_low = 1", "field 'leds_low': 1 must be true or false"),
    ("a slow oscillator", "clock_mhz = 0.5", "field 'clock_mhz': 0.5 must be of 1 to 400"),
    ("an oscillator that is none", "clock_mhz = nan", "field 'clock_mhz': nan must be of 1 to 400"),
    ("an oscillator as text", 'clock_mhz = "12 MHz"', "field 'clock_mhz': '12 MHz' must be a number"),
    ("a speed unknown", "speed = 5", "field 'speed': 5 must be 6, 7 or 8"),
    ("a line of no speed", "baud = 0", "field 'baud': 0 must be an integer of 1200 to 12000000"),
    ("a line of half a bit", "baud = 9600.5", "field 'baud': 9600.5 must be an integer of 1200 to 12000000"),
    ("a standard of two words", 'io_standard = "LVCMOS33; X"', "'io_standard': 'LVCMOS33; X' must be of letters,"),
    ("a program without a file", 'program = "iceprog"', "'program': 'iceprog' must be a command with '{bitstream}'"),
    ("a program with another", 'program = "iceprog {file}"', "'iceprog {file}' must be a command with '{bitstream}'"),
    ("a brace open", 'program = "iceprog {bitstream} {"', "'iceprog {bitstream} {' must be a command with"),
    ("a program of two lines", 'program = "iceprog {bitstream}\\nrm x"', "'program': ... must be a text of one line"),
    ("a note by number", "note = 3", "field 'note': 3 must be a text of one line"),
    ("a field unknown", "colour = 3", "unknown field 'colour' = 3; valid are name, title, device"),
]  # fmt: skip


@rows_of("lines, says", BOARDS)
def test_board(command: Command, lines: str, says: str) -> None:
    (command.folder / "own.toml").write_text(changed("own_board.toml", lines))
    (command.folder / "net.toml").write_text('[[device]]\nboard = "own.toml"\n')
    command.refuses("train net.toml -o run", f"net.toml: device[0]: ... own.toml: ... {says}")
    assert not command.run.exists(), "no time is spent on training before"


# whole files: name, field of the configuration that names it, break, what the error says
FILES = [
    ("an empty device", "name", text(""), "own.toml: missing field(s) name, family, title, lut"),
    ("a device in a folder", "name", folder, "own.toml: cannot be read as a device: [Errno 21] Is a directory"),
    ("a device not UTF-8", "name", raw(b'name = "\xff"'), "own.toml: cannot be read as a device: 'utf-8' codec can't"),
    ("a device in lists", "name", text(f"a = {DEEP}"), "own.toml: cannot be read as a device: Its lists and tables"),
    ("a device's field twice", "name", text("lut = 1\nlut = 2"), "own.toml: cannot be read as a device: Cannot"),
    ("a device of 5000 digits", "name", text(f"lut = {'9' * 5000}"), "own.toml: cannot be read as a device: Exceeds"),
    ("a device of many parts", "name", text("a" + ".a" * 9999 + " = 1"), "as a device: A key of more than 100 parts"),
    ("a device in a section", "name", text('[device]\nname = "a"'), "own.toml: unknown field 'device' = {'name': 'a'}"),
    ("a board for a device", "name", text('program = "a"'), "own.toml: unknown field 'program' = 'a'; valid are"),
    ("an empty board", "board", text(""), "own.toml: missing field(s) name, title, device, package"),
    ("a board in a folder", "board", folder, "own.toml: cannot be read as a board: [Errno 21] Is a directory"),
    ("a board not UTF-8", "board", raw(b"\xfe\xff"), "own.toml: cannot be read as a board: 'utf-8' codec can't decode"),
    ("a board in lists", "board", text(f"a = {DEEP}"), "own.toml: cannot be read as a board: Its lists and tables lie"),
    ("a device for a board", "board", text("lut = 1"), "own.toml: unknown field 'lut' = 1; valid are name, title,"),
]  # fmt: skip


@rows_of("field, change, says", FILES)
def test_files(command: Command, field: str, change: Break, says: str) -> None:
    (command.folder / "own.toml").write_text(DEVICE)
    change(command.folder / "own.toml")
    (command.folder / "net.toml").write_text(f'[[device]]\n{field} = "own.toml"\n')
    command.refuses("train net.toml -o run", f"net.toml: device[0]{'.name' if field == 'name' else ''}: ... {says}")
