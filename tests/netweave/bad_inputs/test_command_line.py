"""Arguments of every command, and places where a run cannot be."""

from __future__ import annotations

from tests.netweave.bad_inputs.support import DEVICE, ROOT, Command, rows_of

# name, command line, what the error says; net.toml is right, a.txt is a file, and there is no run
LINES = [
    ("no such command", "bulid net.toml", "No such command 'bulid'. Did you mean 'build'?"),
    ("an option for a command", "--fast run net.toml", "No such option: --fast"),
    ("run without configuration", "run", "Missing argument 'CONFIG.toml'"),
    ("train without configuration", "train", "Missing argument 'CONFIG.toml'"),
    ("quantize without configuration", "quantize", "Missing argument 'CONFIG.toml'"),
    ("explore without configuration", "explore --force", "Missing argument 'CONFIG.toml'"),
    ("search without configuration", "search", "Missing argument 'CONFIG.toml'"),
    ("generate without configuration", "generate", "Missing argument 'CONFIG.toml'"),
    ("cosim without configuration", "cosim", "Missing argument 'CONFIG.toml'"),
    ("build without configuration", "build", "Missing argument 'CONFIG.toml'"),
    ("report without configuration", "report", "Missing argument 'CONFIG.toml'"),
    ("verify without front", "verify", "Missing argument 'front'"),
    ("finetune without points", "finetune net.toml --epochs 3", "Missing argument 'POINT...'"),
    ("finetune without epochs", "finetune net.toml knee", "Missing option '--epochs'"),
    ("two configurations", "train net.toml net.toml", "Got unexpected extra argument(s) (net.toml)"),
    ("an argument for devices", "devices ecp5-25k", "Got unexpected extra argument(s) (ecp5-25k)"),
    ("an argument for boards", "boards ulx3s", "Got unexpected extra argument(s) (ulx3s)"),
    ("an argument for models", "models digits", "Got unexpected extra argument(s) (digits)"),
    ("an argument for ops", "ops conv", "Got unexpected extra argument(s) (conv)"),
    ("an option near one", "train net.toml --ouput run", "No such option: --ouput"),
    ("an option of another", "train net.toml --workers 2", "No such option: --workers"),
    ("force for training", "train net.toml --force", "No such option: --force"),
    ("no value for a folder", "train net.toml -o", "requires an argument"),
    ("a file for a run", "train net.toml -o a.txt", "Invalid value for '--out' / '-o': dir 'a.txt' is a file"),
    ("no workers", "explore net.toml --workers 0", "Invalid value for '--workers': Input should be greater than or"),
    ("workers below 0", "run net.toml --workers -3", "Invalid value for '--workers': Input should be greater than or"),
    ("workers by halves", "explore net.toml --workers 1.5", "Invalid value for '--workers': Input should be a valid"),
    ("workers by name", "search net.toml --workers all", "Invalid value for '--workers': Input should be a valid"),
    ("epochs of none", "finetune net.toml knee --epochs 0", "Invalid value for '--epochs': Input should be greater"),
    ("epochs as text", "finetune net.toml knee --epochs many", "Invalid value for '--epochs': Input should be a"),
    (
        "a configuration that is missing", "run absent.toml",
        "absent.toml: there is no such file; examples/digits_dvs.toml",
    ),
    ("a configuration in a folder", "run .", ".: cannot be read: [Errno 21] Is a directory"),
    ("a configuration of text", "report a.txt", "a.txt: is not TOML: "),
    ("a front that is missing", "verify absent/front.json", "absent/front.json: cannot be read as JSON: [Errno 2] No"),
    ("a front of text", "verify a.txt", "a.txt: cannot be read as JSON: Expecting value"),
    ("a front of TOML", "verify net.toml", "net.toml: cannot be read as JSON: Expecting value"),
    ("a board for none", "build net.toml -o run", "board: is named by no [[device]]; `board = ...` names one:"),
    ("quantize before train", "quantize net.toml -o run", "run/train: is not there; `netweave train CONFIG.toml`"),
    ("explore before train", "explore net.toml -o run", "run/train: is not there; `netweave train CONFIG.toml` makes"),
    ("generate before train", "generate net.toml -o run", "run/train: is not there; `netweave train CONFIG.toml`"),
    ("cosim before generate", "cosim net.toml -o run", "run/generate/ecp5-25k: is not there; `netweave generate"),
    ("finetune before train", "finetune net.toml knee --epochs 1 -o run", "run/train: is not there; `netweave train"),
    ("report before train", "report net.toml -o run", "run/train: is not there; `netweave train CONFIG.toml` makes it"),
]  # fmt: skip


@rows_of("line, says", LINES)
def test_lines(command: Command, line: str, says: str) -> None:
    (command.folder / "net.toml").write_text(DEVICE)
    (command.folder / "a.txt").write_text("a file")
    command.refuses(line, says)
    assert sorted(path.name for path in command.folder.iterdir()) == ["a.txt", "net.toml"]


# points that a front does not offer: name, words behind `finetune net.toml`, what the error says
POINTS = [
    ("a point unknown", "int3-70", "pick 'int3-70': is no point and no rule; points are int2-70; rules are 'knee',"),
    ("a rule near one", "kneee", "pick 'kneee': is no point and no rule; points are int2-70; rules are 'knee'"),
    ("a rule of no number", "fastest-above", "pick 'fastest-above': '' is no number; say 'fastest-above 97.5'"),
    ("a rule of text", "fastest-above all", "pick 'fastest-above all': 'all' is no number; say 'fastest-above 97.5'"),
    ("a rule of nothing", "fastest-above nan", "pick 'fastest-above nan': no point is; accuracy goes up to"),
    ("too accurate", "fastest-above 101", "pick 'fastest-above 101': no point is; accuracy goes up to"),
    ("too fast", "most-accurate-under 0", "pick 'most-accurate-under 0': no point is; accuracy goes up to"),
    ("too small", "smallest-under -1", "pick 'smallest-under -1': no point is; accuracy goes up to"),
]  # fmt: skip


@rows_of("point, says", POINTS)
def test_points(broken: Command, point: str, says: str) -> None:
    code, said = broken("finetune", "net.toml", point, "--epochs", "1", "-o", "run")
    for part in says.split(" ... "):
        assert part in said
    assert (code, "Traceback" in said) == (2, False)


# places for a run: name, file that is made, line, what the error says
PLACES = [
    ("a file for a stage", "run/train", "train net.toml -o run", "run/train: is a file where a stage wants its folder"),
    ("a folder in a file", "run", "train net.toml -o run/deeper", "Not a directory: 'run/deeper"),
    ("a file for all runs", "runs", "train net.toml", "Not a directory: 'runs/net'"),
]


@rows_of("file, line, says", PLACES)
def test_places(command: Command, file: str, line: str, says: str) -> None:
    (command.folder / "net.toml").write_text(f"[train]\nepochs = 0\n{DEVICE}")
    path = command.folder / file
    path.parent.mkdir(exist_ok=True)
    path.write_text("a file")
    command.refuses(line, says)
    assert path.read_text() == "a file"


def test_a_model_without_anything_to_train_is_taken_as_it_is_with_no_epochs(command: Command) -> None:
    content = (
        ROOT / "examples" / "tiny_network.py"
    ).read_text() + "\n\ndef fixed():\n    return build().requires_grad_(False)\n"
    (command.folder / "own.py").write_text(content)
    (command.folder / "net.toml").write_text(f'model = "own.py:fixed"\n[train]\nepochs = 0\n{DEVICE}')
    assert command("train", "net.toml", "-o", "run")[0] == 0
