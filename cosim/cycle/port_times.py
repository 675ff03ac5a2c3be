"""The ports of the accelerator in the cycle simulator: the source of its input, as tokens or masks, and the sink.

A source that never stalls offers each beat as soon as the one before it is taken. One that stalls offers it in the
first cycle from then on in which it does not stall. A sink that stalls takes a beat in the first cycle in which it does
not stall.
"""

from __future__ import annotations

from cosim.cycle.active_sites import WHOLE
from cosim.cycle.memory import FRAMES, INPUT, OUTPUT, PROCESS, SITES, TOKENS, UNKNOWN, compiled
from cosim.cycle.stream_times import LAST, MASK, MOVED, OFFERED, RING, offered, take_word, word_shown

STALLS, PERIOD, PORT = range(PROCESS, PROCESS + 3)
"""The record of a source or a sink, which is a process.

Fields
    STALLS    address of a table: how many cycles the port waits, by cycle modulo PERIOD
    PERIOD    length of that table; 0 where the port never waits
    PORT      where the fields of the kind of port begin
"""


@compiled
def _free(m, p, time):
    """The first cycle from ``time`` on in which a port does not stall."""
    return time + m[m[p + STALLS] + time % m[p + PERIOD]] if m[p + PERIOD] else time


TO, PLAYED, NOTED, SOURCE_SIZE = range(PORT, PORT + 4)
"""The record of a source.

Fields
    TO             the stream that it offers
    PLAYED         beats to play
    NOTED          beats whose time is written to ``w``
    SOURCE_SIZE    size of the record
"""


@compiled
def source(m, w, p):
    """Run a source of tokens.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the source's record
    """
    s = m[p + TO]
    mask, moves = m[s + MASK], m[s + RING] + m[s + MASK] + 1
    for n in range(m[p + NOTED], m[s + MOVED]):
        w[m[INPUT] + n] = m[moves + (n & mask)]
    m[p + NOTED] = m[s + MOVED]
    n, most = m[s + OFFERED], m[s + MOVED] + (1 if m[p + PERIOD] else mask + 1)
    while n < most and n < m[p + PLAYED]:
        last = m[moves + (n - 1 & mask)] if m[p + PERIOD] and n else -1
        m[m[s + RING] + (n & mask)] = _free(m, p, last + 1)
        n += 1
    if n > m[s + OFFERED]:
        offered(m, s, n)


(
    MASK_BITS, MASK_WORDS, MASK_LATENCY, TOKEN_BEATS, MASK_FRAME, SITE, LEFT, PASSING, WORDS_AT, WORD, TAKEN, FOUND,
    PLACED, PASSED_AT, MASK_SIZE,
) = range(SOURCE_SIZE, SOURCE_SIZE + 15)  # fmt: skip
"""The record of a source of masks. Its words are the words of a mask.

Fields
    MASK_BITS       bits of a word
    MASK_WORDS      words of a frame
    MASK_LATENCY    cycles from a word's entry to its leaving the list
    TOKEN_BEATS     beats of a token
    MASK_FRAME      the frame that it plays
    SITE            the next site of that frame
    LEFT            features of the last site that are not offered yet, in beats
    PASSING         beats of features that are offered and not noted yet
    WORDS_AT        address in ``w`` of the times of the frame's words
    WORD            the word in work
    TAKEN           when that word was taken from the list
    FOUND           when the last site was found
    PLACED          when the last site got its coordinates
    PASSED_AT       when the last beat went in
    MASK_SIZE       size of the record
"""


@compiled
def mask_source(m, w, p):
    """Run a source of masks, with ``hw.streams.mask_input.MaskInput`` behind it.

    A word is taken from the list when the one before it is done with. Each of its sites, and after the last word's
    sites the ``end``, is then found, placed, and gone with its last beat. A stage takes the next site as soon as the
    stage behind it is empty.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the source's record
    """
    s = m[p + TO]
    while m[s + MOVED] == m[s + OFFERED] and m[p + MASK_FRAME] < m[FRAMES]:
        n, mask = m[s + OFFERED], m[s + MASK]
        for beat in range(n - m[p + PASSING], n):
            _note(m, w, p, m[m[s + RING] + mask + 1 + (beat & mask)])
        m[p + PASSING] = 0
        place = WHOLE * m[FRAMES] + m[p + MASK_FRAME]
        count = w[m[TOKENS] + place]
        if m[p + LEFT] == 0:
            if m[p + SITE] == 0:
                _take_words(m, w, p, m[s + LAST] + 1)
            elif m[p + SITE] > count:
                m[p + SITE] = 0
                m[p + MASK_FRAME] += 1
                continue
            word = m[p + MASK_WORDS] - 1
            if m[p + SITE] < count:
                word = w[w[m[SITES] + place] + m[p + SITE]] // m[p + MASK_BITS]
            _place(m, w, p, word, m[s + LAST])
            m[p + LEFT] = m[p + TOKEN_BEATS] if m[p + SITE] < count else 0
            m[p + SITE] += 1
            if m[p + LEFT] == 0:
                m[m[s + RING] + (n & mask)] = m[p + PLACED] + 1
                offered(m, s, n + 1)
                continue
        # a source that stalls offers one feature at a time
        beats = 1 if m[p + PERIOD] else m[p + LEFT]
        for beat in range(beats):
            m[m[s + RING] + (n + beat & mask)] = max(m[p + PLACED] + 1, _free(m, p, m[p + PASSED_AT] + 1))
        offered(m, s, n + beats)
        m[p + PASSING] = beats
        m[p + LEFT] -= beats


@compiled
def _note(m, w, p, time):
    """Note the time at which a beat went in."""
    w[m[INPUT] + m[p + NOTED]] = time
    m[p + NOTED] += 1
    m[p + PASSED_AT] = time


@compiled
def _take_words(m, w, p, start):
    """Note when a frame's words go in, at most one a cycle, the first in cycle ``start`` or later."""
    m[p + WORDS_AT] = m[INPUT] + m[p + NOTED]
    for _ in range(m[p + MASK_WORDS]):
        _note(m, w, p, max(_free(m, p, m[p + PASSED_AT] + 1), start))
    m[p + WORD] = UNKNOWN
    m[p + TAKEN] = m[p + FOUND] = m[p + PLACED] = start - 1


@compiled
def _place(m, w, p, word, gone):
    """Find and place the next site, which is in word number ``word``; the site before it is gone in cycle ``gone``."""
    earliest = m[p + FOUND] + 1
    if word != m[p + WORD]:
        entered = w[m[p + WORDS_AT] + word]
        m[p + TAKEN] = max(entered + m[p + MASK_LATENCY], m[p + TAKEN] + 1, m[p + FOUND])
        m[p + WORD] = word
        earliest = m[p + TAKEN] + 1
    m[p + FOUND] = max(earliest, m[p + PLACED])
    m[p + PLACED] = max(m[p + FOUND] + 1, gone)


FROM, RECEIVED, SINK_SIZE = range(PORT, PORT + 3)
"""The record of a sink.

Fields
    FROM         its reader
    RECEIVED     beats that it has taken
    SINK_SIZE    size of the record
"""


@compiled
def sink(m, w, p):
    """Run the sink.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    the sink's record
    """
    r = m[p + FROM]
    while True:
        shown = word_shown(m, w, r)
        if shown == UNKNOWN:
            return
        time = _free(m, p, shown)
        take_word(m, w, r, time)
        w[m[OUTPUT] + m[p + RECEIVED]] = time
        m[p + RECEIVED] += 1
