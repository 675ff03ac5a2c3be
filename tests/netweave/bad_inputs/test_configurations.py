"""Configuration files: every section and field, and what is no configuration at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.netweave.bad_inputs.support import DEEP, DEVICE, Command, folder, raw, removed, rows_of, text

BIG = 2**70

# before one device: name, text, what the error says behind the file's name
FIELDS = [
    ("a run outside", 'name = "../../evil"', "name: '../../evil' must be a folder's name: at most 100 letters, digits"),
    ("a hidden run", 'name = ".evil"', "name: '.evil' must be a folder's name"),
    ("a run without end", f'name = "{"a" * 101}"', "must be a folder's name: at most 100 letters"),
    ("a run without name", 'name = ""', "name: '' must be a folder's name: at most 100 letters, digits"),
    ("a run of two lines", 'name = "a\\nb"', "name: 'a\\nb' must be a folder's name"),
    ("a run in letters of others", 'name = "größe"', "name: 'größe' must be a folder's name"),
    ("a number for a run", "name = 7", "name: 7: input should be a valid string"),
    ("a model of two", 'model = ["digits_cnn"]', "model: ['digits_cnn']: input should be a valid string"),
    ("a model's file missing", 'model = "absent.py:build"', "model: 'absent.py:build': there is no file ... absent.py"),
    ("a graph's folder missing", 'model = "graph:absent"', "model: 'graph:absent': there is no file ... graph.json"),
    ("a graph of nowhere", 'model = "graph:"', "model: 'graph:': there is no file ... graph.json"),
    ("a zero in a path", 'model = "a\\u0000.py:build"', "model: 'a\\x00.py:build' must be of printable characters"),
    ("a zero in a folder", 'data = "n_mnist:a\\u0000"', "data: 'n_mnist:a\\x00' must be of printable characters"),
    ("a data set by number", "data = 3", "data: 3: input should be a valid string"),
    ("arrays missing", 'data = "absent.npz"', "data: 'absent.npz': there is no file ... absent.npz"),
    ("a section unknown", "[trian]\nepochs = 3", "trian: unknown key (value {'epochs': 3}); did you mean 'train'?"),
    ("a field at the top", "epochs = 3", "epochs: unknown key (value 3); ... valid are name, model, data"),
    ("a section that is a number", "train = 3", "train: 3: input should be a valid dictionary"),
    ("a section that is a list", "[[train]]\nepochs = 3", "train: [{'epochs': 3}]: input should be a valid dictionary"),
    ("epochs near one", "[train]\nepoch = 3", "train.epoch: unknown key (value 3); did you mean 'epochs'?"),
    ("epochs below 0", "[train]\nepochs = -1", "train.epochs: -1: input should be greater than or equal to 0"),
    ("epochs without end", f"[train]\nepochs = {BIG}", f"train.epochs: {BIG}: input should be less than or equal to"),
    ("half an epoch", "[train]\nepochs = 0.5", "train.epochs: 0.5: input should be a valid integer"),
    ("epochs as text", '[train]\nepochs = "30"', "train.epochs: '30': input should be a valid integer"),
    ("epochs as truth", "[train]\nepochs = true", "train.epochs: True: input should be a valid integer"),
    ("epochs that are none", "[train]\nepochs = nan", "train.epochs: nan: input should be a"),
    ("a seed beyond 32 bits", f"[train]\nseed = {BIG}", f"train.seed: {BIG}: input should be less than {2**32}"),
    ("a seed below 0", "[train]\nseed = -1", "train.seed: -1: input should be greater than or equal to 0"),
    ("a seed by date", "[train]\nseed = 1979-05-27", "train.seed: datetime.date(1979, 5, 27): input should be a valid"),
    ("a format near one", '[quantize]\nformats = ["dybti4"]', "'dybti4' is no number format; did you mean 'dybit4'?"),
    ("two formats", '[quantize]\nformats = ["dybit4xitn8"]', "is no number format; did you mean 'dybit4xint8'? valid"),
    ("a format too wide", '[quantize]\nformats = ["int9"]', "quantize.formats[0]: 'int9' is no number format; did you"),
    ("a format of a bit", '[quantize]\nformats = ["int8", "int1"]', "quantize.formats[1]: 'int1' is no number format"),
    ("no formats", "[quantize]\nformats = []", "quantize.formats: []: list should have at least 1 item"),
    ("a format twice", '[quantize]\nformats = ["int8", "int8"]', "quantize.formats: int8 stands there more than once"),
    ("formats as text", '[quantize]\nformats = "int8"', "quantize.formats: 'int8': input should be a valid list"),
    ("a format by width", "[quantize]\nformats = [8]", "quantize.formats[0]: 8: input should be a valid string"),
    ("a calibration unknown", '[quantize]\ncalibration = "max"', "'max' is not one of them; ... minmax, percentile,"),
    ("a calibration by number", "[quantize]\ncalibration = 3", "quantize.calibration: 3 is not one of them; valid are"),
    ("a sensitivity near one", '[quantize]\nsensitivity = "hesian"', "sensitivity: 'hesian' is not one of them; did"),
    ("a reconstruction below 0", "[quantize]\nreconstruction = -1", "quantize.reconstruction: -1: input should be"),
    ("too much reconstruction", "[quantize]\nreconstruction = 1001", "quantize.reconstruction: 1001: input should be"),
    ("too much quantization", "[quantize]\nepochs = 1001", "quantize.epochs: 1001: input should be less than or equal"),
    ("quantization without end", "[quantize]\nepochs = inf", "quantize.epochs: inf: input should be a"),
    ("an objective near one", '[explore]\nobjective = "latencies"', "explore.objective: 'latencies' is not one of"),
    (
        "the least without a speed", '[explore]\nobjective = "utilisation"',
        "explore: the least resources at what speed? set",
    ),
    (
        "the least and fast", '[explore]\nobjective = "utilisation"\nframe_rate = 1\nspeedups = [2]',
        "explore: speedups ask for a speed, objective 'utilisation' for little else; take one of them",
    ),
    ("a rate without end", "[explore]\nframe_rate = inf", "explore.frame_rate: inf: input should be a finite number"),
    ("a rate of 0", "[explore]\nframe_rate = 0", "explore.frame_rate: 0: input should be greater than 0"),
    ("a rate as text", '[explore]\nframe_rate = "1e6"', "explore.frame_rate: '1e6': input should be a valid number"),
    ("a latency that is none", "[explore]\nmax_latency_ms = nan", "explore.max_latency_ms: nan: input should be"),
    ("a latency below 0", "[explore]\nmax_latency_ms = -1", "explore.max_latency_ms: -1: input should be greater"),
    ("an activity below 0", "[explore]\nactivity = -1", "activity: -1 is no number of a training image, 0 and up, and"),
    ("an activity unknown", '[explore]\nactivity = "p95"', "activity: 'p95' is no number of ... none of mean, p99"),
    ("an activity as truth", "[explore]\nactivity = true", "explore.activity: True is no number of a training image"),
    ("an activity in a list", '[explore]\nactivity = ["mean"]', "explore.activity: ['mean'] is no number of a"),
    ("an activity in a table", '[explore.activity]\na = 1', "explore.activity: {'a': 1} is no number of a training"),
    ("no budgets", "[explore]\nbudgets = 0", "explore.budgets: 0: input should be greater than or equal to 1"),
    ("too many budgets", "[explore]\nbudgets = 101", "explore.budgets: 101: input should be less than or equal to 100"),
    ("a list of budgets", "[explore]\nbudgets = [1, 2]", "explore.budgets: [1, 2]: input should be a valid integer"),
    ("no points", "[explore]\npoints = 0", "explore.points: 0: input should be greater than or equal to 1"),
    ("too many points", "[explore]\npoints = 1001", "explore.points: 1001: input should be less than or equal to 1000"),
    ("a truth as number", "[explore]\ngap = true", "explore.gap: True: input should be a valid number"),
    ("a gap above 1", "[explore]\ngap = 1.01", "explore.gap: 1.01: input should be less than or equal to 1"),
    ("a gap below 0", "[explore]\ngap = -1e-300", "explore.gap: -1e-300: input should be greater than or equal to 0"),
    ("no error step", "[explore]\nerror_step = 0.0", "explore.error_step: 0.0: input should be greater than 0"),
    (
        "an error step above 1", "[explore]\nerror_step = 2",
        "explore.error_step: 2: input should be less than or equal to 1",
    ),
    ("a number as text", '[explore]\nspeedups = ["4"]', "explore.speedups[0]: '4': input should be a valid number"),
    ("no speedup", "[explore]\nspeedups = [2, 1]", "explore.speedups[1]: 1: input should be greater than 1"),
    ("a speedup that is none", "[explore]\nspeedups = [nan]", "explore.speedups[0]: nan: input should be a finite"),
    (
        "speedups over nothing", '[quantize]\nformats = ["int4"]\n[explore]\nspeedups = [2]',
        "explore.speedups are over int8, which is none of quantize.formats: int4",
    ),
    ("an error below 0", "[explore]\nmax_errors = [-0.5]", "explore.max_errors[0]: -0.5: input should be greater than"),
    ("errors as a number", "[explore]\nmax_errors = 3", "explore.max_errors: 3: input should be a valid list"),
    ("images of none", "[cosim]\nimages = 0", "cosim.images: 0: input should be greater than or equal to 1"),
    ("images without end", f"[cosim]\nimages = {BIG}", f"cosim.images: {BIG}: input should be less than or equal to"),
    ("a simulator near one", '[cosim]\nsimulator = "verilater"', "'verilater' is not one of them; did you mean"),
    ("layers by number", "[cosim]\nlayers = 1", "cosim.layers: 1: input should be a valid boolean"),
    ("probes as text", '[cosim]\nprobes = "yes"', "cosim.probes: 'yes': input should be a valid boolean"),
    ("a width too small", "[search]\nwidth = [0.1]", "search.width[0]: 0.1: input should be greater than or equal to"),
    ("no widths", "[search]\nwidth = []", "search.width: []: list should have at least 1 item"),
    ("a width twice", "[search]\nwidth = [1, 1.0]", "search.width: 1.0 stands there more than once"),
    ("a depth of none", '[search]\ndepth = ["0.1"]', "'0.1' must be the blocks of two stages, 1 to 16 each, such as"),
    ("a depth of one stage", '[search]\ndepth = ["3"]', "search.depth[0]: '3' must be the blocks of two stages"),
    ("a depth by number", "[search]\ndepth = [2.1]", "search.depth[0]: 2.1: input should be a valid string"),
    ("a kernel of even side", "[search]\nkernel = [4]", "search.kernel[0]: 4 must be 3, 5 or 7"),
    ("an expansion of 0", "[search]\nexpansion = [0]", "search.expansion[0]: 0: input should be greater than or equal"),
    ("an expansion of 17", "[search]\nexpansion = [17]", "search.expansion[0]: 17: input should be less than or equal"),
    ("three rows", "[search]\nresolution = [3]", "search.resolution[0]: 3: input should be greater than or equal to 4"),
    ("rows without end", "[search]\nresolution = [4097]", "search.resolution[0]: 4097: input should be less than or"),
    ("one evaluation", "[search]\nevaluations = 1", "search.evaluations: 1: input should be greater than or equal to"),
    ("a seed of the search", f"[search]\nseed = {2**32}", f"search.seed: {2**32}: input should be less than {2**32}"),
    ("a method near one", '[search]\nmethod = "trees"', "search.method: 'trees' is not one of them; did you mean"),
    ("all accuracy", "[search]\nmin_accuracy = 100", "search.min_accuracy: 100: input should be less than 100"),
    ("a cycle", "[search]\nmax_cycles = 1", "search.max_cycles: 1: input should be greater than or equal to 2"),
]  # fmt: skip


@rows_of("content, says", FIELDS)
def test_fields(command: Command, content: str, says: str) -> None:
    (command.folder / "net.toml").write_text(f"{content}\n{DEVICE}")
    command.refuses("train net.toml -o run", f"net.toml: ... {says}")
    assert not list(command.run.glob("*"))


# in place of a whole configuration: name, text, what the error says
DEVICES = [
    ("no device", "[train]\nepochs = 3", "device: needs a [[device]] table"),
    ("an empty list", "device = []", "device: []: list should have at least 1 item"),
    ("one bracket", '[device]\nname = "ecp5-25k"', "device: {'name': 'ecp5-25k'}: input should be a valid list"),
    ("a device by name alone", 'device = ["ecp5-25k"]', "device[0]: 'ecp5-25k': input should be a valid dictionary"),
    ("a device of no name", "[[device]]\nclock_mhz = 50", "device[0].name: is missing"),
    ("a device by number", "[[device]]\nname = 7", "device[0].name: 7: input should be a valid string"),
    ("an empty name", '[[device]]\nname = ""', "device[0].name: unknown device ''; valid are zu3eg, zcu102"),
    ("a device near one", '[[device]]\nname = "ecp5-52k"', "unknown device 'ecp5-52k'; did you mean 'ecp5-"),
    ("a device's file missing", '[[device]]\nname = "absent.toml"', "absent.toml: cannot be read as a device"),
    ("a list of names", '[[device]]\nname = ["x.toml"]', "device[0].name: ['x.toml']: input should be a valid string"),
    ("listed twice", DEVICE + DEVICE, "device[1].name: 'ecp5-25k' is listed twice; both would have one folder"),
    ("a field near one", DEVICE + "clock_mh = 50", "device[0].clock_mh: unknown key (value 50); did you mean"),
    ("no clock", DEVICE + "clock_mhz = 0", "device[0].clock_mhz: 0: input should be greater than 0"),
    ("a clock too fast", DEVICE + "clock_mhz = 1001", "device[0].clock_mhz: 1001: input should be less than or equal"),
    ("a clock as text", DEVICE + 'clock_mhz = "80"', "device[0].clock_mhz: '80': input should be a valid number"),
    ("a clock without end", DEVICE + "clock_mhz = inf", "device[0].clock_mhz: inf: input should be a finite number"),
    ("less than a LUT", DEVICE + "utilisation = 1e-12", "utilisation: 1e-12 is less than one of the 24288 LUTs of"),
    ("no utilisation", DEVICE + "utilisation = nan", "device[0].utilisation: nan: input should be a finite number"),
    ("more than all", DEVICE + "utilisation = 1.5", "device[0].utilisation: 1.5: input should be less than or equal"),
    ("a percentage", DEVICE + 'utilisation = "70 %"', "device[0].utilisation: '70 %': input should be a valid number"),
    ("a gain for a loss", DEVICE + "max_loss = -1", "device[0].max_loss: -1: input should be greater than or equal"),
    ("a loss of more than all", DEVICE + "max_loss = 101", "device[0].max_loss: 101: input should be less than or"),
    ("a pick by number", DEVICE + "pick = 3", "device[0].pick: 3: input should be a valid string"),
    ("an input unknown", DEVICE + 'frame_input = "frames"', "frame_input: 'frames' is not one of them; valid are"),
    ("no seeds", DEVICE + "seeds = 0", "device[0].seeds: 0: input should be greater than or equal to 1"),
    ("too many seeds", DEVICE + "seeds = 101", "device[0].seeds: 101: input should be less than or equal to 100"),
    ("a board near one", '[[device]]\nboard = "ice_breaker"', "unknown board 'ice_breaker'; did you mean 'icebreaker'"),
    ("a board by number", DEVICE + "board = 3", "device[0].board: 3: input should be a valid string"),
    ("a board of another", DEVICE + 'board = "icebreaker"', "'ecp5-25k' is not the device of board 'icebreaker',"),
    ("a board's file missing", '[[device]]\nboard = "absent.toml"', "absent.toml: cannot be read as a board"),
]  # fmt: skip


@rows_of("content, says", DEVICES)
def test_devices(command: Command, content: str, says: str) -> None:
    (command.folder / "net.toml").write_text(content)
    command.refuses("train net.toml -o run", f"net.toml: ... {says}")


# what is no table of TOML: name, break, what the error says
FILES = [
    ("no file", removed, "net.toml: there is no such file; examples/digits_dvs.toml is one to start from"),
    ("a folder", folder, "net.toml: cannot be read: [Errno 21] Is a directory"),
    ("nothing", text(""), "net.toml: device: needs a [[device]] table"),
    ("not UTF-8", raw(b'name = "\xff"\n'), "net.toml: cannot be read: 'utf-8' codec can't decode byte 0xff"),
    ("two bytes a letter", raw("name = 'a'".encode("utf-16")), "net.toml: cannot be read: 'utf-8' codec can't"),
    ("a mark of order", raw(b"\xef\xbb\xbf" + DEVICE.encode()), "net.toml: is not TOML: Invalid statement (at line"),
    ("zeros", raw(bytes(100)), "net.toml: is not TOML: Invalid"),
    ("JSON", text('{"device": []}'), "net.toml: is not TOML: Invalid"),
    ("a key twice", text("a = 1\na = 2"), "net.toml: is not TOML: Cannot overwrite a value"),
    ("a section twice", text("[train]\n[train]\n"), "net.toml: is not TOML: Cannot declare ('train',) twice"),
    ("a text without end", text('name = "a'), "net.toml: is not TOML: "),
    ("a key without value", text("name ="), "net.toml: is not TOML: Invalid value"),
    ("a bracket open", text("[train\n"), "net.toml: is not TOML: "),
    ("lists in lists", text(f"a = {DEEP}"), "net.toml: is not TOML: "),
    ("tables in tables", text("a = " + "{a = " * 200_000), "net.toml: is not TOML: "),
    ("keys in keys", text("\na" + ".a" * 200_000 + " = 1"), "net.toml: is not TOML: A key of more than 100 parts (at"),
    ("a number of 5000 digits", text(f"name = {'9' * 5000}"), "net.toml: is not TOML: "),
    ("no day of any month", text("a = 2026-02-31"), "net.toml: is not TOML: "),
]  # fmt: skip


@rows_of("change, says", FILES)
def test_files(command: Command, change: Callable[[Path], object], says: str) -> None:
    (command.folder / "net.toml").write_text(DEVICE)
    change(command.folder / "net.toml")
    command.refuses("train net.toml -o run", says)
    assert not command.run.exists()


# names that a stage looks up: name, text, what the error says
NAMES = [
    ("a model that is empty", 'model = ""', "unknown model ''; valid are digits_cnn, "),
    ("a data set that is empty", 'data = ""', "unknown data set ''; valid are cifar10, "),
    ("a model near one", 'model = "digit_cnn"', "unknown model 'digit_cnn'; did you mean 'digits_cnn'? valid are"),
    ("a model by a path", 'model = "../evil"', "unknown model '../evil'; ... valid are digits_cnn"),
    ("a model with a comma", 'model = "digits_cnn,"', "unknown model 'digits_cnn,'; did you mean 'digits_cnn'?"),
    ("a backbone of no width", 'model = "backbone:w0-d1.1-k3-e1"', "model 'backbone:w0-d1.1-k3-e1': architecture,"),
    ("a backbone of even kernels", 'model = "backbone:w1-d1.1-k4-e1"', "k4-e1': architecture, kernel: 4 must be one"),
    ("a backbone of no numbers", 'model = "backbone:wide"', "'backbone:wide' is no architecture; one looks like"),
    ("a backbone without end", 'model = "backbone:w1e9-d1.1-k3-e1"', "k3-e1' is no architecture; one looks like"),
    ("a backbone of 5000 digits", f'model = "backbone:w1-d1.1-k{"9" * 5000}-e1"', "is no architecture; one looks like"),
    ("a backbone of 1 class", 'model = "backbone:w1-d1.1-k3-e1-c1"', "architecture, classes: 1 must be 2 or more"),
    ("a backbone of no depth", 'model = "backbone:w1-d0.0-k3-e1"', "architecture, depths: (0, 0) must be 2 numbers"),
    ("a data set near one", 'data = "digits_dsv"', "unknown data set 'digits_dsv'; did you mean 'digits_dvs'? valid"),
    ("a data set of no rows", 'data = "digits_dvs@0"', "data set 'digits_dvs', side: 0 must be 1 to"),
    ("more rows than there are", 'data = "digits_dvs@99"', "data set 'digits_dvs', side: 99 must be 1 to"),
    ("fewer rows of dense images", 'data = "digits@4"', "data set 'digits': is dense; only the counts of a sparse"),
    ("rows without end", f'data = "digits_dvs@{"9" * 5000}"', "unknown data set 'digits_dvs@99"),
    ("a folder for what has none", 'data = "digits:here"', "unknown data set 'digits:"),
]  # fmt: skip


@rows_of("content, says", NAMES)
def test_names(command: Command, content: str, says: str) -> None:
    (command.folder / "net.toml").write_text(f"{content}\n[train]\nepochs = 0\n{DEVICE}")
    command.refuses("train net.toml -o run", says)
    assert not list(command.run.glob("train"))
