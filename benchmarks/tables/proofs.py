"""What the solver said of wide random problems."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table

SAID = ("optimal", "within gap", "infeasible", "feasible", "gave up")
FAILED = ("raised", "crashed", "hung")


def words(figures: dict[str, Any]) -> Table:
    """How often each word was said, and was false; and how often the solver failed."""
    statuses, false = figures["statuses"], figures["false words"]
    wrong = sum(count for kind, count in false.items() if kind not in FAILED)
    rows = [("answers", figures["answers"]), *((f"`{said}`", statuses.get(said, 0)) for said in SAID)]
    failed = sum(statuses.get(kind, 0) for kind in FAILED)
    undecided = sum(figures["words that no judge could decide"].values())
    rows += [("words found false", wrong), ("words that neither judge could decide", undecided)]
    rows += [("ended in an exception, a crash, or not at all", failed)]
    cells = [(what, f"{count:,}") for what, count in rows]
    return Table("counted", ("", f"of {figures['problems']:,} problems"), cells)
