"""``python -m benchmarks.proofs``: a part of the problems, and what was found of all."""

from __future__ import annotations

import argparse
import json

from benchmarks.proofs import COUNT, measure

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Hold the solver's words against judges.")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=COUNT)
    wanted = parser.parse_args()
    print(json.dumps(measure(wanted.count, wanted.first), indent=1))
