"""Line buffer memories: rows of tokens, written word by word; reads give a tap per cycle or all taps of a window."""

from __future__ import annotations

from amaranth.hdl import Array, Cat, Const, Module, Signal, Value, signed, unsigned
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hw.arithmetic.choice import times
from hw.line_buffer.token_buffer import WindowGeometry, store_is_block
from hw.streams.layout import index_bits
from hw.streams.stream import delay_line


class SerialLineBuffer(wiring.Component):
    """A line buffer of which one word is read per cycle.

    Columns that are read are in padded coordinates: the first column of the image has the number ``geometry.x.before``.

    Parameters
        geometry   the window; ``geometry.rows`` rows are stored
        bits       bits of a word
    Ports
        put            in, high to write a word
        row, x, word   in, stored row, column and word of the token where it is written
        data           in, the word that is written
        read_row       in, stored row that is read
        read_column    in, column that is read, in padded coordinates
        read_word      in, word of the token that is read
        read_data      out, the word that was asked for
    Timing
        II         1 write and 1 read per cycle
        latency    2 cycles from ``read_row``, ``read_column`` and ``read_word`` to ``read_data``
    Reset          drops reads in progress; the stored words stay
    """

    def __init__(self, geometry: WindowGeometry, bits: int) -> None:
        self.geometry, self.bits = geometry, bits
        super().__init__({**_ports(geometry, bits), "read_row": In(index_bits(geometry.rows)), "read_data": Out(bits)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g = self.geometry
        _, depth = g.banks(False)
        m.submodules.rows = rows = _memory(depth, self.bits)
        write, read = rows.write_port(), rows.read_port()
        place = Signal(index_bits(depth))
        row = Array(Const(n * g.width * g.words, index_bits(depth)) for n in range(g.rows))
        m.d.comb += [
            write.addr.eq(row[self.row] + times(self.x, g.words) + self.word),
            write.data.eq(self.data),
            write.en.eq(self.put),
            read.addr.eq(place),
            self.read_data.eq(read.data),
        ]
        m.d.sync += place.eq(row[self.read_row] + times(self.read_column - g.x.before, g.words) + self.read_word)
        return m


class BankedLineBuffer(wiring.Component):
    """A line buffer of which all taps of a window are read at once.

    The words are in banks by row and by column. Wherever the window is, its taps are in different banks.

    Parameters
        geometry    the window; ``geometry.rows`` rows are stored
        bits        bits of a word
        scattered   whether the rows of a window can be any stored rows, in place of successive ones
    Ports
        put            in, high to write a word
        row, x, word   in, stored row, column and word of the token where it is written
        data           in, the word that is written
        read_row       in, stored row of the window's top, the others follow modulo ``geometry.rows``; where
                       ``scattered`` the stored row of each row of the window, the top one lowest
        read_column    in, the window's left column, in padded coordinates
        read_word      in, word of the tokens that is read
        read_data      out, the words of all taps, ky-major; those of taps outside the image are undefined
    Timing
        II         1 write and 1 read per cycle
        latency    4 cycles from ``read_row``, ``read_column`` and ``read_word`` to ``read_data``
    Reset          drops reads in progress; the stored words stay
    """

    def __init__(self, geometry: WindowGeometry, bits: int, scattered: bool) -> None:
        self.geometry, self.bits, self.scattered = geometry, bits, scattered
        row = index_bits(geometry.rows) * (geometry.y.kernel if scattered else 1)
        super().__init__({**_ports(geometry, bits), "read_row": In(row), "read_data": Out(bits * geometry.taps)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        g = self.geometry
        bits = g.columns.bit_length() - 1
        _, depth = g.banks(True)
        left, row = Signal(signed(len(self.read_column) + 1)), Signal.like(self.read_row)
        m.d.comb += left.eq(self.read_column - g.x.before)
        places = []
        for bank in range(g.columns):
            # of as many columns as there are banks, from the window's left on, exactly one is in this bank
            place = Signal(index_bits(depth), name=f"place{bank}")
            index = (left >> bits) + (Const(bank, bits + 1) < left[:bits] if bits else 0)
            m.d.sync += place.eq(times(index, g.words) + self.read_word)
            places.append(place)
        m.d.sync += row.eq(self.read_row)
        turn = Signal(max(1, bits))
        m.d.sync += turn.eq(left[:bits] if bits else 0)
        words: list[list[Value]] = []
        for r in range(g.rows):
            words.append([])
            for c in range(g.columns):
                m.submodules[f"bank{r}_{c}"] = bank = _memory(depth, self.bits)
                write, read = bank.write_port(), bank.read_port()
                m.d.comb += [
                    write.addr.eq(times(self.x >> bits, g.words) + self.word),
                    write.data.eq(self.data),
                    write.en.eq(self.put & (self.row == r) & (self.x[:bits] == c if bits else 1)),
                    read.addr.eq(places[c]),
                ]
                words[r].append(read.data)
        row, turn = delay_line(m, row, 1, "row"), delay_line(m, turn, 1, "turn")
        lines: list[list[Signal]] = []
        for ky in range(g.y.kernel):
            lines.append([])
            for c in range(g.columns):
                line = Signal(self.bits, name=f"line{ky}_{c}")
                m.d.sync += line.eq(self._choose(row, ky, [words[r][c] for r in range(g.rows)]))
                lines[ky].append(line)
        turn = delay_line(m, turn, 1, "turned")
        taps = []
        for ky in range(g.y.kernel):
            for kx in range(g.x.kernel):
                tap, right = Signal(self.bits, name=f"tap{ky}_{kx}"), g.x.dilation * kx
                m.d.sync += tap.eq(Array(lines[ky][(n + right) % g.columns] for n in range(g.columns))[turn])
                taps.append(tap)
        m.d.comb += self.read_data.eq(Cat(taps))
        return m

    def _choose(self, row: Value, ky: int, words: list[Value]) -> Value:
        if self.scattered:
            return Array(words)[row.word_select(ky, index_bits(len(words)))]
        turn = self.geometry.y.dilation * ky % len(words)
        return Array(words[turn:] + words[:turn])[row]


def _ports(g: WindowGeometry, bits: int) -> dict[str, wiring.Member]:
    return {
        "put": In(1),
        "row": In(index_bits(g.rows)),
        "x": In(index_bits(g.width)),
        "word": In(index_bits(g.words)),
        "data": In(bits),
        "read_column": In(index_bits(g.padded_width)),
        "read_word": In(index_bits(g.words)),
    }


def _memory(depth: int, bits: int) -> memory.Memory:
    attrs = {"ram_style": "block" if store_is_block(depth, bits) else "distributed"}
    return memory.Memory(shape=unsigned(bits), depth=depth, init=[], attrs=attrs)
