"""``python -m benchmarks.solve_time PART``: measure a part of the solver's time, keep its figures, print them."""

from __future__ import annotations

import argparse
import json

from benchmarks.solve_time import PARTS, kept

parser = argparse.ArgumentParser(description="Measure a part of the solver's time, keep its figures, print them.")
parser.add_argument("part", choices=PARTS)
print(json.dumps(kept(parser.parse_args().part)))
