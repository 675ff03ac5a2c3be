"""What the commands show of what came of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from netweave import commands
from reports.html import REPORT
from tests.reports.example import report


def test_long_names_are_folded_and_not_cut(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.out, "_width", 80)
    made = report()
    name = "dybit4xint8-mixed-with-a-name-of-more-letters-than-the-terminal-has-columns-beside-the-figures"
    target = made.targets[0]
    points = [
        point.model_copy(update={"name": name} if point.name == target.design.point else {}) for point in target.points
    ]
    design = target.design.model_copy(update={"point": name})
    changed = target.model_copy(update={"points": points, "design": design})
    (tmp_path / "report").mkdir()
    made.model_copy(update={"targets": [changed]}).save(tmp_path / "report" / REPORT)
    commands._summary(tmp_path)
    shown = capsys.readouterr().out
    assert "…" not in shown
    # the letters of the name's column, line below line
    pieces = [line.split() for line in shown[: shown.index("assumed clock")].splitlines()]
    assert "".join(piece for line in pieces for piece in line if len(piece) > 2 and piece in name) == name


def test_the_summary_stands_for_all_frames_and_names_its_clock(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands.out, "_width", 200)
    made = report()
    (tmp_path / "report").mkdir()
    made.save(tmp_path / "report" / REPORT)
    commands._summary(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    for target in made.targets:
        design = target.design
        # frames of a sparse network differ, and the RTL's figure is that of the first one
        label = "simulated" if design.density else "rtl"
        (row,) = (line for line in lines if line.startswith(f" {target.device} "))
        assert f"{design.latency[label] / target.clock_mhz:.1f} {label}" in row
        assert f"{target.device}: at {target.clock_mhz:g} MHz, {'routed' if design.built else 'assumed clock'}" in lines
        assert f"{design.test.percent:.2f} %" in row
    assert {bool(target.design.density) for target in made.targets} == {True, False}
    assert "float test accuracy 97.96 %" in " ".join(lines)
