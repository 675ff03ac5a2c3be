"""Queues, forks and lane converters: registers against those of the RTL, and the figures that a family lacks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from hw.fpga.families.registry import DEVICES, FAMILIES
from hw.resources.streams import (
    converter_part,
    converter_resources,
    fork_resources,
    output,
    place_bits,
    queue,
    queue_resources,
)
from hw.streams.layout import TokenLayout
from hw.streams.stream import BLOCK_DEPTH, Fork, Queue, converter
from models.ir.formats.integer import IntType
from models.ir.node import Shape
from tests.support.estimates import assert_near, synthesized
from tests.support.registers import register_bits

LAYOUT = TokenLayout(Shape(8, 8, 8), IntType(8), 2)


@pytest.mark.parametrize("depth", [2, 5, 8, 20])
def test_registers_of_a_queue_are_those_of_the_rtl(depth: int) -> None:
    """Its words are in LUTs, except in the smallest, which Yosys makes of registers."""
    part = queue(FAMILIES["ecp5"], LAYOUT.width, depth)
    words = 0 if part.ff < LAYOUT.width else depth * LAYOUT.width
    assert part.ff - words == register_bits(Queue(LAYOUT.struct, depth))


@pytest.mark.parametrize("ways", [2, 3, 5])
def test_registers_of_a_fork_are_those_of_the_rtl(ways: int) -> None:
    assert fork_resources(LAYOUT, ways, DEVICES["zu3eg"]).ff == register_bits(Fork(LAYOUT.struct, ways)) == ways


@pytest.mark.parametrize(("lanes", "o_lanes"), [(2, 8), (1, 2), (2, 1), (8, 1), (4, 2)])
def test_registers_of_a_converter_are_those_of_the_rtl(lanes: int, o_lanes: int) -> None:
    layout = dataclasses.replace(LAYOUT, lanes=lanes)
    assert converter_part(layout, o_lanes).ff == register_bits(converter(layout, o_lanes))


def test_a_side_of_one_has_no_place() -> None:
    """Of 5 x 1 sites only y has bits: 3 of them."""
    assert place_bits(dataclasses.replace(LAYOUT, shape=Shape(5, 1, 8))) == 3


def test_an_output_counts_the_places_that_are_free() -> None:
    """Of 12 places, of which 3 are reserved together, 9 are left at the most: 4 bits, and a sign."""
    stored, counted = output(FAMILIES["xcup"], LAYOUT, 12, 3)
    assert stored == queue(FAMILIES["xcup"], 1 + 6 + 16, 12)
    assert counted.terms == (1.0, 1 + 4, 16)
    assert counted.ff == 1 + 4 + 1


def test_a_family_without_figures_is_named() -> None:
    odd = dataclasses.replace(DEVICES["zu3eg"], name="mine", family="stratix")
    with pytest.raises(ValueError, match=r"device 'mine', field 'family': no resource figures for 'stratix'; .* ecp5"):
        fork_resources(LAYOUT, 2, odd)


def test_a_deep_queue_is_a_block_memory() -> None:
    shallow, deep = (queue_resources(LAYOUT, depth, DEVICES["zu3eg"]) for depth in (BLOCK_DEPTH, BLOCK_DEPTH + 1))
    assert shallow.bram == 0
    assert deep.bram == 1
    assert deep.lut < shallow.lut


@pytest.mark.slow
@pytest.mark.parametrize("device", ["zu3eg", "ecp5-85k"])
def test_what_composition_adds_is_near_what_yosys_makes(device: str, tmp_path: Path) -> None:
    target = DEVICES[device]
    pairs = [
        (queue_resources(LAYOUT, 20, target), Queue(LAYOUT.struct, 20)),
        (queue_resources(LAYOUT, 200, target), Queue(LAYOUT.struct, 200)),
        (fork_resources(LAYOUT, 3, target), Fork(LAYOUT.struct, 3)),
        (converter_resources(LAYOUT, 8, target), converter(LAYOUT, 8)),
        (converter_resources(LAYOUT, 1, target), converter(LAYOUT, 1)),
    ]
    for estimated, component in pairs:
        assert_near(estimated, synthesized(component, target, tmp_path))
