"""What queues, forks and lane converters take of a device."""

from __future__ import annotations

from functools import cache

from hw.fpga.device import Device, Resources
from hw.fpga.families.family import FpgaFamily
from hw.fpga.families.registry import family
from hw.fpga.formulas import ResourceEstimate, index, lut_memory, total, written_block
from hw.streams.layout import TokenLayout, index_bits
from hw.streams.stream import BLOCK_DEPTH


def queue_resources(layout: TokenLayout, depth: int, device: Device) -> Resources:
    """The resources of a queue on an edge.

    Parameters
        layout     layout of the stream
        depth      places of the queue, in beats
        device     any device with resource figures
    """
    f = family(device)
    return total(f, [queue(f, layout.width, depth)])


def fork_resources(layout: TokenLayout, ways: int, device: Device) -> Resources:
    """The resources of a fork; its payload is only wires.

    Parameters
        layout     layout of the stream
        ways       outputs
        device     any device with resource figures
    """
    f = family(device)
    return total(f, [ResourceEstimate("fork", (1.0, ways), ff=ways)])


def converter_resources(layout: TokenLayout, o_lanes: int, device: Device) -> Resources:
    """The resources of one lane converter.

    Parameters
        layout     layout of the input
        o_lanes    lanes of the output
        device     any device with resource figures
    """
    f = family(device)
    return total(f, [converter_part(layout, o_lanes)])


def place_bits(layout: TokenLayout) -> int:
    """Bits of y and x that are not always 0.

    Parameters
        layout     layout of the stream
    """
    return index(layout.shape.height) + index(layout.shape.width)


@cache
def queue(f: FpgaFamily, bits: int, depth: int, registered: bool = False) -> ResourceEstimate:
    """A queue.

    Terms: one, bits of the pointers, the same where the depth is no power of two (else 0), bits of the level.

    Parameters
        f             the device's family
        bits          bits of a beat
        depth         places
        registered    whether a register holds the oldest beat
    """
    pointers, level = 2 * index(depth), depth.bit_length()
    terms = (1.0, pointers, pointers if depth & (depth - 1) else 0, level)
    ff = pointers + level
    if depth > BLOCK_DEPTH:
        store = written_block(f, depth, bits)
        return ResourceEstimate("queue", terms, store.lut, ff + 1 + store.ff, store.bram)
    lut, registers = lut_memory(f, depth, bits)
    return ResourceEstimate("queue", terms, lut, ff + registers + (1 + bits if registered else 0))


def output(f: FpgaFamily, layout: TokenLayout, depth: int, batch: int = 1) -> tuple[ResourceEstimate, ResourceEstimate]:
    """An output queue with its count of free places.

    Terms: one, bits of the counter, bits of features (``end`` makes them 0).

    Parameters
        f          the device's family
        layout     layout of the output
        depth      places of the queue
        batch      beats that are reserved together
    Returns        the queue, and the counter of its free places
    """
    counter_bits = 1 + max(batch - 1, depth - batch).bit_length()
    features = layout.lanes * layout.dtype.width
    return queue(f, 1 + place_bits(layout) + features, depth), ResourceEstimate(
        "output", (1.0, counter_bits, features), ff=counter_bits + 1
    )


@cache
def converter_part(layout: TokenLayout, o_lanes: int) -> ResourceEstimate:
    """One lane converter.

    Terms of widening: one, bits that are collected, bits of the counter; of narrowing: bits that move, bits of the
    counter, their product.

    Parameters
        layout     layout of the input
        o_lanes    lanes of the output
    """
    few, many = sorted((layout.lanes, o_lanes))
    ways = many // few
    lanes = many * layout.dtype.width
    place = 1 + index_bits(layout.shape.height) + index_bits(layout.shape.width)
    if o_lanes > layout.lanes:
        ff = 1 + place + lanes + lanes * (ways - 1) // ways + index(ways)
        return ResourceEstimate("widen", (1.0, lanes * (ways - 1) // ways, index(ways)), ff=ff)
    moved, level = lanes * (ways - 1) // ways, ways.bit_length()
    return ResourceEstimate("narrow", (moved, level, moved * level), ff=place + lanes + level)
