"""LUTs per term (``hw.fpga.lut_coefficients``) that bring the estimates of many ops nearest to what Yosys makes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from sklearn.linear_model import LinearRegression

from benchmarks.resources.constants import ConstantSums
from benchmarks.resources.made import Made
from benchmarks.resources.netlist import CONTROL
from benchmarks.resources.windows import SiteGenerator
from hw.fpga.families.family import FpgaFamily
from hw.fpga.formulas import ResourceEstimate
from hw.ops.op import Op

GROUP = {
    "operands": "operands", "weights": "operands", "products": "products", "chosen": "products",
    "shifted": "products", "constants": "products", "adders": "adders", "trees": "adders", "maxima": "maxima",
    "accumulators": "accumulators", "requantizer": "requantizer", "drain": "requantizer", "frame_sums": "frame_sums",
    "queue": "queue", "output": "queue", "token_source": "source", "window_source": "source", "sparse_source": "source",
    "banks": "source", "sequencer": "sequencer",
}  # fmt: skip
"""The group of the netlist to which a kind of part belongs, if not ``CONTROL``."""
GROUP_WEIGHT = 0.5
"""How much a group's error counts against the whole op's."""
PULL = 20.0
"""How much a factor is pulled to the present one: ops are few, and terms that come together keep a share each."""
ROUNDS = 8
EVEN = 0.02
"""Relative errors below this count alike; above, an op counts the less the worse it fits: least absolute errors."""


def fit(
    f: FpgaFamily,
    ops: Sequence[tuple[Op | ConstantSums | SiteGenerator, Made]],
    kinds: Collection[str],
    pull: float = PULL,
) -> dict[str, tuple[float, ...]]:
    """Those of ``kinds``; others stay. None is negative, and a kind that no op has keeps its factors."""
    places = [(kind, n) for kind, factors in f.coefficients.items() for n in range(len(factors))]
    column = {place: n for n, place in enumerate(places)}
    present = np.array([f.coefficients[kind][n] for kind, n in places])
    rows: list[np.ndarray] = []
    rest, weights, owner = [], [], []
    for number, (op, made) in enumerate(ops):
        for group, parts, luts in _equations(op.parts(f), made):
            row = np.zeros(len(places))
            for part in parts:
                for n, term in enumerate(part.terms):
                    row[column[part.kind, n]] += term
            rows.append(row)
            rest.append(luts - sum(part.lut for part in parts))
            weights.append((GROUP_WEIGHT if group else 1.0) / made.resources.lut)
            owner.append(number)
    terms, target, scale = np.array(rows), np.array(rest), np.array(weights)
    unit = np.abs(terms).mean(axis=0)
    pulls = pull * np.sqrt(len(ops)) * unit / np.mean([made.resources.lut for _, made in ops])
    used = (unit > 0) & np.array([kind in kinds for kind, _ in places])
    target = target - terms[:, ~used] @ present[~used]
    factors, robust = present, np.ones(len(ops))
    for _ in range(ROUNDS):
        weight = scale * robust[owner]
        left = np.vstack([(terms * weight[:, None]), np.diag(pulls)])[:, used]
        right = np.concatenate([target * weight, pulls * present])
        factors = present.copy()
        factors[used] = LinearRegression(fit_intercept=False, positive=True).fit(left, right).coef_
        whole = np.array([group is None for op, made in ops for group, *_ in _equations(op.parts(f), made)])
        errors = np.abs((terms[:, used] @ factors[used] - target) * scale)[whole]
        robust = 1 / np.sqrt(np.maximum(errors, EVEN) / EVEN)
    values = np.round(factors, 2)
    return {
        kind: tuple(float(values[column[kind, n]]) for n in range(len(old)))
        for kind, old in f.coefficients.items()
        if kind in kinds
    }


def _equations(
    parts: Sequence[ResourceEstimate], made: Made
) -> Iterable[tuple[str | None, list[ResourceEstimate], float]]:
    """(group or None for the whole op, its parts, its LUTs); only the whole where LUTs were not grouped."""
    yield None, list(parts), made.resources.lut
    if not made.groups:
        return
    for group in dict.fromkeys([*GROUP.values(), CONTROL]):
        some = [part for part in parts if GROUP.get(part.kind, CONTROL) == group]
        if some or made.groups.get(group):
            yield group, some, made.groups.get(group, 0)
