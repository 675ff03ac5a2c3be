"""The active sites at each node of a graph, and what each window waits for: the input of the cycle simulator.

Nodes whose sites are always the same share a *class*. The windows of a sparse op depend only on the class of its input
and on its geometry, so ops share them as well.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from cosim.cycle.records import UNKNOWN, Record, cached, compiled, pointer
from models.ir.graph import Graph
from models.ir.window import Window


class Place(Record):
    """A window of a frame, in ``w``. Places are in raster order; the end of the frame is the last."""

    waits_for: int  # 2n where it is complete as soon as token n shows, 2n + 1 where all of token n must have come
    taps: int  # its active taps, or END or BLANK
    rows: int  # number of rows with tokens, from the frame's first, that neither this place nor a later one reads


PLACE = Place.size

END, BLANK = -1, -2
"""Stand in place of active taps.

Fields
    END      the end of the frame
    BLANK    no site: a dummy entry for tokens in columns outside all stride cells, whose rows must be freed as well
"""

SINGLE, WHOLE = 0, 1
"""Two classes that every graph has.

Fields
    SINGLE    one site whatever the frame, as behind a sum over the whole frame
    WHOLE     the sites of the input
"""


class SiteWindows(Record):
    """The windows of a sparse op. Places are those of the padding's inside."""

    reads: int  # class of its input
    gives: int  # class of its output
    height: int  # rows of the input
    width: int  # columns of the input
    out_height: int  # rows of the output
    out_width: int  # columns of the output
    stride_y: int  # rows of a cell
    stride_x: int  # columns of a cell
    offset_y: int  # input row where the cell of output row 0 begins
    offset_x: int  # input column where the cell of output column 0 begins
    extent_y: int  # ``y * stride_y + extent_y`` is the last input row that changes output row y: of its window or cell
    extent_x: int  # ``x * stride_x + extent_x`` is the last input column that changes output column x
    before_y: int  # rows of zeros above the input
    before_x: int  # columns of zeros left of the input
    span_y: int  # rows from a window's first tap to its last, both counted
    span_x: int  # columns of that kind
    dilation_y: int  # rows from a tap to the one below it
    dilation_x: int  # columns from a tap to the next one


class Classes:
    """The site classes of a graph.

    Parameters
        graph         the network
    Attributes
        sparse        whether frames may have only some of their sites active
        of            the class of each node
        sides         height and width of each class
        windows_of    the number of the windows of each op that finds its sites
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
            if node.takes_frame or before == SINGLE:
                self.of[node.name] = SINGLE
            else:
                self.of[node.name] = self._through(node.name, node.window, before) if node.window else before

    def _through(self, name: str, window: Window, before: int) -> int:
        """The class behind a window op on class ``before``; its windows are added where it finds its sites."""
        height, width = self.sides[before]
        y, x = window.y, window.x
        out = window.out_sides(height, width)
        cells = y.stride, x.stride, y.cell_offset, x.cell_offset
        after = before
        if (y.stride, x.stride) != (1, 1) or out != (height, width):
            key = (before, *cells, *out) if self.sparse else out
            after = self._known.setdefault(key, len(self.sides))
            if after == len(self.sides):
                self.sides.append(out)
        if self.sparse and not window.pointwise:
            taps = y.extent, x.extent, y.before, x.before, y.span, x.span, y.dilation, x.dilation
            fields = before, after, height, width, *out, *cells, *taps
            self.windows_of[name] = self._windows.setdefault(fields, len(self._windows))
        return after

    @property
    def windows(self) -> np.ndarray:
        """The windows, by number: int64 ``[windows, fields of SiteWindows]``."""
        return np.array(list(self._windows), dtype=np.int64).reshape(-1, SiteWindows.size)

    def size(self, frames: int, sites: int) -> int:
        """The most numbers that ``walk`` writes for frames with ``sites`` active sites in all."""
        classes, windows = len(self.sides), len(self._windows)
        return frames * (2 * classes + windows) + (classes - 1) * sites + windows * (sites + frames) * PLACE


@compiled
def _windows_of_frame(w, at, window: SiteWindows, sites, count, active, cells, rows, give):
    """Write the places of one frame's windows to ``w[at]`` and on: (where they end, where the sites of the output end).

    ``sites`` is the address of the frame's ``count`` tokens; ``active`` has the same sites as flags. The sites of the
    output are written to ``w[give]`` and on where ``give`` is not 0. ``cells``, all False, and ``rows`` are scratch
    memory.
    """
    height, width, stride_y, stride_x = window.out_height, window.out_width, window.stride_y, window.stride_x
    in_height, in_width, offset = window.height, window.width, window.offset_y
    wide = width + 2
    # mark the stride cell of each token; columns outside all cells count as one column left or right of them
    filled, row, after = 0, -1, 0
    for site in range(sites, sites + count):
        if w[site] >= after:
            row = w[site] // in_width
            after = (row + 1) * in_width
            rows[filled] = row
            filled += 1
        y, x = row - offset, w[site] - row * in_width - window.offset_x
        if stride_y > 1:
            y //= stride_y
        if stride_x > 1:
            x //= stride_x
        if 0 <= y < height:
            cells[y * wide + min(max(x, -1), width) + 1] = True
    if filled == 0:
        return _end_place(w, at, 0, 0), give
    first = max(0, (rows[0] - offset) // stride_y)
    last = min(height - 1, (rows[filled - 1] - offset) // stride_y)
    line, freed = 0, 0
    for y in range(first, last + 1):
        top = stride_y * y - window.before_y
        while freed < filled and rows[freed] < top:
            freed += 1
        below = min(stride_y * y + window.extent_y, in_height - 1) * in_width
        while line < count and w[sites + line] < below:
            line += 1
        token = line
        for x in range(-1, width + 1):
            if not cells[y * wide + x + 1]:
                continue
            cells[y * wide + x + 1] = False
            corner = below + min(stride_x * x + window.extent_x, in_width - 1)
            while token < count and w[sites + token] <= corner:
                token += 1
            whole = token > 0 and w[sites + token - 1] == corner
            taps = BLANK
            if 0 <= x < width:
                taps = 0
                left = stride_x * x - window.before_x
                right = min(left + window.span_x, in_width)
                first_y, first_x = _inside(top, window.dilation_y), _inside(left, window.dilation_x)
                for in_y in range(first_y, min(top + window.span_y, in_height), window.dilation_y):
                    for in_x in range(first_x, right, window.dilation_x):
                        taps += active[in_y * in_width + in_x]
                if give:
                    w[give] = y * width + x
                    give += 1
            place = Place(w, at)
            place.waits_for = 2 * (token - 1) + 1 if whole else 2 * token
            place.taps, place.rows = taps, freed
            at += PLACE
    return _end_place(w, at, count, filled), give


@compiled
def _inside(first, step):
    """The first of ``first``, ``first + step``, ... that is not negative."""
    return first if first >= 0 else first % step


@compiled
def _end_place(w, at, tokens, rows):
    """Write the place of a frame's end: the address behind it."""
    place = Place(w, at)
    place.waits_for, place.taps, place.rows = 2 * tokens + 1, END, rows
    return at + PLACE


@cached()
def walk(masks, sides, windows, sparse, w):
    """Write the sites and windows of frames to ``w``.

    From 0 on ``w`` gets: the number of tokens by class and frame; the addresses of windows by number and frame; the
    addresses of sites by class and frame; then the sites and places themselves. A site is its index in raster order.

    Parameters
        masks      bool ``[frames, sites]``, the active sites of the input
        sides      int64 ``[classes, 2]``, height and width of each class
        windows    int64 ``[windows, fields of SiteWindows]``, as ``Classes.windows``
        sparse     whether frames may have only some of their sites active
        w          int64 with at least ``Classes.size`` numbers
    Returns        the address where that ends
    """
    return _walk(masks, sides, windows, sparse, pointer(w))


@njit
def _walk(masks, sides, windows, sparse, w):
    """``walk`` with a pointer to ``w``."""
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
            window = SiteWindows(pointer(windows), number * windows.shape[1])
            reads, gives = window.reads * frames + frame, window.gives * frames + frame
            count, sites = w[reads], w[lists + reads]
            new = w[gives] == UNKNOWN
            if new:
                w[lists + gives] = at
                # the output has at most as many sites as the input has tokens
                at += count
            w[addresses + number * frames + frame] = at
            own = active[starts[window.reads] : starts[window.reads + 1]]
            give = w[lists + gives] if new else 0
            at, end = _windows_of_frame(w, at, window, sites, count, own, cells, rows, give)
            if new:
                w[gives] = end - give
                for site in range(give, end):
                    active[starts[window.gives] + w[site]] = 1
        for c in range(WHOLE, classes if sparse else WHOLE + 1):
            sites = w[lists + c * frames + frame]
            for site in range(sites, sites + w[c * frames + frame]):
                active[starts[c] + w[site]] = 0
    return at
