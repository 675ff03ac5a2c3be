# amaranth: UnusedElaboratable=no
"""The rules of a frame, beat by beat: the fault of each wrong beat, and the beats that are made up in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from amaranth.hdl import ClockDomain, Module, Value
from amaranth.sim import Simulator

from hw.interface.axi_layout import AxiLayout, Beat, Form
from hw.interface.rules import FAULTS, Fault, FrameRules, MaskRules, PixelRules, TokenRules, frame_rules
from hw.streams.layout import MaskLayout, TokenLayout
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from tests.hw.interface.simulate import packed

UINT8 = IntType(8, signed=False)
TOKENS = AxiLayout(Form.TOKENS, TokenLayout(Shape(2, 3, 2), UINT8, 1))
PIXELS = AxiLayout(Form.PIXELS, TokenLayout(Shape(1, 2, 2), UINT8, 1))
MASK = AxiLayout(Form.MASK, MaskLayout(Shape(2, 5, 2), UINT8, 1, 8))
FILLED = None
"""In place of a beat from outside: one that is made up."""


class Shown(NamedTuple):
    """The outputs while a beat is shown."""

    wrong: int
    payload: int
    closes: int
    alone: int


def play(rules: FrameRules, sequences: Sequence[Sequence[Beat | None]]) -> list[list[Shown]]:
    """The outputs at each beat of each sequence, which begins after a reset; all beats go to the accelerator."""
    shown: list[list[Shown]] = []
    port: Any = rules
    top = Module()
    top.domains.sync = clock = ClockDomain()
    top.submodules.dut = rules

    async def bench(ctx: Any) -> None:
        for beats in sequences:
            ctx.set(clock.rst, 1)
            await ctx.tick()
            ctx.set(clock.rst, 0)
            ctx.set(port.step, 1)
            shown.append([])
            for beat in beats:
                ctx.set(port.fill, beat is None)
                if beat is not None:
                    ctx.set(Value.cast(port.beat), packed(rules.layout, beat))
                shown[-1].append(Shown(*(ctx.get(getattr(port, name)) for name in Shown._fields)))
                await ctx.tick()

    simulator = Simulator(top)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return shown


def check(rules: FrameRules, cases: Sequence[tuple[Sequence[Beat], Beat, Fault | None]]) -> None:
    """The last beat of each case, after good ones, has the fault that is named, and only this one."""
    for (before, beat, fault), shown in zip(cases, play(rules, [[*own, beat] for own, beat, _ in cases]), strict=True):
        expected = [0] * len(before) + [0 if fault is None else 1 << fault]
        assert [one.wrong for one in shown] == expected, (before, beat, fault)


def token(y: int, x: int, code: int = 9, keep: int = 3, last: bool = False) -> Beat:
    return Beat(y << 1 | x << 2 | code << 4, keep, last)


END = Beat(1, 3, True)
WHOLE = [token(0, 1), token(0, 1)]


def test_tokens() -> None:
    cases = [
        ([], token(0, 0), None),
        ([], END, None),
        ([], token(1, 3), Fault.RANGE),
        ([], token(1, 3, keep=1, last=True), Fault.KEEP),
        ([], token(1, 3, last=True), Fault.RANGE),
        ([], token(1, 2, last=True), Fault.SHORT),
        ([], Beat(1, 3, False), Fault.LONG),
        ([token(0, 1)], token(0, 1), None),
        ([token(0, 1)], token(0, 2), Fault.PLACE),
        ([token(0, 1)], END, Fault.SHORT),
        (WHOLE, token(0, 2), None),
        (WHOLE, token(1, 0), None),
        (WHOLE, token(0, 1), Fault.ORDER),
        (WHOLE, token(0, 0), Fault.ORDER),
        (WHOLE, END, None),
        ([*WHOLE, END], token(0, 0), None),
    ]
    check(TokenRules(TOKENS), cases)


def pixel(keep: int = 1, last: bool = False) -> Beat:
    return Beat(7, keep, last)


def test_pixels() -> None:
    cases = [
        (0, pixel(keep=0, last=True), None),
        (0, pixel(keep=0), Fault.KEEP),
        (0, pixel(last=True), Fault.SHORT),
        (2, pixel(keep=0, last=True), Fault.KEEP),
        (2, pixel(last=True), Fault.SHORT),
        (3, pixel(last=True), None),
        (3, pixel(), Fault.LONG),
    ]
    check(PixelRules(PIXELS), [([pixel()] * before, beat, fault) for before, beat, fault in cases])


def word(bits: int, last: bool = False, keep: int = 1) -> Beat:
    return Beat(bits, keep, last)


MASKS = [
    ([], word(0x81), None),
    ([], word(0x00, last=True), Fault.SHORT),
    ([], word(0x00, last=True, keep=0), Fault.KEEP),
    ([0x00], word(0xFC, last=True), None),  # the six bits after the last site are ignored
    ([0x00], word(0xFC), Fault.LONG),
    ([0x01], word(0x00, last=True), Fault.SHORT),
    ([0x01, 0x00, 5], word(6, last=True), None),
    ([0x01, 0x00, 5], word(6), Fault.LONG),
    ([0x01, 0x02, 5], word(6, last=True), Fault.SHORT),
]
DENSE_MASKS = [
    ([], word(0xFE), Fault.MASK),
    ([], word(0x01), Fault.MASK),
    ([0xFF], word(0xFF), None),
    ([0xFF], word(0x01), Fault.MASK),
    ([0x00], word(0x02, last=True), Fault.MASK),
    ([0x00], word(0x00, last=True), None),
]


@pytest.mark.parametrize(("dense_only", "cases"), [(False, MASKS), (True, DENSE_MASKS)])
def test_masks(dense_only: bool, cases: list[tuple[list[int], Beat, Fault | None]]) -> None:
    check(
        MaskRules(MASK, dense_only), [([word(bits) for bits in before], beat, fault) for before, beat, fault in cases]
    )


def made_up(rules: FrameRules, sequences: Sequence[tuple[Sequence[Beat], int]]) -> list[list[int]]:
    """After the beats of each sequence the payloads up to the end of its frame, of which there must be so many."""
    result = []
    for (before, count), shown in zip(
        sequences, play(rules, [[*own, *[FILLED] * n] for own, n in sequences]), strict=True
    ):
        filled = shown[len(before) :]
        assert [one.closes for one in filled] == [0] * (count - 1) + [1]
        result.append([one.payload for one in filled])
    return result


def test_a_token_is_completed_with_zeros_and_closed() -> None:
    payloads = made_up(TokenRules(TOKENS), [([], 1), (WHOLE, 1), ([*WHOLE, token(1, 2)], 2)])
    assert payloads == [[1], [1], [1 << 1 | 2 << 2, 1]]


def test_pixels_are_completed_with_zeros_and_closed() -> None:
    """A pixel's payload: end, y and x, a bit each, and the code."""
    assert made_up(PixelRules(PIXELS), [([], 1), ([pixel()], 4)]) == [[1], [0, 1 << 2, 1 << 2, 1]]
    (shown,) = play(PixelRules(PIXELS), [[pixel(), pixel(), pixel(), pixel(last=True), FILLED, FILLED]])
    assert [one.payload for one in shown] == [7 << 3, 7 << 3, 7 << 3 | 1 << 2, 7 << 3 | 1 << 2, 1, 1]
    assert [one.alone for one in shown] == [0, 0, 0, 0, 1, 0]


def test_masks_are_completed_with_no_site_or_with_all() -> None:
    assert made_up(MaskRules(MASK, False), [([word(0x05)], 1 + 2 * 2), ([], 2)]) == [[0] * 5, [0, 0]]
    dense = made_up(MaskRules(MASK, True), [([word(0xFF)], 1 + 2 * 10), ([word(0x00)], 1)])
    assert dense == [[0x03] + [0] * 20, [0]]


def test_every_fault_has_a_text_and_every_form_its_rules() -> None:
    assert list(FAULTS) == list(Fault)
    components = [frame_rules(layout, True) for layout in (TOKENS, PIXELS, MASK)]
    assert [type(component) for component in components] == [TokenRules, PixelRules, MaskRules]
    # a beat of zeros with all of its bytes begins a frame of any form, and closes none
    shown = [play(component, [[Beat(0, component.layout.keep_all, False)]])[0][0] for component in components]
    assert [(one.wrong, one.closes) for one in shown] == [(0, 0)] * 3
