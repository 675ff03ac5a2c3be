"""The ports of the accelerator in the cycle simulator: the source of its input, as tokens or masks, and the sink.

A source that never stalls offers each beat as soon as the one before it is taken. One that stalls offers it in the
first cycle from then on in which it does not stall. A sink that stalls takes a beat in the first cycle in which it does
not stall.
"""

from __future__ import annotations

from cosim.cycle.active_sites import WHOLE
from cosim.cycle.lane_converters import take_word, word_shown
from cosim.cycle.process import ProcessRecord
from cosim.cycle.records import UNKNOWN, HeaderRecord, compiled
from cosim.cycle.streams import ReaderRecord, StreamRecord, frame_tokens, offer


class PortRecord(ProcessRecord):
    """A source or a sink."""

    stalls: int  # address of a table: how many cycles the port waits, by cycle modulo ``period``
    period: int  # length of that table; 0 where the port never waits


class SourceRecord(PortRecord):
    """A source of tokens."""

    out: int  # the stream that it offers
    total: int  # beats to play
    noted: int  # beats whose time is written to ``w``


class MaskSourceRecord(SourceRecord):
    """A source of masks. Its words are the words of a mask."""

    mask_bits: int  # bits of a word
    mask_words: int  # words of a frame
    mask_latency: int  # cycles from a word's entry to its leaving the list
    token_beats: int  # beats of a token
    mask_frame: int  # the frame that it plays
    site: int  # the next site of that frame
    remaining: int  # features of the last site that are not offered yet, in beats
    passing: int  # beats of features that are offered and not noted yet
    words_at: int  # address in ``w`` of the times of the frame's words
    word: int  # the word in work
    popped_at: int  # when that word was taken from the list
    found_at: int  # when the last site was found
    placed_at: int  # when the last site got its coordinates
    passed_at: int  # when the last beat went in


class SinkRecord(PortRecord):
    """A sink."""

    reader: int  # its reader
    received: int  # beats that it has taken


@compiled
def _free(m, port: PortRecord, time):
    """The first cycle from ``time`` on in which a port does not stall."""
    return time + m[port.stalls + time % port.period] if port.period else time


@compiled
def run_source(m, w, p):
    """Run a source of tokens.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the source
    """
    port, source = PortRecord(m, p), SourceRecord(m, p)
    stream = StreamRecord(m, source.out)
    mask, moves, times = stream.mask, stream.ring + stream.mask + 1, HeaderRecord(m, 0).input
    for n in range(source.noted, stream.moved):
        w[times + n] = m[moves + (n & mask)]
    source.noted = stream.moved
    n, most = stream.offered, stream.moved + (1 if port.period else mask + 1)
    while n < most and n < source.total:
        last = m[moves + (n - 1 & mask)] if port.period and n else -1
        m[stream.ring + (n & mask)] = _free(m, port, last + 1)
        n += 1
    if n > stream.offered:
        offer(m, stream, n)


@compiled
def run_mask_source(m, w, p):
    """Run a source of masks, with ``hw.streams.mask_input.MaskInput`` behind it.

    A word is taken from the list when the one before it is done with. Each of its sites, and after the last word's
    sites the ``end``, is then found, placed, and gone with its last beat. A stage takes the next site as soon as the
    stage behind it is empty.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the source
    """
    port, source, header = PortRecord(m, p), MaskSourceRecord(m, p), HeaderRecord(m, 0)
    stream = StreamRecord(m, source.out)
    while stream.moved == stream.offered and source.mask_frame < header.frames:
        n, mask = stream.offered, stream.mask
        for beat in range(n - source.passing, n):
            _note(m, w, source, m[stream.ring + mask + 1 + (beat & mask)])
        source.passing = 0
        count = frame_tokens(m, w, WHOLE, source.mask_frame)
        if source.remaining == 0:
            if source.site == 0:
                _take_words(m, w, port, source, stream.last + 1)
            elif source.site > count:
                source.site = 0
                source.mask_frame += 1
                continue
            word = source.mask_words - 1
            if source.site < count:
                sites = w[header.sites + WHOLE * header.frames + source.mask_frame]
                word = w[sites + source.site] // source.mask_bits
            _place(w, source, word, stream.last)
            source.remaining = source.token_beats if source.site < count else 0
            source.site += 1
            if source.remaining == 0:
                m[stream.ring + (n & mask)] = source.placed_at + 1
                offer(m, stream, n + 1)
                continue
        # a source that stalls offers one feature at a time
        beats = 1 if port.period else source.remaining
        for beat in range(beats):
            m[stream.ring + (n + beat & mask)] = max(source.placed_at + 1, _free(m, port, source.passed_at + 1))
        offer(m, stream, n + beats)
        source.passing = beats
        source.remaining -= beats


@compiled
def _note(m, w, source: MaskSourceRecord, time):
    """Note the time at which a beat went in."""
    w[HeaderRecord(m, 0).input + source.noted] = time
    source.noted += 1
    source.passed_at = time


@compiled
def _take_words(m, w, port: PortRecord, source: MaskSourceRecord, start):
    """Note when a frame's words go in, at most one a cycle, the first in cycle ``start`` or later."""
    source.words_at = HeaderRecord(m, 0).input + source.noted
    for _ in range(source.mask_words):
        _note(m, w, source, max(_free(m, port, source.passed_at + 1), start))
    source.word = UNKNOWN
    source.popped_at = source.found_at = source.placed_at = start - 1


@compiled
def _place(w, source: MaskSourceRecord, word, gone):
    """Find and place the next site, which is in word number ``word``; the site before it is gone in cycle ``gone``."""
    earliest = source.found_at + 1
    if word != source.word:
        entered = w[source.words_at + word]
        source.popped_at = max(entered + source.mask_latency, source.popped_at + 1, source.found_at)
        source.word = word
        earliest = source.popped_at + 1
    source.found_at = max(earliest, source.placed_at)
    source.placed_at = max(source.found_at + 1, gone)


@compiled
def run_sink(m, w, p):
    """Run the sink.

    Parameters
        m    the accelerator's records
        w    the call's data
        p    address of the sink
    """
    port, sink, times = PortRecord(m, p), SinkRecord(m, p), HeaderRecord(m, 0).output
    reader = ReaderRecord(m, sink.reader)
    while True:
        shown = word_shown(m, w, reader)
        if shown == UNKNOWN:
            return
        time = _free(m, port, shown)
        take_word(m, w, reader, time)
        w[times + sink.received] = time
        sink.received += 1
