# amaranth: UnusedElaboratable=no
"""The steps of each site, in order and in their cycles, against loops over folds, taps and words."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from amaranth.hdl import ClockDomain, Module
from amaranth.sim import Simulator

from hw.line_buffer.sequencer import Folds, Sequencer
from hw.line_buffer.token_buffer import site_layout

DEPTH = 64


class Step(NamedTuple):
    """One step: what it computes, and which marks it has."""

    end: int
    x: int
    group: int
    word: int
    tap: tuple[int, int]
    first: int
    last: int
    final: int


class Issue(NamedTuple):
    """A step and the cycle in which it is issued, with the places that it reserves."""

    cycle: int
    step: Step
    reserve: int


SITES = [(0, 0b101110001), (0, 0b000010000), (1, 0), (1, 0), (0, 0), (0, 0b101000010), (1, 0)]
"""(``end``, active taps) of each site: two frames, an empty one between, and sites of one tap, of some and of none."""


def steps_of(folds: Folds, number: int, end: int, mask: int) -> list[Step]:
    """The steps of a site by loops; a site without an active tap has one that reads any."""
    if end:
        return [Step(1, number, 0, 0, (0, 0), 0, 0, 1)]
    taps = [(0, 0)]
    if folds.kernel:
        rows, columns = folds.kernel
        taps = [divmod(n, columns) for n in range(rows * columns) if mask >> n & 1] or taps
    return [
        Step(
            0, number, group, word, tap,
            first=int(tap == taps[0] and word == 0),
            last=int(tap == taps[-1] and word == folds.synapse_folds - 1),
            final=int(
                tap == taps[-1] and word == folds.synapse_folds - 1 and group == folds.neuron_folds - 1
            ),
        )
        for group in range(folds.neuron_folds)
        for tap in taps
        for word in range(folds.synapse_folds)
    ]  # fmt: skip


def play(folds: Folds, room: float) -> tuple[list[Issue], list[int]]:
    """(every step, the number of each site that begins) for ``SITES``; the queue has room a share of the cycles."""
    layout = site_layout(1, 16, {"mask": 9} if folds.kernel else {})
    dut = Sequencer(folds, layout, DEPTH)
    port: Any = dut
    rng = np.random.default_rng(0)
    issued: list[Issue] = []
    begun: list[int] = []
    total = sum(len(steps_of(folds, n, *site)) for n, site in enumerate(SITES))

    async def bench(ctx: Any) -> None:
        sent = cycle = 0
        idle = False
        while len(issued) < total or not idle:
            assert cycle < 2000, f"hang after {len(issued)} of {total} steps"
            ctx.set(port.site.valid, sent < len(SITES))
            if sent < len(SITES):
                end, mask = SITES[sent]
                fields = {"end": end, "y": 0, "x": sent} | ({"mask": mask} if folds.kernel else {})
                ctx.set(port.site.payload, fields)
            ctx.set(port.open, bool(rng.random() < room))
            if ctx.get(port.begins):
                begun.append(ctx.get(port.begun.x))
            # what was begun and not issued yet is at most the next step
            idle = bool(ctx.get(port.idle))
            step = port.step
            if ctx.get(port.valid):
                end = ctx.get(step.end)
                first, last = (0, 0) if end else (ctx.get(step.first), ctx.get(step.last))
                group, word = (0, 0) if end else (ctx.get(step.group), ctx.get(step.word))
                tap = (0, 0) if end or not folds.kernel else (ctx.get(step.tap_y), ctx.get(step.tap_x))
                own = Step(end, ctx.get(step.x), group, word, tap, first, last, ctx.get(step.final))
                issued.append(Issue(cycle, own, ctx.get(port.reserve)))
                assert ctx.get(port.done) == own.final
            else:
                assert not ctx.get(port.reserve)
                assert not ctx.get(port.done)
            if sent < len(SITES) and ctx.get(port.site.ready):
                sent += 1
            await ctx.tick()
            cycle += 1

    top = Module()
    top.domains.sync = ClockDomain()
    top.submodules.dut = dut
    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return issued, begun


FOLDS = [
    Folds(1, 1, 1),
    Folds(3, 2, 4),
    Folds(2, 3, 1, kernel=(3, 3)),
    Folds(1, 1, 3, kernel=(3, 3)),
    Folds(2, 2, 2, whole_frame=True),
    Folds(1, 1, 5, kernel=(3, 3), whole_frame=True),
]


@pytest.mark.parametrize("folds", FOLDS, ids=str)
def test_steps_are_those_of_nested_loops(folds: Folds) -> None:
    issued, begun = play(folds, 0.5)
    expected = [step for n, site in enumerate(SITES) for step in steps_of(folds, n, *site)]
    assert [one.step for one in issued] == expected
    assert begun == list(range(len(SITES)))
    if folds.whole_frame:
        reserve = [folds.neuron_folds * folds.beats + 1 if step.end else 0 for step in expected]
    else:
        reserve = [1 if step.end else folds.beats if step.first else 0 for step in expected]
    assert [one.reserve for one in issued] == reserve


@pytest.mark.parametrize("folds", FOLDS, ids=str)
def test_a_step_per_cycle_but_where_beats_must_leave_first(folds: Folds) -> None:
    issued, _ = play(folds, 1.0)
    cycles = []
    free = 0
    now = 2  # from the first site to its first step
    for _, step, _ in issued:
        if step.end or (step.last and not folds.whole_frame):
            now = max(now, free)
        cycles.append(now)
        if step.last and not folds.whole_frame:
            free = now + folds.beats
        elif step.end and folds.whole_frame:
            free = now + folds.neuron_folds * folds.beats + 1
        now += 1
    assert [one.cycle for one in issued] == cycles


@pytest.mark.parametrize(
    ("folds", "taps", "cycles", "end"),
    [
        (Folds(4, 3, 2), 9, 12, 2),  # 4 folds of 3 words; all taps in a step
        (Folds(4, 1, 2), 9, 8, 2),  # the beats of a fold take longer than its steps
        (Folds(2, 3, 1, kernel=(3, 3)), 5, 30, 1),
        (Folds(2, 3, 1, kernel=(3, 3)), 0, 6, 1),
        (Folds(2, 1, 4, kernel=(3, 3)), 3, 8, 4),
        (Folds(2, 1, 4, kernel=(3, 3), whole_frame=True), 3, 6, 1),
    ],
)
def test_cycles_of_a_site_and_of_an_end_worked_out_by_hand(folds: Folds, taps: int, cycles: int, end: int) -> None:
    assert folds.cycles(taps) == cycles
    assert folds.end_cycles == end


def test_a_whole_frame_s_beats_leave_at_its_end() -> None:
    assert Folds(3, 1, 4, whole_frame=True).end_beats == Folds(3, 1, 4, whole_frame=True).end_interval == 13
    assert (Folds(3, 1, 4).end_beats, Folds(3, 1, 4).end_interval) == (1, 1)
