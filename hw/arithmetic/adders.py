"""Adders in LUTs: two numbers with a carry, and trees of adders with registers between them."""

from __future__ import annotations

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Signal, Value

from hw.arithmetic.packing import TREE_RADIX


def tree_stages(terms: int) -> int:
    """The number of registers in series in an adder tree.

    Parameters
        terms      numbers that are added, at least 1
    """
    stages = 0
    while terms > 1:
        terms = -(-terms // TREE_RADIX)
        stages += 1
    return stages


def add(a: Value, b: Value, carry: Value | None) -> Value:
    """The sum of two signed numbers and a carry, in a single adder.

    Parameters
        a          signed number
        b          signed number
        carry      1 bit to add; None means 0
    """
    if carry is None:
        return a + b
    return (Cat(Const(1, 1), a).as_signed() + Cat(carry, b).as_signed())[1:].as_signed()


def add_tree(
    m: Module, terms: Sequence[Value], name: str, carries: Sequence[Value] = (), stages: int = 0
) -> tuple[Value, list[Value]]:
    """The sum of signed numbers by a pipelined adder tree, ``max(tree_stages(len(terms)), stages)`` cycles later.

    Parameters
        m          module that gets the logic
        terms      signed numbers, at least one
        name       prefix of the names of new signals
        carries    bits to add as well, by the carry inputs of the adders
        stages     registers in series, where they are more than the tree needs
    Returns        (the sum, the carries that no adder of the tree adds, delayed as long as the sum)
    """
    terms, pending = list(terms), list(carries)
    stage = 0
    while len(terms) > 1 or stage < stages:
        sums = []
        for n in range(0, len(terms), TREE_RADIX):
            group = terms[n : n + TREE_RADIX]
            pairs = []
            for k in range(0, len(group), 2):
                pair = group[k]
                if k + 1 < len(group):
                    pair = add(group[k], group[k + 1], pending.pop() if pending else None)
                # "keep" stops Yosys from merging the four terms into carry-save adders, which take more LUTs
                pairs.append(Signal(pair.shape(), name=f"{name}_pair{stage}_{n + k}", attrs={"keep": 1}))
                m.d.comb += pairs[-1].eq(pair)
            total = pairs[0]
            if len(pairs) > 1:
                total = add(pairs[0], pairs[1], pending.pop() if pending else None)
            register = Signal(total.shape(), name=f"{name}_sum{stage}_{n // TREE_RADIX}")
            m.d.sync += register.eq(total)
            sums.append(register)
        waiting = [Signal(name=f"{name}_carry{stage}_{n}") for n in range(len(pending))]
        m.d.sync += [register.eq(carry) for register, carry in zip(waiting, pending, strict=True)]
        terms, pending, stage = sums, list(waiting), stage + 1
    return terms[0], pending
