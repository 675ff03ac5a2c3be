"""Tokens as they come into an op of the cycle simulator, and from when on it has a place for the next one.

An op on tokens gives each a slot. An op on windows gives each row with tokens one of those it keeps.
"""

from __future__ import annotations

from cosim.memory import FRAMES, SITES, UNKNOWN, compiled
from cosim.op_times import IN, OP, RELEASE, frame_tokens
from cosim.stream_times import CLASS, READ_AT, read_words, word_shown

TOKEN_WORDS, FILL_WORD, FILL_FRAME, FILL = range(OP, OP + 4)
"""Of an op on tokens or windows: the words of a token. Of the token that comes in: how many words are there, and its
frame.
"""

SLOTS, SLOT, FILLED, FILL_LEFT, SITE, SITE_FRAME, SITE_LEFT, TOKENS_SIZE = range(FILL, FILL + 8)
"""Of an op on tokens: how many it keeps, and rings of when each could be offered and when its last step was. The number
of the token that comes in, and what its frame has left; of the site in work also its frame.
"""


@compiled
def slot_ready(m, p):
    """The cycle from which the next token may come: when the one so many before it has left its slot."""
    number, slots = m[p + FILLED], m[p + SLOTS]
    if number < slots:
        return 0
    if m[p + SITE] <= number - slots:
        return UNKNOWN
    return m[m[p + SLOT] + (number & slots - 1) + slots] + m[p + RELEASE]


@compiled
def token_came(m, w, p, time):
    """A token is there whole, its last word taken in cycle ``time``."""
    m[m[p + SLOT] + (m[p + FILLED] & m[p + SLOTS] - 1)] = time + 1
    m[p + FILLED] += 1
    if m[p + FILL_LEFT]:
        m[p + FILL_LEFT] -= 1
    else:
        m[p + FILL_FRAME] += 1
        m[p + FILL_LEFT] = frame_tokens(m, w, p, m[p + FILL_FRAME])


@compiled
def fill_slots(m, w, p):
    r = m[p + IN]
    while m[p + FILL_FRAME] < m[FRAMES]:
        ready = slot_ready(m, p)
        if ready == UNKNOWN:
            # a converter before it takes beats in all the same
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
"""Of an op on windows: whether it finds its sites; the columns of its input, the rows it keeps.

Rings: by row when it was freed (``ROW``); by frame when it was closed (``CLOSE``: the cycle in which the end was found,
or offered by a dense source); by token, an ``end`` among them, when its first word showed and, behind that, when its
last one came (``TOKEN``). At most ``MOST_AHEAD`` frames are begun that are not closed. So many rows were begun, and
freed, and came before the frame of the site in work; so many frames were closed; so many tokens showed (``FIRSTS``) and
came (``LASTS``).

Of the token that comes in: its number in its frame and the tokens there, whether it starts a row, and the first place
after that row. Of the site in work: its frame, and the number of that one's first token.
"""


@compiled
def begin_fill(m, w, p, frame):
    """The next token that comes in is the first of a frame."""
    m[p + FILL_FRAME], m[p + FILL_TOKEN], m[p + NEXT_ROW] = frame, 0, 0
    m[p + FILL_TOKENS] = frame_tokens(m, w, p, frame)
    if frame < m[FRAMES]:
        _begin_token(m, w, p)


@compiled
def _begin_token(m, w, p):
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
    """Whether the token that comes in starts a row for which no storage is known to be free yet."""
    return m[p + STARTS] and m[p + FILL_WORD] == 0 and m[p + FREED] <= m[p + ROWS] - m[p + KEPT]


@compiled
def row_ready(m, p):
    """The cycle from which the next token may come. One that starts a row waits until the row so many before it is
    freed. A sparse source takes an ``end``, a dense one the first token, when the frame ``MOST_AHEAD`` before it was
    closed.
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
    """A token is there whole, its last word taken in cycle ``time``."""
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
    """The first word of the next token stands before the op from cycle ``time`` on."""
    m[m[p + TOKEN] + (m[p + LASTS] & m[p + TOKEN_MASK])] = time
    m[p + FIRSTS] = m[p + LASTS] + 1


@compiled
def fill_rows(m, w, p):
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
"""Of global pooling: the frame that comes in, and how many beats before its end are left."""
