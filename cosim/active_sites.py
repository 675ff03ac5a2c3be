"""Which sites are active at each node of a graph, and what each window waits for: all that times follow from.

Nodes whose sites are always the same share a *class* of them. The windows of a sparse op depend on the class of its
input and on its geometry alone, so that ops share them as well.
"""

from __future__ import annotations

import numpy as np

from cosim.memory import UNKNOWN, compiled, kept
from models.ir.graph import GlobalPool, Graph, Linear, Window

WAITS_FOR, PLACE_TAPS, PLACE_ROWS, PLACE_SIZE = range(4)
"""Of a place among a frame's windows, in raster order: what completes it, which is twice the number of a token of the
frame, and 1 more where all of that token must have come, as otherwise it must only show; its active taps; and how many
rows with tokens no later place reads. The frame's end is the last place.
"""

END, BLANK = -1, -2
"""In place of active taps: the frame's end; or no site, but in its place among them: tokens in columns of no cell,
whose rows must be freed as well.
"""

SINGLE, WHOLE = 0, 1
"""The class of what follows a sum over whole frames, one site whatever the frame; and that of the input."""

READS, GIVES, HEIGHT, WIDTH, OUT_HEIGHT, OUT_WIDTH, KERNEL, STRIDE, PADDING, REACH, OFFSET = range(11)
"""Of the windows of a sparse op: the classes of its input and output, and its geometry."""


class Classes:
    """``of``: the class of each node. ``sides``: height and width of each class. ``windows``: by number, their fields;
    ``windows_of``: the number of those of each op on windows of a sparse frame.
    """

    def __init__(self, graph: Graph) -> None:
        side = graph.input.shape[:2]
        self.sparse = graph.input.sparse
        self.of: dict[str, int] = {graph.input.name: WHOLE}
        self.sides: list[tuple[int, int]] = [(1, 1), side]
        self.windows_of: dict[str, int] = {}
        self._known: dict[tuple[int, ...], int] = {}
        self._windows: dict[tuple[int, ...], int] = {}
        for node in graph.nodes[1:]:
            before = self.of[node.inputs[0]]
            if isinstance(node, GlobalPool | Linear) or before == SINGLE:
                self.of[node.name] = SINGLE
            else:
                self.of[node.name] = self._through(node, before) if isinstance(node, Window) else before

    def _through(self, node: Window, before: int) -> int:
        height, width = self.sides[before]
        out = node.out_side(height), node.out_side(width)
        after = before
        if node.stride > 1 or out != (height, width):
            key = (before, node.stride, node.cell_offset, *out) if self.sparse else out
            after = self._known.setdefault(key, len(self.sides))
            if after == len(self.sides):
                self.sides.append(out)
        if self.sparse and not (node.kernel == 1 and node.stride == 1):
            offset = node.cell_offset
            fields = before, after, height, width, *out, node.kernel, node.stride, node.padding, node.reach, offset
            self.windows_of[node.name] = self._windows.setdefault(fields, len(self._windows))
        return after

    @property
    def windows(self) -> np.ndarray:
        return np.array(list(self._windows), dtype=np.int64).reshape(-1, OFFSET + 1)

    def size(self, frames: int, sites: int) -> int:
        """Numbers that ``walk`` writes at most for frames with so many active sites together."""
        classes, windows = len(self.sides), len(self._windows)
        return frames * (2 * classes + windows) + (classes - 1) * sites + windows * (sites + frames) * PLACE_SIZE


@compiled
def _windows_of_frame(w, at, fields, sites, count, active, cells, rows, give):
    """Writes the places of one frame's windows from ``w[at]`` on: (where they end, where the output's sites end).

    ``sites``: the address of its ``count`` tokens, which are also ``active``. The sites of the output go to ``give``
    and further, if that is not 0. ``cells`` is scratch, all False; ``rows`` scratch.
    """
    height, width, stride, offset = fields[OUT_HEIGHT], fields[OUT_WIDTH], fields[STRIDE], fields[OFFSET]
    in_height, in_width, kernel = fields[HEIGHT], fields[WIDTH], fields[KERNEL]
    wide = width + 2
    # the cell of each token, with those in columns of no cell held to one beside the first or the last
    filled, row, after = 0, -1, 0
    for site in range(sites, sites + count):
        if w[site] >= after:
            row = w[site] // in_width
            after = (row + 1) * in_width
            rows[filled] = row
            filled += 1
        y, x = row - offset, w[site] - row * in_width - offset
        if stride > 1:
            y, x = y // stride, x // stride
        if 0 <= y < height:
            cells[y * wide + min(max(x, -1), width) + 1] = True
    if filled == 0:
        return _end_place(w, at, 0, 0), give
    first = max(0, (rows[0] - offset) // stride)
    last = min(height - 1, (rows[filled - 1] - offset) // stride)
    line, freed = 0, 0
    for y in range(first, last + 1):
        top = stride * y - fields[PADDING]
        while freed < filled and rows[freed] < top:
            freed += 1
        below = min(stride * y + fields[REACH], in_height - 1) * in_width
        while line < count and w[sites + line] < below:
            line += 1
        token = line
        for x in range(-1, width + 1):
            if not cells[y * wide + x + 1]:
                continue
            cells[y * wide + x + 1] = False
            corner = below + min(stride * x + fields[REACH], in_width - 1)
            while token < count and w[sites + token] <= corner:
                token += 1
            whole = token > 0 and w[sites + token - 1] == corner
            taps = BLANK
            if 0 <= x < width:
                taps = 0
                left = stride * x - fields[PADDING]
                for in_y in range(max(top, 0), min(top + kernel, in_height)):
                    for in_x in range(max(left, 0), min(left + kernel, in_width)):
                        taps += active[in_y * in_width + in_x]
                if give:
                    w[give] = y * width + x
                    give += 1
            w[at + WAITS_FOR] = 2 * (token - 1) + 1 if whole else 2 * token
            w[at + PLACE_TAPS] = taps
            w[at + PLACE_ROWS] = freed
            at += PLACE_SIZE
    return _end_place(w, at, count, filled), give


@compiled
def _end_place(w, at, tokens, rows):
    w[at + WAITS_FOR] = 2 * tokens + 1
    w[at + PLACE_TAPS] = END
    w[at + PLACE_ROWS] = rows
    return at + PLACE_SIZE


@kept()
def walk(masks, sides, windows, sparse, w):
    """Fills ``w`` for frames bool ``[frames, sites]``: from 0 on the tokens by class and frame, then the addresses
    of windows by number and frame, those of sites by class and frame, and what they point to. Where that ends.

    ``sides``: of each class. Sites are places in raster order.
    """
    frames, classes = len(masks), len(sides)
    addresses = classes * frames
    lists = addresses + len(windows) * frames
    at = lists + classes * frames
    area = sides[:, 0] * sides[:, 1]
    starts = np.zeros(classes + 1, np.int64)
    starts[1:] = np.cumsum(area)
    active = np.zeros(starts[-1], np.uint8)
    cells = np.zeros(sides[WHOLE, 0] * (sides[WHOLE, 1] + 2), np.bool_)
    rows = np.zeros(sides[WHOLE, 0], np.int64)
    for frame in range(frames):
        w[SINGLE * frames + frame] = 1
        w[lists + WHOLE * frames + frame] = at
        for site in range(area[WHOLE]):
            if masks[frame, site]:
                active[starts[WHOLE] + site] = 1
                w[at] = site
                at += 1
        w[WHOLE * frames + frame] = at - w[lists + WHOLE * frames + frame]
        for c in range(WHOLE + 1, classes):
            w[c * frames + frame] = UNKNOWN if sparse else area[c] * (w[WHOLE * frames + frame] > 0)
        for number in range(len(windows)):
            fields = windows[number]
            reads, gives = fields[READS] * frames + frame, fields[GIVES] * frames + frame
            count, sites = w[reads], w[lists + reads]
            new = w[gives] == UNKNOWN
            if new:
                w[lists + gives] = at
                # no more sites than tokens
                at += count
            w[addresses + number * frames + frame] = at
            own = active[starts[fields[READS]] : starts[fields[READS] + 1]]
            give = w[lists + gives] if new else 0
            at, end = _windows_of_frame(w, at, fields, sites, count, own, cells, rows, give)
            if new:
                w[gives] = end - give
                for site in range(give, end):
                    active[starts[fields[GIVES]] + w[site]] = 1
        for c in range(WHOLE, classes if sparse else WHOLE + 1):
            sites = w[lists + c * frames + frame]
            for site in range(sites, sites + w[c * frames + frame]):
                active[starts[c] + w[site]] = 0
    return at
