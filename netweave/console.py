"""Where the command writes: results and progress to standard output, warnings and errors to standard error."""

from __future__ import annotations

from rich.console import Console

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
