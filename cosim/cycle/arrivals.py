"""The input side of ops in the cycle simulator: how tokens come in, and when there is a place for the next one.

An op on tokens gives each token a slot. An op on windows gives each row with tokens one of the rows that it stores.
"""

from __future__ import annotations

from cosim.cycle.memory import FRAMES, SITES, UNKNOWN, compiled
from cosim.cycle.op_times import IN, OP, RELEASE, frame_tokens
from cosim.cycle.stream_times import CLASS, READ_AT, read_words, word_shown

TOKEN_WORDS, FILL_WORD, FILL_FRAME, FILL = range(OP, OP + 4)
"""The record of an op on tokens or windows, behind the fields of an op: the token that comes in.

Fields
    TOKEN_WORDS    words of a token
    FILL_WORD      words of the token that came so far
    FILL_FRAME     frame of the token
    FILL           where the fields of the kind of op begin
"""

SLOTS, SLOT, FILLED, FILL_LEFT, SITE, SITE_FRAME, SITE_LEFT, TOKENS_SIZE = range(FILL, FILL + 8)
"""The record of an op on tokens, from FILL on.

Tokens are numbered over all frames, an ``end`` as one of them; so are sites.

Fields
    SLOTS          number of slots, a power of two
    SLOT           address of two rings: when each token can be offered, and when its last step is issued
    FILLED         number of the token that comes in
    FILL_LEFT      tokens left of that token's frame
    SITE           number of the site in work
    SITE_FRAME     frame of that site
    SITE_LEFT      tokens left of that frame
    TOKENS_SIZE    size of the record
"""


@compiled
def slot_ready(m, p):
    """The cycle from which the next token may come: when the token that had its slot has left it.

    Parameters
        m    the accelerator's records
        p    the op's record
    """
    number, slots = m[p + FILLED], m[p + SLOTS]
    if number < slots:
        return 0
    if m[p + SITE] <= number - slots:
        return UNKNOWN
    return m[m[p + SLOT] + (number & slots - 1) + slots] + m[p + RELEASE]


@compiled
def token_came(m, w, p, time):
    """Note that all words of a token have come.

    Parameters
        m       the accelerator's records
        w       the call's data
        p       the op's record
        time    the cycle in which its last word was taken
    """
    m[m[p + SLOT] + (m[p + FILLED] & m[p + SLOTS] - 1)] = time + 1
    m[p + FILLED] += 1
    if m[p + FILL_LEFT]:
        m[p + FILL_LEFT] -= 1
    else:
        m[p + FILL_FRAME] += 1
        m[p + FILL_LEFT] = frame_tokens(m, w, p, m[p + FILL_FRAME])


@compiled
def fill_slots(m, w, p):
    """Take tokens into slots, as far as the times are known.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the op's record
    """
    r = m[p + IN]
    while m[p + FILL_FRAME] < m[FRAMES]:
        ready = slot_ready(m, p)
        if ready == UNKNOWN:
            # asking lets a converter take beats in all the same
            word_shown(m, w, r)
            return
        words = m[p + TOKEN_WORDS] if m[p + FILL_LEFT] else 1
        m[p + FILL_WORD] += read_words(m, w, r, words - m[p + FILL_WORD], 0 if m[p + FILL_WORD] else ready)
        if m[p + FILL_WORD] < words:
            return
        m[p + FILL_WORD] = 0
        token_came(m, w, p, m[r + READ_AT])


(
    SPARSE, WIDTH, KEPT, ROW, ROW_MASK, ROWS, FREED, FRAME_ROWS, CLOSE, CLOSE_MASK, MOST_AHEAD, CLOSED,
    TOKEN, TOKEN_MASK, FIRSTS, LASTS, FILL_TOKEN, FILL_TOKENS, STARTS, NEXT_ROW, WINDOW_FRAME, WINDOW_TOKEN, ROWED,
) = range(FILL, FILL + 23)  # fmt: skip
"""The record of an op on windows, from FILL on.

Tokens are numbered over all frames, an ``end`` as one of them; so are rows with tokens.

Fields
    SPARSE          whether the op finds its sites
    WIDTH           columns of the input
    KEPT            rows that the op stores
    ROW             address of a ring: when each row was freed
    ROW_MASK        index mask of that ring
    ROWS            rows that have begun
    FREED           rows that are freed
    FRAME_ROWS      rows before the frame of the site in work
    CLOSE           address of a ring: when each frame was closed, its end found, or offered by a dense source
    CLOSE_MASK      index mask of that ring
    MOST_AHEAD      the most frames that are begun and not closed
    CLOSED          frames that are closed
    TOKEN           address of two rings: when the first word of each token showed, and when its last word came
    TOKEN_MASK      index mask of these rings
    FIRSTS          tokens whose first word showed
    LASTS           tokens whose last word came
    FILL_TOKEN      number of the token that comes in, within its frame
    FILL_TOKENS     tokens of that frame
    STARTS          whether that token starts a row
    NEXT_ROW        raster index where the row after that token begins
    WINDOW_FRAME    frame of the site in work
    WINDOW_TOKEN    number of that frame's first token
    ROWED           where the fields of dense or sparse ops begin
"""


@compiled
def begin_fill(m, w, p, frame):
    """Make the next token that comes in the first of a frame.

    Parameters
        m        the accelerator's records
        w        the call's data
        p        the op's record
        frame    number of the frame
    """
    m[p + FILL_FRAME], m[p + FILL_TOKEN], m[p + NEXT_ROW] = frame, 0, 0
    m[p + FILL_TOKENS] = frame_tokens(m, w, p, frame)
    if frame < m[FRAMES]:
        _begin_token(m, w, p)


@compiled
def _begin_token(m, w, p):
    """Find out whether the token that comes in starts a row."""
    token, place = m[p + FILL_TOKEN], m[p + FILL_TOKEN]
    m[p + STARTS] = 0
    if token == m[p + FILL_TOKENS]:
        return
    if m[p + SPARSE]:
        place = w[w[m[SITES] + m[m[p + IN] + CLASS] * m[FRAMES] + m[p + FILL_FRAME]] + token]
    if place >= m[p + NEXT_ROW]:
        m[p + STARTS] = 1
        while place >= m[p + NEXT_ROW]:
            m[p + NEXT_ROW] += m[p + WIDTH]


@compiled
def waits_for_row(m, p):
    """Whether the token that comes in starts a row for which no storage is known to be free yet.

    Parameters
        m    the accelerator's records
        p    the op's record
    """
    return m[p + STARTS] and m[p + FILL_WORD] == 0 and m[p + FREED] <= m[p + ROWS] - m[p + KEPT]


@compiled
def row_ready(m, p):
    """The cycle from which the next token may come.

    A token that starts a row waits until the row whose storage it gets is freed. A sparse source takes an ``end``, and
    a dense one the first token of a frame, after the frame ``MOST_AHEAD`` before it was closed.

    Parameters
        m    the accelerator's records
        p    the op's record
    """
    ready = 0
    if m[p + FILL_TOKEN] == (m[p + FILL_TOKENS] if m[p + SPARSE] else 0):
        before = m[p + FILL_FRAME] - m[p + MOST_AHEAD]
        if before >= m[p + CLOSED]:
            return UNKNOWN
        if before >= 0:
            ready = m[m[p + CLOSE] + (before & m[p + CLOSE_MASK])] + 1
    if m[p + STARTS]:
        if waits_for_row(m, p):
            return UNKNOWN
        before = m[p + ROWS] - m[p + KEPT]
        if before >= 0:
            ready = max(ready, m[m[p + ROW] + (before & m[p + ROW_MASK])] + m[p + RELEASE])
    return ready


@compiled
def row_token_came(m, w, p, time):
    """Note that all words of a token have come.

    Parameters
        m       the accelerator's records
        w       the call's data
        p       the op's record
        time    the cycle in which its last word was taken
    """
    m[m[p + TOKEN] + m[p + TOKEN_MASK] + 1 + (m[p + LASTS] & m[p + TOKEN_MASK])] = time
    m[p + LASTS] += 1
    m[p + ROWS] += m[p + STARTS]
    if m[p + FILL_TOKEN] == m[p + FILL_TOKENS]:
        begin_fill(m, w, p, m[p + FILL_FRAME] + 1)
    else:
        m[p + FILL_TOKEN] += 1
        _begin_token(m, w, p)


@compiled
def token_shows(m, p, time):
    """Note from when the first word of the next token shows.

    Parameters
        m       the accelerator's records
        p       the op's record
        time    the cycle from which it shows
    """
    m[m[p + TOKEN] + (m[p + LASTS] & m[p + TOKEN_MASK])] = time
    m[p + FIRSTS] = m[p + LASTS] + 1


@compiled
def fill_rows(m, w, p):
    """Take tokens into rows, as far as the times are known.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the op's record
    """
    r = m[p + IN]
    while m[p + FILL_FRAME] < m[FRAMES]:
        ready = 0
        if m[p + FILL_WORD] == 0:
            shown = word_shown(m, w, r)
            if shown != UNKNOWN:
                token_shows(m, p, shown)
            ready = row_ready(m, p)
            if shown == UNKNOWN or ready == UNKNOWN:
                return
        words = 1 if m[p + FILL_TOKEN] == m[p + FILL_TOKENS] else m[p + TOKEN_WORDS]
        m[p + FILL_WORD] += read_words(m, w, r, words - m[p + FILL_WORD], ready)
        if m[p + FILL_WORD] < words:
            return
        m[p + FILL_WORD] = 0
        row_token_came(m, w, p, m[r + READ_AT])


POOL_FRAME, POOL_LEFT, POOL_SIZE = range(OP, OP + 3)
"""The record of a global pooling, behind the fields of an op.

Fields
    POOL_FRAME    the frame that comes in
    POOL_LEFT     beats left before its ``end``
    POOL_SIZE     size of the record
"""
