"""``python -m benchmarks.number_formats``: evaluate what is not there yet, a line each; ``gather``: results alone.

As ``python -m benchmarks number_formats``, but seen at work; and with ``gather``, results of what was run so far.
"""

from __future__ import annotations

import sys

import torch

from benchmarks import __main__ as benchmarks
from benchmarks import number_formats
from benchmarks.number_formats.tables import evaluate, result, wanted


def run() -> None:
    torch.set_num_threads(1)
    for evaluation in wanted():
        if result(evaluation) is None:
            found = evaluate(evaluation)
            print(f"{evaluation.name}: {100 * found['correct'] / found['of']:.2f} %, {found['seconds']} s", flush=True)


def main(command: str) -> None:
    if command == "run":
        run()
    print(benchmarks.write("number_formats", number_formats.gathered(), number_formats.seconds()))


if __name__ == "__main__":
    main(*sys.argv[1:] or ["run"])
