"""Window ops of the cycle simulator: when windows leave, and when rows are freed for others.

A dense source knows which row comes next and counts its sites. A sparse one stores the rows that have tokens and finds
its sites, through lists and two registers (``hw.line_buffer.sparse_sliding_window``). The sequencer holds two sites.
"""

from __future__ import annotations

from cosim.cycle.active_sites import BLANK, END, PLACE, Place
from cosim.cycle.input_side import WindowRecord, fill_rows, op_tokens, waits_for_row
from cosim.cycle.op_state import SiteRecord, begin_site
from cosim.cycle.records import HeaderRecord, compiled
from cosim.cycle.sites import work


class DenseRecord(WindowRecord):
    """An op on windows of dense frames."""

    stride_y: int  # rows from a window to the one below it
    stride_x: int  # columns from a window to the next one
    before_y: int  # rows of zeros above the input
    below_y: int  # the window of output row y ends at input row ``y * stride_y + below_y``
    below_x: int  # the window of output column x ends at input column ``x * stride_x + below_x``
    height: int  # rows of the input
    out_height: int  # rows of the output
    out_width: int  # columns of the output
    inside_y: int  # address of a table: how many of a window's rows lie inside the frame, by output row
    inside_x: int  # the same of columns, by output column
    y: int  # output row of the site in work
    x: int  # output column of that site


class SparseRecord(WindowRecord):
    """An op on windows of sparse frames. Places are those of ``active_sites``."""

    window: int  # number of its windows in ``active_sites``
    find_latency: int  # cycles from the input beat that completes a site until the site is found
    place: int  # address of the next place
    find_from: int  # the cycle from which the next place may be found
    lookup_at: int  # when the last place was looked up
    handover_at: int  # when the last site was handed over
    free_at: int  # when the last place would free its rows
    undecided: int  # whether the last place is a BLANK of which it is not known yet whether it is looked up
    blank_rows: int  # the rows that such a BLANK frees


@compiled
def run_windows(m, w, p):
    """Run a window op: take tokens into rows and do sites, in turn, until a time is not known yet.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the op
    """
    op = WindowRecord(m, p)
    while True:
        fill_rows(m, w, op)
        done = False
        while _sparse_site(m, w, p) if op.sparse else _dense_site(m, w, p):
            done = True
        if not done:
            return


@compiled
def _free(m, op: WindowRecord, rows, time):
    """Free all rows before number ``rows``, by a site that was done in cycle ``time``."""
    for row in range(op.freed, rows):
        m[op.row + (row & op.row_mask)] = time
    op.freed = max(op.freed, rows)


@compiled
def _close(m, op: WindowRecord, time):
    """Note when the next frame was closed."""
    m[op.close + (op.closed & op.close_mask)] = time
    op.closed += 1


@compiled
def _arrival(m, op: WindowRecord, token):
    """When the last word of a token came."""
    return m[op.token + op.token_mask + 1 + (token & op.token_mask)]


@compiled
def _hand_over(op: SiteRecord, ready):
    """Hand over the next site, which is there from cycle ``ready`` on: when that is. It waits behind the head."""
    handover = max(ready, op.head_at)
    op.head_at = max(handover, op.left_head_at) + 1
    return handover


@compiled
def _begin(op: SiteRecord, taps):
    """Begin the site that was handed over last: when that is."""
    start = max(op.head_at, op.done)
    begin_site(op, start, taps)
    return start


@compiled
def _dense_site(m, w, p):
    """Do the next site, if the last token of its window came: whether it is done."""
    dense, op, site = DenseRecord(m, p), WindowRecord(m, p), SiteRecord(m, p)
    frame, y, x = dense.window_frame, dense.y, dense.x
    if frame == HeaderRecord(m, 0).frames:
        return False
    height, width = dense.height, dense.width
    filled = op_tokens(m, w, dense.reader, frame) > 0
    end = not filled or y == dense.out_height
    need_y = min(y * dense.stride_y + dense.below_y, height - 1)
    if not dense.in_work:
        need_x = min(x * dense.stride_x + dense.below_x, width - 1)
        token = dense.window_token
        if filled:
            token += height * width - 1 if end else need_y * width + need_x
        if token >= dense.lasts:
            return False
        handover = _hand_over(site, _arrival(m, op, token) + 1)
        if end:
            _close(m, op, handover)
        _begin(site, END if end else m[dense.inside_y + y] * m[dense.inside_x + x])
    if not work(m, w, site):
        return False
    before = dense.frame_rows
    if end:
        if filled:
            _free(m, op, before + height, dense.done)
            dense.frame_rows += height
        dense.window_token += height * width + 1 if filled else 1
        dense.window_frame += 1
        dense.y = 0
    elif x < dense.out_width - 1:
        dense.x += 1
    else:
        read = need_y + 1
        if y < dense.out_height - 1:
            read = min((y + 1) * dense.stride_y - dense.before_y, read)
        _free(m, op, before + read, dense.done)
        dense.y += 1
        dense.x = 0
    return True


@compiled
def begin_places(m, w, op: SparseRecord, frame):
    """Make the next place of a sparse op the first of a frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        op       the op
        frame    number of the frame
    """
    header = HeaderRecord(m, 0)
    op.window_frame = frame
    if frame < header.frames:
        op.place = w[header.windows + op.window * header.frames + frame]


@compiled
def _sparse_site(m, w, p):
    """Do the next place of a sparse op: whether it is done or, for a BLANK, passed.

    A place is found when it is complete, then looked up, then handed over, each a cycle later or when the next register
    is free. A BLANK frees rows when all sites before it are done, but it delays no site: the next place may be found in
    its register. A BLANK that is overwritten before it frees its rows frees nothing; the next place then frees them, a
    site when it is begun.
    """
    sparse, op, site = SparseRecord(m, p), WindowRecord(m, p), SiteRecord(m, p)
    if sparse.in_work:
        return work(m, w, site)
    if sparse.window_frame == HeaderRecord(m, 0).frames:
        return False
    place = Place(w, sparse.place)
    token, whole = sparse.window_token + (place.waits_for >> 1), place.waits_for & 1
    # the token after a site's last one must only show at the input; it need not be taken
    if token >= (sparse.lasts if whole else sparse.firsts):
        if sparse.undecided and waits_for_row(op) and token + whole > sparse.lasts:
            # the token that completes this site waits for rows that the BLANK frees: it was looked up long before
            _free(m, op, sparse.blank_rows, sparse.free_at)
            sparse.undecided = 0
            return True
        return False
    shown = _arrival(m, op, token) if whole else m[sparse.token + (token & sparse.token_mask)]
    found_at = max(shown + sparse.find_latency, sparse.find_from)
    lookup = max(found_at + 1, sparse.handover_at)
    if sparse.undecided and sparse.lookup_at <= found_at and sparse.free_at <= lookup:
        _free(m, op, sparse.blank_rows, sparse.free_at)
    rows, taps = sparse.frame_rows + place.rows, place.taps
    sparse.lookup_at, sparse.free_at, sparse.undecided = lookup, max(lookup + 1, sparse.done), taps == BLANK
    sparse.place += PLACE
    if taps == BLANK:
        sparse.find_from, sparse.blank_rows = found_at + 1, rows
        return True
    sparse.find_from, sparse.handover_at = lookup, _hand_over(site, lookup + 1)
    _free(m, op, rows, _begin(site, taps))
    if taps == END:
        _close(m, op, found_at)
        sparse.frame_rows = rows
        sparse.window_token += op_tokens(m, w, sparse.reader, sparse.window_frame) + 1
        begin_places(m, w, sparse, sparse.window_frame + 1)
    work(m, w, site)
    return True
