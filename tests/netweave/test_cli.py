"""The command line as a person meets it: exit codes, messages without a traceback, help and lists."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hw.boards.board import BOARDS
from hw.fpga.families.registry import DEVICES
from netweave import __version__, cli, flow
from reports.artifact import VERSION

DEVICE = '[[device]]\nname = "zu3eg"\n'


def call(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> int:
    """The exit code of ``netweave`` with these arguments."""
    monkeypatch.setattr(sys, "argv", ["netweave", *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.toml"
    path.write_text(DEVICE)
    return path


@pytest.mark.parametrize(
    "text, says",
    [
        (f"modle = 'a'\n{DEVICE}", "modle: unknown key"),
        ('[[device]]\nname = "zu3ge"\n', "did you mean 'zu3eg'?"),
        (f'[quantize]\nformats = ["int9"]\n{DEVICE}', "'int9' is no number format"),
        (f'model = "digits_cn"\n{DEVICE}', "unknown model 'digits_cn'"),
        (f'data = "digit"\n{DEVICE}', "unknown data set 'digit'"),
    ],
)
def test_wrong_configuration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: Path, text: str, says: str
) -> None:
    net.write_text(text)
    run = net.parent / "run"
    assert call(monkeypatch, "run", net, "-o", run) == 2
    shown = capsys.readouterr().err
    assert says in " ".join(shown.split())
    assert "Traceback" not in shown
    assert not run.exists() or not list(run.iterdir())


def test_network_of_the_wrong_shape(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: Path
) -> None:
    (net.parent / "own.py").write_text("from torch import nn\ndef build():\n return nn.Conv2d(3, 4, 3)\n")
    net.write_text(f'model = "own.py:build"\n{DEVICE}')
    assert call(monkeypatch, "train", net, "-o", net.parent / "run") == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("command", [["explore"], ["finetune", "knee", "--epochs", "1"]], ids=lambda words: words[0])
def test_stage_without_its_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: Path, command: list[str]
) -> None:
    name, *rest = command
    assert call(monkeypatch, name, net, *rest, "-o", net.parent / "run") == 2
    assert "is not there; `netweave train CONFIG.toml` makes it" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("kind", ["truncated", "no json", "newer"])
def test_corrupt_artifacts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: Path, kind: str
) -> None:
    run = net.parent / "run"
    for folder in ("train", "explore/zu3eg"):
        (run / folder).mkdir(parents=True)
    (run / "train" / "network.npz").write_bytes(b"PK\x03\x04 half")
    (run / "train" / "train.json").write_text(
        json.dumps({"format": "netweave train", "version": VERSION, "validation": [5, 10], "test": [4, 9]})
    )
    front = {"truncated": "{", "no json": "front", "newer": json.dumps({"version": 99, "points": []})}[kind]
    (run / "explore" / "zu3eg" / "front.json").write_text(front)
    stages = {"quantize": "network.npz", "generate": "front.json"}
    for stage, file in stages.items():
        assert call(monkeypatch, stage, net, "-o", run, "--force") == 2
        shown = capsys.readouterr().err
        assert file in "".join(shown.split())
        assert "Traceback" not in shown
    assert {path.name for path in run.iterdir()} <= {"train", "explore", "networks", "generate"}
    assert not list(run.rglob("*.part*"))


def test_a_bitstream_needs_a_board(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: Path
) -> None:
    assert call(monkeypatch, "build", net, "-o", net.parent / "run") == 2
    shown = " ".join(capsys.readouterr().err.split())
    assert "board: is named by no [[device]]; `board = ...` names one: ulx3s-85f" in shown


@pytest.mark.parametrize("error", [AttributeError, ValueError, RuntimeError])
def test_own_errors_are_called_bugs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: Path, error: type[Exception]
) -> None:
    def broken(*_: object) -> None:
        raise error("a mistake of ours")

    monkeypatch.setitem(flow.STAGES, "train", broken)
    assert call(monkeypatch, "train", net, "-o", net.parent / "run") == 1
    shown = " ".join(capsys.readouterr().err.split())
    assert f"bug: {error.__name__}: a mistake of ours This is a bug of netweave" in shown
    assert "Traceback" not in shown
    assert call(monkeypatch, "train", net, "-o", net.parent / "run", "--debug") == 1
    assert "in broken" in capsys.readouterr().err


def test_debug_shows_the_traceback_of_a_users_error_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], net: Path
) -> None:
    assert call(monkeypatch, "--debug", "train", net.parent / "absent.toml") == 2
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert "there is no such file" in shown


def test_help_teaches_with_examples(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--help") == 0
    shown = capsys.readouterr().out
    assert "netweave run examples/digits_dvs.toml" in shown
    assert all(
        name in shown for name in ("quantize", "explore", "finetune", "generate", "cosim", "report", "devices", "ops")
    )


def test_help_shows_what_rich_would_take_for_markup(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(monkeypatch, "search", "--help") == 0
    assert "of all that [[search]] allows" in capsys.readouterr().out


def test_version(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(monkeypatch, "--version") == 0
    assert capsys.readouterr().out == f"netweave {__version__}\n"


@pytest.mark.parametrize(
    "typed, place, offered",
    [
        ("netweave ex", 1, ["explore"]),
        ("netweave b", 1, ["build", "boards"]),
        ("netweave explore net.toml --wo", 3, ["--workers"]),
    ],
)
def test_words_are_completed_without_what_the_commands_load(typed: str, place: int, offered: list[str]) -> None:
    program = (
        "import sys; sys.argv[0] = 'netweave'; from netweave.cli import main\n"
        "try: main()\nfinally: assert not {'torch', 'numba', 'netweave.flow'} & set(sys.modules)"
    )
    asked = {"_NETWEAVE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(place)}
    done = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == offered


def test_each_device_has_a_line_of_80_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert call(monkeypatch, "devices") == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    for device in DEVICES.values():
        counts = [f"{count:,}" for count in (device.lut, device.ff, device.bram, device.dsp)]
        words = [device.name, *device.title.split(), *counts, f"{device.clock_mhz:g}"]
        assert [line.split() for line in lines].count(words) == 1
        assert any(line.startswith(device.family) and line.rstrip().endswith(device.synth) for line in lines)


@pytest.mark.parametrize(
    "command, names",
    [
        ("devices", list(DEVICES)),
        ("boards", list(BOARDS)),
        ("models", ["digits_cnn", "digits", "see_d", "60x80x3", "n_mnist:FOLDER"]),
        ("ops", ["conv", "max_pool", "avg_pool", "global_pool", "linear", "add", "concat", "requantize"]),
    ],
)
def test_lists(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str, names: list[str]
) -> None:
    assert call(monkeypatch, command) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in names)
