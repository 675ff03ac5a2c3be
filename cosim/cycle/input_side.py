"""The input side of ops in the cycle simulator: how tokens come in, and when there is a place for the next one.

An op on tokens gives each token a slot. An op on windows gives each row with tokens one of the rows that it stores.
"""

from __future__ import annotations

from cosim.cycle.lane_converters import read_words, word_shown
from cosim.cycle.op_state import SiteRecord
from cosim.cycle.records import UNKNOWN, HeaderRecord, compiled
from cosim.cycle.streams import ReaderRecord, frame_tokens


class InputRecord(SiteRecord):
    """An op on tokens or windows: the token that comes in."""

    token_words: int  # words of a token
    fill_word: int  # words of the token that came so far
    fill_frame: int  # frame of the token


class TokenRecord(InputRecord):
    """An op on tokens. Tokens are numbered over all frames, an ``end`` as one of them; so are sites."""

    slots: int  # number of slots, a power of two
    slot: int  # address of two rings: when each token can be offered, and when its last step is issued
    filled: int  # number of the token that comes in
    fill_left: int  # tokens left of that token's frame
    site: int  # number of the site in work
    site_frame: int  # frame of that site
    site_left: int  # tokens left of that frame


class WindowRecord(InputRecord):
    """An op on windows. Tokens are numbered over all frames, an ``end`` as one of them; so are rows with tokens."""

    sparse: int  # whether the op finds its sites
    width: int  # columns of the input
    stored: int  # rows that the op stores
    row: int  # address of a ring: when each row was freed
    row_mask: int  # index mask of that ring
    rows: int  # rows that have begun
    freed: int  # rows that are freed
    frame_rows: int  # rows before the frame of the site in work
    close: int  # address of a ring: when each frame was closed, its end found, or offered by a dense source
    close_mask: int  # index mask of that ring
    most_ahead: int  # the most frames that are begun and not closed
    closed: int  # frames that are closed
    token: int  # address of two rings: when the first word of each token showed, and when its last word came
    token_mask: int  # index mask of these rings
    firsts: int  # tokens whose first word showed
    lasts: int  # tokens whose last word came
    fill_token: int  # number of the token that comes in, within its frame
    fill_tokens: int  # tokens of that frame
    starts: int  # whether that token starts a row
    next_row: int  # raster index where the row after that token begins
    window_frame: int  # frame of the site in work
    window_token: int  # number of that frame's first token


@compiled
def op_tokens(m, w, reader, frame):
    """Tokens of a frame at an op's input; 0 after the last frame.

    Parameters
        m         the accelerator's records
        w         the call's data
        reader    address of the op's first reader
        frame     number of the frame
    """
    return frame_tokens(m, w, ReaderRecord(m, reader).site_class, frame)


@compiled
def begin_slots(m, w, op: TokenRecord):
    """Make the next token of an op on tokens the first of all.

    Parameters
        m     the accelerator's records
        w     the call's data
        op    the op
    """
    op.fill_left = op.site_left = op_tokens(m, w, op.reader, 0)


@compiled
def slot_ready(m, op: TokenRecord):
    """The cycle from which the next token may come: when the token that had its slot has left it.

    Parameters
        m     the accelerator's records
        op    the op
    """
    number, slots = op.filled, op.slots
    if number < slots:
        return 0
    if op.site <= number - slots:
        return UNKNOWN
    return m[op.slot + (number & slots - 1) + slots] + op.release


@compiled
def token_came(m, w, op: TokenRecord, time):
    """Note that all words of a token have come.

    Parameters
        m       the accelerator's records
        w       the call's data
        op      the op
        time    the cycle in which its last word was taken
    """
    m[op.slot + (op.filled & op.slots - 1)] = time + 1
    op.filled += 1
    if op.fill_left:
        op.fill_left -= 1
    else:
        op.fill_frame += 1
        op.fill_left = op_tokens(m, w, op.reader, op.fill_frame)


@compiled
def fill_slots(m, w, op: TokenRecord):
    """Take tokens into slots, as far as the times are known.

    Parameters
        m     the accelerator's records
        w     the call's data
        op    the op
    """
    reader, frames = ReaderRecord(m, op.reader), HeaderRecord(m, 0).frames
    while op.fill_frame < frames:
        ready = slot_ready(m, op)
        if ready == UNKNOWN:
            # asking lets a converter take beats in all the same
            word_shown(m, w, reader)
            return
        words = op.token_words if op.fill_left else 1
        op.fill_word += read_words(m, w, reader, words - op.fill_word, 0 if op.fill_word else ready)
        if op.fill_word < words:
            return
        op.fill_word = 0
        token_came(m, w, op, reader.read_at)


@compiled
def begin_rows(m, w, op: WindowRecord, frame):
    """Make the next token that comes in the first of a frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        op       the op
        frame    number of the frame
    """
    op.fill_frame, op.fill_token, op.next_row = frame, 0, 0
    op.fill_tokens = op_tokens(m, w, op.reader, frame)
    if frame < HeaderRecord(m, 0).frames:
        _begin_token(m, w, op)


@compiled
def _begin_token(m, w, op: WindowRecord):
    """Find out whether the token that comes in starts a row."""
    token, place = op.fill_token, op.fill_token
    op.starts = 0
    if token == op.fill_tokens:
        return
    if op.sparse:
        header = HeaderRecord(m, 0)
        place = w[w[header.sites + ReaderRecord(m, op.reader).site_class * header.frames + op.fill_frame] + token]
    if place >= op.next_row:
        op.starts = 1
        while place >= op.next_row:
            op.next_row += op.width


@compiled
def waits_for_row(op: WindowRecord):
    """Whether the token that comes in starts a row for which no storage is known to be free yet.

    Parameters
        op    the op
    """
    return op.starts and op.fill_word == 0 and op.freed <= op.rows - op.stored


@compiled
def row_ready(m, op: WindowRecord):
    """The cycle from which the next token may come.

    A token that starts a row waits until the row whose storage it gets is freed. A sparse source takes an ``end``, and
    a dense one the first token of a frame, after the frame ``most_ahead`` before it was closed.

    Parameters
        m     the accelerator's records
        op    the op
    """
    ready = 0
    if op.fill_token == (op.fill_tokens if op.sparse else 0):
        before = op.fill_frame - op.most_ahead
        if before >= op.closed:
            return UNKNOWN
        if before >= 0:
            ready = m[op.close + (before & op.close_mask)] + 1
    if op.starts:
        if waits_for_row(op):
            return UNKNOWN
        before = op.rows - op.stored
        if before >= 0:
            ready = max(ready, m[op.row + (before & op.row_mask)] + op.release)
    return ready


@compiled
def row_token_came(m, w, op: WindowRecord, time):
    """Note that all words of a token have come.

    Parameters
        m       the accelerator's records
        w       the call's data
        op      the op
        time    the cycle in which its last word was taken
    """
    m[op.token + op.token_mask + 1 + (op.lasts & op.token_mask)] = time
    op.lasts += 1
    op.rows += op.starts
    if op.fill_token == op.fill_tokens:
        begin_rows(m, w, op, op.fill_frame + 1)
    else:
        op.fill_token += 1
        _begin_token(m, w, op)


@compiled
def token_shows(m, op: WindowRecord, time):
    """Note from when the first word of the next token shows.

    Parameters
        m       the accelerator's records
        op      the op
        time    the cycle from which it shows
    """
    m[op.token + (op.lasts & op.token_mask)] = time
    op.firsts = op.lasts + 1


@compiled
def fill_rows(m, w, op: WindowRecord):
    """Take tokens into rows, as far as the times are known.

    Parameters
        m     the accelerator's records
        w     the call's data
        op    the op
    """
    reader, frames = ReaderRecord(m, op.reader), HeaderRecord(m, 0).frames
    while op.fill_frame < frames:
        ready = 0
        if op.fill_word == 0:
            shown = word_shown(m, w, reader)
            if shown != UNKNOWN:
                token_shows(m, op, shown)
            ready = row_ready(m, op)
            if shown == UNKNOWN or ready == UNKNOWN:
                return
        words = 1 if op.fill_token == op.fill_tokens else op.token_words
        op.fill_word += read_words(m, w, reader, words - op.fill_word, ready)
        if op.fill_word < words:
            return
        op.fill_word = 0
        row_token_came(m, w, op, reader.read_at)
