"""Window ops of the cycle simulator: when windows leave, and when rows are freed for others.

A dense source knows which row comes next and counts its sites. A sparse one stores the rows that have tokens and finds
its sites, through lists and two registers (``hw.line_buffer.sparse_source``). The sequencer holds two sites.
"""

from __future__ import annotations

from cosim.cycle.active_sites import BLANK, END, PLACE_ROWS, PLACE_SIZE, PLACE_TAPS, WAITS_FOR
from cosim.cycle.arrivals import (
    CLOSE,
    CLOSE_MASK,
    CLOSED,
    FIRSTS,
    FRAME_ROWS,
    FREED,
    LASTS,
    ROW,
    ROW_MASK,
    ROWED,
    SPARSE,
    TOKEN,
    TOKEN_MASK,
    WIDTH,
    WINDOW_FRAME,
    WINDOW_TOKEN,
    fill_rows,
    waits_for_row,
)
from cosim.cycle.memory import FRAMES, WINDOWS, compiled
from cosim.cycle.op_times import BEGUN, DONE, HEADED, LEFT, begin_site, frame_tokens
from cosim.cycle.site_times import work


@compiled
def windows(m, w, p):
    """Run a window op: take tokens into rows and do sites, in turn, until a time is not known yet.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the op's record
    """
    while True:
        fill_rows(m, w, p)
        done = False
        while _site(m, w, p) if m[p + SPARSE] else _dense_site(m, w, p):
            done = True
        if not done:
            return


@compiled
def _free(m, p, rows, time):
    """Free all rows before number ``rows``, by a site that was done in cycle ``time``."""
    for row in range(m[p + FREED], rows):
        m[m[p + ROW] + (row & m[p + ROW_MASK])] = time
    m[p + FREED] = max(m[p + FREED], rows)


@compiled
def _close(m, p, time):
    """Note when the next frame was closed."""
    m[m[p + CLOSE] + (m[p + CLOSED] & m[p + CLOSE_MASK])] = time
    m[p + CLOSED] += 1


@compiled
def _came(m, p, token):
    """When the last word of a token came."""
    return m[m[p + TOKEN] + m[p + TOKEN_MASK] + 1 + (token & m[p + TOKEN_MASK])]


@compiled
def _give(m, p, ready):
    """Hand over the next site, which is there from cycle ``ready`` on: when that is. It waits behind the head."""
    given = max(ready, m[p + HEADED])
    m[p + HEADED] = max(given, m[p + LEFT]) + 1
    return given


@compiled
def _begin(m, p, taps):
    """Begin the site that was handed over last: when that is."""
    begun = max(m[p + HEADED], m[p + DONE])
    begin_site(m, p, begun, taps)
    return begun


STRIDE, PADDING, REACH, HEIGHT, OUT_HEIGHT, OUT_WIDTH, INSIDE_Y, INSIDE_X, Y, X, DENSE_SIZE = range(ROWED, ROWED + 11)
"""The record of an op on windows of dense frames, from ROWED on.

Fields
    STRIDE        stride
    PADDING       padding
    REACH         the window of output row y ends at input row ``y * STRIDE + REACH``; columns alike
    HEIGHT        rows of the input
    OUT_HEIGHT    rows of the output
    OUT_WIDTH     columns of the output
    INSIDE_Y      address of a table: how many of a window's rows lie inside the frame, by output row
    INSIDE_X      the same of columns, by output column
    Y             output row of the site in work
    X             output column of that site
    DENSE_SIZE    size of the record
"""


@compiled
def _dense_site(m, w, p):
    """Do the next site, if the last token of its window came: whether it is done."""
    frame, y, x = m[p + WINDOW_FRAME], m[p + Y], m[p + X]
    if frame == m[FRAMES]:
        return False
    height, width = m[p + HEIGHT], m[p + WIDTH]
    filled = frame_tokens(m, w, p, frame) > 0
    end = not filled or y == m[p + OUT_HEIGHT]
    need_y = min(y * m[p + STRIDE] + m[p + REACH], height - 1)
    if not m[p + BEGUN]:
        need_x = min(x * m[p + STRIDE] + m[p + REACH], width - 1)
        token = m[p + WINDOW_TOKEN]
        if filled:
            token += height * width - 1 if end else need_y * width + need_x
        if token >= m[p + LASTS]:
            return False
        given = _give(m, p, _came(m, p, token) + 1)
        if end:
            _close(m, p, given)
        _begin(m, p, END if end else m[m[p + INSIDE_Y] + y] * m[m[p + INSIDE_X] + x])
    if not work(m, w, p):
        return False
    before = m[p + FRAME_ROWS]
    if end:
        if filled:
            _free(m, p, before + height, m[p + DONE])
            m[p + FRAME_ROWS] += height
        m[p + WINDOW_TOKEN] += height * width + 1 if filled else 1
        m[p + WINDOW_FRAME] += 1
        m[p + Y] = 0
    elif x < m[p + OUT_WIDTH] - 1:
        m[p + X] += 1
    else:
        last = y == m[p + OUT_HEIGHT] - 1
        _free(
            m,
            p,
            before + (need_y + 1 if last else min((y + 1) * m[p + STRIDE] - m[p + PADDING], need_y + 1)),
            m[p + DONE],
        )
        m[p + Y] += 1
        m[p + X] = 0
    return True


(
    WINDOW, FIND_LATENCY, PLACE, FOUND_FROM, LOOKED, GIVEN_AT, FREE_AT, UNDECIDED, BLANK_ROWS, SPARSE_SIZE
) = range(ROWED, ROWED + 10)  # fmt: skip
"""The record of an op on windows of sparse frames, from ROWED on. Places are those of ``active_sites``.

Fields
    WINDOW          number of its windows in ``active_sites``
    FIND_LATENCY    cycles from the input beat that completes a site until the site is found
    PLACE           address of the next place
    FOUND_FROM      the cycle from which the next place may be found
    LOOKED          when the last place was looked up
    GIVEN_AT        when the last site was handed over
    FREE_AT         when the last place would free its rows
    UNDECIDED       whether the last place is a BLANK of which it is not known yet whether it is looked up
    BLANK_ROWS      the rows that such a BLANK frees
    SPARSE_SIZE     size of the record
"""


@compiled
def begin_places(m, w, p, frame):
    """Make the next place of a sparse op the first of a frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        p        the op's record
        frame    number of the frame
    """
    m[p + WINDOW_FRAME] = frame
    if frame < m[FRAMES]:
        m[p + PLACE] = w[m[WINDOWS] + m[p + WINDOW] * m[FRAMES] + frame]


@compiled
def _site(m, w, p):
    """Do the next place of a sparse op: whether it is done or, for a BLANK, passed.

    A place is found when it is complete, then looked up, then handed over, each a cycle later or when the next register
    is free. A BLANK frees rows when all sites before it are done, but it delays no site: the next place may be found in
    its register. A BLANK that is overwritten before it frees its rows frees nothing; the next place then frees them, a
    site when it is begun.
    """
    if m[p + BEGUN]:
        return work(m, w, p)
    if m[p + WINDOW_FRAME] == m[FRAMES]:
        return False
    place = m[p + PLACE]
    token, whole = m[p + WINDOW_TOKEN] + (w[place + WAITS_FOR] >> 1), w[place + WAITS_FOR] & 1
    # the token after a site's last one must only show at the input; it need not be taken
    if token >= (m[p + LASTS] if whole else m[p + FIRSTS]):
        if m[p + UNDECIDED] and waits_for_row(m, p) and token + whole > m[p + LASTS]:
            # the token that completes this site waits for rows that the BLANK frees: it was looked up long before
            _free(m, p, m[p + BLANK_ROWS], m[p + FREE_AT])
            m[p + UNDECIDED] = 0
            return True
        return False
    shown = _came(m, p, token) if whole else m[m[p + TOKEN] + (token & m[p + TOKEN_MASK])]
    found = max(shown + m[p + FIND_LATENCY], m[p + FOUND_FROM])
    looked = max(found + 1, m[p + GIVEN_AT])
    if m[p + UNDECIDED] and m[p + LOOKED] <= found and m[p + FREE_AT] <= looked:
        _free(m, p, m[p + BLANK_ROWS], m[p + FREE_AT])
    rows, taps = m[p + FRAME_ROWS] + w[place + PLACE_ROWS], w[place + PLACE_TAPS]
    m[p + LOOKED], m[p + FREE_AT], m[p + UNDECIDED] = looked, max(looked + 1, m[p + DONE]), taps == BLANK
    m[p + PLACE] += PLACE_SIZE
    if taps == BLANK:
        m[p + FOUND_FROM], m[p + BLANK_ROWS] = found + 1, rows
        return True
    m[p + FOUND_FROM], m[p + GIVEN_AT] = looked, _give(m, p, looked + 1)
    _free(m, p, rows, _begin(m, p, taps))
    if taps == END:
        _close(m, p, found)
        m[p + FRAME_ROWS] = rows
        m[p + WINDOW_TOKEN] += frame_tokens(m, w, p, m[p + WINDOW_FRAME]) + 1
        begin_places(m, w, p, m[p + WINDOW_FRAME] + 1)
    work(m, w, p)
    return True
