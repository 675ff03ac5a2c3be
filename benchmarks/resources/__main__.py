"""``python -m benchmarks.resources fit|synthesize FAMILY ...``: the best factors; only the syntheses."""

from __future__ import annotations

import sys

from benchmarks.resources import FIT, HELD_OUT, samples
from benchmarks.resources.fit import fit
from benchmarks.resources.made import DEVICE
from hw.device import DEVICES
from hw.fabric import FAMILIES


def synthesize(family: str) -> None:
    device = DEVICES[DEVICE[family]]
    for sample in samples(family, [*FIT[family], *HELD_OUT[family]]):
        said, made = sample.op.resources(device), sample.made.resources
        print(f"{family} {sample.seed}  {said} {made}  {said.lut / made.lut - 1:+.0%}  {sample.title}", flush=True)


def main(command: str, families: list[str]) -> None:
    for family in families:
        if command == "synthesize":
            synthesize(family)
            continue
        f = FAMILIES[family]
        for kind, factors in fit(f, [(sample.op, sample.made) for sample in samples(family, FIT[family])]).items():
            print(f'    "{kind}": {factors!r},')


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
