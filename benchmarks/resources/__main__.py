"""``python -m benchmarks.resources fit|constants|windows|synthesize FAMILY ...``.

The best factors; those of weights that never change, from arrays that have such; those of line buffers read at all
taps, from sliding-window generators alone; only the syntheses.
"""

from __future__ import annotations

import sys
from itertools import chain

from benchmarks.resources import (
    ALONE_PULL,
    CONSTANT_KINDS,
    FIT,
    HELD_OUT,
    WINDOW_KINDS,
    constant_samples,
    samples,
    window_samples,
)
from benchmarks.resources.fit import PULL, fit
from benchmarks.resources.made import DEVICE
from hw.fpga.families.registry import DEVICES, FAMILIES


def synthesize(family: str) -> None:
    device = DEVICES[DEVICE[family]]
    some = (constant_samples, window_samples)
    alone = (found(family, held_out=held_out) for found in some for held_out in (False, True))
    for sample in chain(samples(family, [*FIT[family], *HELD_OUT[family]]), *alone):
        said, made = sample.op.resources(device), sample.made.resources
        print(f"{family} {sample.seed}  {said} {made}  {said.lut / made.lut - 1:+.0%}  {sample.title}", flush=True)


def main(command: str, families: list[str]) -> None:
    for family in families:
        if command == "synthesize":
            synthesize(family)
            continue
        f = FAMILIES[family]
        if command == "constants":
            found, kinds, pull = constant_samples(family, held_out=False), CONSTANT_KINDS, ALONE_PULL
        elif command == "windows":
            found, kinds, pull = window_samples(family, held_out=False), WINDOW_KINDS, PULL
        else:
            alone = {*CONSTANT_KINDS, *WINDOW_KINDS}
            found, kinds, pull = samples(family, FIT[family]), f.coefficients.keys() - alone, PULL
        for kind, factors in fit(f, [(sample.op, sample.made) for sample in found], kinds, pull).items():
            print(f'    "{kind}": {factors!r},')


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
