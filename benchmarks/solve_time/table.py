"""The proofs of published networks as the table of docs/solver.md."""

from __future__ import annotations

from typing import Any

HEAD = ("network", "candidates", "1 % asked, 60 s at most", "0.5 %, 300 s", "the best, 100 s")


def table(networks: dict[str, dict[str, Any]]) -> str:
    """Markdown: of each network, its candidates, and of each gap asked for the gap reached and the CPU seconds."""
    lines = [" | ".join(HEAD), " | ".join(["---", *["---:"] * (len(HEAD) - 1)])]
    for label, figures in networks.items():
        answers = [found for found in figures.values() if isinstance(found, dict)]
        lines.append(" | ".join([label, f"{figures['candidates']:,}", *map(_shown, answers)]))
    return "\n".join(f"| {line} |" for line in lines)


def _shown(found: dict[str, Any]) -> str:
    seconds = f"{found['CPU seconds']:.0f} s"
    if "gap" not in found:
        return f"{found['status']}, {seconds}"
    return f"best, {seconds}" if found["status"] == "optimal" else f"{100 * found['gap']:.2f} %, {seconds}"
