"""A serial line's other end in Amaranth's simulator: bytes said bit by bit, and a receiver written from scratch."""

from __future__ import annotations

from typing import Any

CYCLES = 5
"""Clock cycles a bit."""


async def say(ctx: Any, rx: Any, byte: int, stop: int = 1) -> None:
    for bit in (0, *(byte >> n & 1 for n in range(8)), stop):
        ctx.set(rx, bit)
        await ctx.tick().repeat(CYCLES)


def listener(tx: Any, heard: list[int], cycles: int = CYCLES) -> Any:
    """A receiver of its own: waits for the edge, then samples in the middle of each bit."""

    async def listen(ctx: Any) -> None:
        while True:
            await ctx.tick()
            if ctx.get(tx):
                continue
            await ctx.tick().repeat(cycles // 2)
            bits = []
            for _ in range(9):
                await ctx.tick().repeat(cycles)
                bits.append(ctx.get(tx))
            if bits.pop() == 1:
                heard.append(sum(bit << n for n, bit in enumerate(bits)))

    return listen
