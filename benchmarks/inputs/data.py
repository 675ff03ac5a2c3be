"""Where the data are that tests and benchmarks may read and that are no part of the project."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("NETWEAVE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
