"""The ways that else only large networks take, taken by small ones."""

from __future__ import annotations

import pytest

from dse import effort, restrict, search
from dse.labels import passes


def as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels of large networks carry the times of the longest way alone, many are merged, and their weights are fitted;
    now those of small ones are."""
    for module in (restrict, search):
        monkeypatch.setattr(module, "WHOLE", 0)
        monkeypatch.setattr(module, "LEAF", 0)
    monkeypatch.setattr(restrict, "LABEL_LIMITS", (100, 400))
    monkeypatch.setattr(restrict, "FEW", 0)


def as_if_folded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels of long networks do not tell apart what the shortcuts write, and forget where they led; now all do."""
    as_if_large(monkeypatch)
    monkeypatch.setattr(restrict, "FOLDED", 0)
    monkeypatch.setattr(passes, "TRAILED", 0)


def as_if_hard(monkeypatch: pytest.MonkeyPatch) -> None:
    """What labels and HiGHS do not find at once is split; now they find next to nothing."""
    as_if_large(monkeypatch)
    for module in (restrict, search):
        monkeypatch.setattr(module, "LEAF", 8)
    monkeypatch.setattr(effort, "EFFORTS", ((1, None, 0),))
    monkeypatch.setattr(effort, "PART_BEAM", 1)
    monkeypatch.setattr(effort, "SOLVER_CANDIDATES", 0)
