"""What is shown while stages go on, where no bar can move, and what an interrupt is answered with."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from netweave.watch import Bars, Lines, Watcher, watching


def console() -> Console:
    return Console(file=io.StringIO(), width=40)


def written(to: Console) -> list[str]:
    assert isinstance(to.file, io.StringIO)
    return to.file.getvalue().splitlines()


def test_a_line_now_and_then_says_how_far_a_stage_is(tmp_path: Path) -> None:
    out = console()
    lines = Lines(out, console(), every=0.05)
    with lines.showing():
        lines.begin("train")
        time.sleep(0.12)
        lines.step("train", "epochs [of all]", 3, 12)
        lines.begin("quantize")
        lines.step("quantize", "int4", 0, 0)
        time.sleep(0.12)
        lines.end("quantize", True, tmp_path / "a[b]")
        lines.end("train", False, tmp_path)
    shown = written(out)
    ended = [line for line in shown if line.startswith("✓")]
    assert re.fullmatch(rf"✓ quantize +\d\.\d s   {re.escape(str(tmp_path))}/a\[b\]", ended[0])
    assert re.fullmatch(rf"✓ train +kept   {re.escape(str(tmp_path))}", ended[1])
    told = list(dict.fromkeys(re.sub(r"\d+ s$", "0 s", line) for line in shown if line not in ended))
    assert told == ["  train: 0 s", "  train: epochs [of all], 3 of 12 (25%), 0 s", "  quantize: int4, 0 s"]
    time.sleep(0.12)
    assert written(out) == shown, "nothing is told when all is over"


def test_what_was_decided_of_the_data_is_a_line_of_its_own() -> None:
    out, err = console(), console()
    Lines(out, err).note("x_train: shape (9, 1, 1, 4) is read as [n, features], in one line however long it is")
    assert written(out) == []
    assert written(err) == [
        "note: x_train: shape (9, 1, 1, 4) is read as [n, features], in one line however long it is"
    ]


@pytest.mark.parametrize("terminal, kind", [(True, Bars), (False, Lines)])
def test_bars_move_on_a_terminal_alone(tmp_path: Path, terminal: bool, kind: type[Watcher]) -> None:
    out = Console(file=io.StringIO(), force_terminal=terminal)
    with watching(tmp_path, out, console()) as watcher:
        assert type(watcher) is kind
        watcher.begin("train")
        watcher.step("train", "epochs", 1, 2)
        watcher.end("train", True, tmp_path)
    assert "✓ train" in re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", out.file.getvalue())  # type: ignore[attr-defined]


def interrupted(folder: Path, out: Console, err: Console) -> None:
    with watching(folder, out, err) as watcher:
        for stage in ("train", "quantize"):
            watcher.begin(stage)
            watcher.end(stage, True, folder / stage)
        watcher.begin("explore zu3eg")
        raise KeyboardInterrupt


def test_an_interrupt_is_answered_with_what_is_kept(tmp_path: Path) -> None:
    err = console()
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path, console(), err)
    kept = f"{tmp_path} keeps train, quantize, what was there before and every finished evaluation"
    assert written(err)[1:] == [f"stopped in explore zu3eg; {kept}; the same command goes on from there"]


@pytest.mark.whole
def test_the_command_is_interrupted_without_a_traceback(tmp_path: Path) -> None:
    """The real command, with a model that takes for ever to build."""
    (tmp_path / "own.py").write_text("import time\ndef build():\n print('here', flush=True)\n time.sleep(600)\n")
    (tmp_path / "net.toml").write_text('model = "own.py:build"\n[[device]]\nname = "zu3eg"\n')
    process = subprocess.Popen(
        [sys.executable, "-m", "netweave", "train", "net.toml"],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        # a shell's background jobs ignore interrupts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said.strip().startswith("stopped in train; runs/net keeps what was there before")
    assert "Traceback" not in said
    assert not list((tmp_path / "runs").glob("*"))
