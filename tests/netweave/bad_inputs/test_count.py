"""How many bad inputs the tables beside this file have, and that no two are the same."""

from __future__ import annotations

import importlib
from collections import Counter
from pathlib import Path

from tests.netweave.bad_inputs.support import TABLES

LEAST = 400


def test_there_are_many_bad_inputs_and_none_twice() -> None:
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        importlib.import_module(f"{__package__}.{path.stem}")
    rows = [row for table in TABLES for row in table]
    assert len(rows) >= LEAST
    for table in TABLES:
        names = Counter(row[0] for row in table)
        # breaks are functions, of which each is another one: texts alone are compared
        inputs = Counter(row[1:-1] for row in table if all(isinstance(part, str) for part in row))
        assert [what for counts in (names, inputs) for what, count in counts.items() if count > 1] == []
    assert "?" not in {row[-1] for row in rows}, "each row says what the message must have"
