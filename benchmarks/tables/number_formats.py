"""What networks keep of accuracy in DyBit and in integers."""

from __future__ import annotations

from typing import Any

from benchmarks.tables import Table, accuracy_cell, points_cell

TITLES = {
    "resnet20": "ResNet-20, CIFAR-10",
    "fashion_resnet": "residual, Fashion-MNIST",
    "fashion_mobilenet": "MobileNetV2-like, Fashion-MNIST",
    "n_mnist": "n_mnist_net, N-MNIST",
}
BITS = ((8, 8), (4, 8), (4, 4), (3, 3), (2, 4))
MODES = ("post-training", "reconstructed", "fine-tuned")
FAMILIES = {"int": "int", "dybit": "DyBit"}
NAMES = {
    "e2m1": "e2m1 (FP4; one-sided e2m2)",
    "adaptivfloat": "AdaptivFloat",
    "posit": "posit(4,1)",
    "power of two": "powers of two",
}
LABEL = "percent of all test images, measured in exact integers"
GAINS_LABEL = (
    f"points of {LABEL}, mean of the seeds, 95 % interval by bootstrap over the images; bold where 0 is not in it"
)


def accuracies(figures: dict[str, Any]) -> Table:
    """Mean of the seeds, and half the distance of the best and the worst where there are several."""
    rows = []
    for network, title in TITLES.items():
        own = figures["networks"][network]
        for bits in BITS:
            first = f"{title} ({_float(own['float'])})" if bits == BITS[0] else ""
            cells = [accuracy_cell(own[_key(bits, family, mode)]) for mode in MODES for family in FAMILIES]
            rows.append((first, f"{bits[0]}/{bits[1]}", *cells))
    head = [f"{family}, {mode}" for mode in MODES for family in FAMILIES.values()]
    return Table(LABEL, ("network, data (float, images)", "W/A", *head), rows)


def gains(figures: dict[str, Any]) -> Table:
    """Of DyBit over integers, in points, with 95 % intervals; where an interval leaves out 0 the two differ."""
    rows = []
    for network, title in TITLES.items():
        own = figures["points of DyBit over int"][network]
        for mode in MODES:
            cells = [points_cell(own[f"W{weights}/A{outputs} {mode}"]) for weights, outputs in BITS]
            rows.append((title if mode == MODES[0] else "", mode, *cells))
    return Table(GAINS_LABEL, ("network", "", *(f"W{weights}/A{outputs}" for weights, outputs in BITS)), rows)


def formats(figures: dict[str, Any]) -> Table:
    """All formats of 4 bits, for weights and activations."""
    found = figures["resnet20 W4A4, post-training, by format"]
    both: dict[str, float] = {key.partition(" weights")[0]: share for key, share in found.items() if _one(key)}
    rows = [(NAMES.get(name, name), f"{share:.2f}") for name, share in sorted(both.items(), key=lambda each: -each[1])]
    return Table(
        "percent of 6,000 test images, measured, rounded in float",
        ("format", "ResNet-20 at W4/A4, post-training"),
        rows,
    )


def _one(key: str) -> bool:
    """Whether weights and outputs have one format."""
    weights, outputs = key.split(", ")
    return weights.removesuffix(" weights") == outputs.removesuffix(" outputs")


def _key(bits: tuple[int, int], family: str, mode: str) -> str:
    return f"W{bits[0]}/A{bits[1]} {family}, {mode}"


def _float(found: dict[str, Any] | None) -> str:
    return "not run" if found is None else f"{found['mean']:.2f}, of {found['test images']:,}"
