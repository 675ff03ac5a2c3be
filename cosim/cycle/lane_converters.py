"""What a reader of a stream sees, in the cycle simulator: words, which are beats behind up to two lane converters.

The first converter makes fewer lanes, the second more. ``word_shown`` says from which cycle the next word is there,
``take_word`` takes it, ``read_words`` takes several as fast as they come.
"""

from __future__ import annotations

from cosim.cycle.queues import QueueRecord, count, entry, put
from cosim.cycle.records import UNKNOWN, compiled
from cosim.cycle.streams import READER, ReaderRecord, StreamRecord, beat_shown, leave, offer, take_beat


@compiled
def _fork_shown(m, w, reader: ReaderRecord):
    """As ``beat_shown``; a queue that reads the same stream first takes the beat before, if it can."""
    stream = StreamRecord(m, reader.stream)
    if stream.moved < reader.accepted:
        for r in range(stream.reader, stream.reader + stream.readers * READER, READER):
            other = ReaderRecord(m, r)
            if other.queue and other.accepted < reader.accepted:
                put(m, w, QueueRecord(m, other.queue))
    return beat_shown(m, reader)


@compiled
def _part_shown(m, w, reader: ReaderRecord):
    """The cycle from which the next part behind the converter to fewer lanes shows.

    A beat enters when all parts of the one before it are out; its own parts are offered a cycle later.
    """
    if reader.parts_per_beat == 1:
        return _fork_shown(m, w, reader)
    if reader.split_remaining == 0:
        shown = _fork_shown(m, w, reader)
        if shown == UNKNOWN:
            return UNKNOWN
        time = max(shown, reader.part_at)
        reader.split_end = reader.remaining == 1
        reader.split_remaining = 1 if reader.split_end else reader.parts_per_beat
        reader.split_at = time + 1
        take_beat(m, w, reader, time)
    return max(reader.split_at, reader.part_at + 1)


@compiled
def _take_part(m, w, reader: ReaderRecord, time):
    """Let a reader take the next part behind its converter to fewer lanes."""
    if reader.parts_per_beat == 1:
        take_beat(m, w, reader, time)
    else:
        reader.split_remaining -= 1
        reader.part_at = time


@compiled
def word_shown(m, w, reader: ReaderRecord):
    """The cycle from which the next word of a reader shows; UNKNOWN where that is not known yet.

    Behind a converter to more lanes, the part that completes a word enters when the word before moves, and the word is
    offered a cycle later.

    Parameters
        m         the accelerator's records
        w         the call's data
        reader    the reader
    """
    if reader.parts_per_word == 1:
        return _part_shown(m, w, reader)
    while not reader.word:
        time = _part_shown(m, w, reader)
        if time == UNKNOWN:
            return UNKNOWN
        end = reader.remaining == 1 if reader.parts_per_beat == 1 else reader.split_end
        reader.parts += 1
        if end or reader.parts == reader.parts_per_word:
            time = max(time, reader.read_at)
            reader.word, reader.word_at, reader.parts = 1, time + 1, 0
        _take_part(m, w, reader, time)
    return reader.word_at


@compiled
def take_word(m, w, reader: ReaderRecord, time):
    """Take the word that shows at a reader.

    Parameters
        m         the accelerator's records
        w         the call's data
        reader    the reader
        time      the cycle in which it is taken
    """
    reader.read_at = time
    if reader.parts_per_word == 1:
        _take_part(m, w, reader, time)
    else:
        reader.word = 0


@compiled
def read_words(m, w, reader: ReaderRecord, most, ready):
    """Take words of a token, each as soon as it shows, as far as the times are known.

    Parameters
        m         the accelerator's records
        w         the call's data
        reader    the reader
        most      words to take
        ready     the first cycle in which the first of them may be taken
    Returns       how many were taken
    """
    if reader.parts_per_beat == 1 and not reader.word:
        readers = StreamRecord(m, reader.stream).readers
        if readers == 1:
            return _read_straight(m, w, reader, most, ready)
        if readers == 2 and _other(m, reader).queue:
            return _read_beside_queue(m, w, reader, most, ready)
    for done in range(most):
        time = word_shown(m, w, reader)
        if time == UNKNOWN:
            return done
        take_word(m, w, reader, max(time, ready) if done == 0 else time)
    return most


@compiled
def _other(m, reader: ReaderRecord):
    """The other reader of a stream with two."""
    first = StreamRecord(m, reader.stream).reader
    return ReaderRecord(m, first + READER if reader.at == first else first)


@compiled
def straight(m, reader: ReaderRecord):
    """Whether a reader is alone at its stream and has no lane converter.

    Parameters
        m         the accelerator's records
        reader    the reader
    """
    return StreamRecord(m, reader.stream).readers == 1 and reader.parts_per_beat == 1 and reader.parts_per_word == 1


@compiled
def _read_straight(m, w, reader: ReaderRecord, most, ready):
    """``read_words`` without fork or converter to fewer lanes: the same recurrences, many beats at a time."""
    stream = StreamRecord(m, reader.stream)
    n, mask, wide = reader.accepted, stream.mask, reader.parts_per_word
    offers = stream.ring
    moves = offers + mask + 1
    start, time, late = n, stream.last, stream.late
    words, parts, read = 0, reader.parts, reader.read_at
    # an end is a word of one part
    last = 1 if reader.remaining == 1 else wide
    stop = min(n + most * last - parts, stream.offered)
    if wide == 1:
        if n < stop:
            time = max(time, ready - 1)
        words = max(stop - n, 0)
        while n < stop:
            offered = m[offers + (n & mask)]
            time = max(offered, time + 1)
            if time > offered:
                late = n + 1
            m[moves + (n & mask)] = time
            n += 1
        read = time
    while n < stop:
        time = max(m[offers + (n & mask)], time + 1)
        parts += 1
        if parts == last:
            time = max(time, read)
            read = max(time + 1, ready)
            parts, ready = 0, 0
            words += 1
        if time > m[offers + (n & mask)]:
            late = n + 1
        m[moves + (n & mask)] = time
        n += 1
    if n > start:
        stream.late = late
        reader.parts, reader.read_at = parts, read
        reader.accepted, reader.accepted_at = n, time
        stream.moved, stream.last = n, time
        m[stream.producer] = 1
        leave(m, w, reader, n - start)
    return words


@compiled
def _read_beside_queue(m, w, reader: ReaderRecord, most, ready):
    """``read_words`` at a fork whose other reader is a queue: both take beat after beat, as far as times are known."""
    stream, other = StreamRecord(m, reader.stream), _other(m, reader)
    queue = QueueRecord(m, other.queue)
    out = StreamRecord(m, queue.sink)
    count(m, queue)
    n, queued, mask, out_mask = reader.accepted, other.accepted, stream.mask, out.mask
    offers, out_offers = stream.ring, out.ring
    moved, last = stream.moved, stream.last
    moved_before, before = moved, queued
    words, parts, read, accepted_at = 0, reader.parts, reader.read_at, reader.accepted_at
    end = 1 if reader.remaining == 1 else reader.parts_per_word
    stop = min(n + most * end - parts, stream.offered)
    start = n
    while True:
        shown = max(m[offers + (moved & mask)], last + 1)
        if queued == moved and queued < stream.offered:
            time = entry(m, queue, queued, shown)
            if time != UNKNOWN:
                m[out_offers + (queued & out_mask)] = time + queue.latency
                queued += 1
                other.accepted_at = time
                leave(m, w, other, 1)
        if n == moved and n < stop:
            accepted_at = shown
            parts += 1
            if parts == end:
                if reader.parts_per_word > 1:
                    accepted_at = max(accepted_at, read)
                    read = max(accepted_at + 1, ready)
                else:
                    accepted_at = max(accepted_at, ready)
                    read = accepted_at
                parts, ready = 0, 0
                words += 1
            n += 1
        if n == moved or queued == moved:
            break
        last = max(accepted_at, other.accepted_at)
        if last > m[offers + (moved & mask)]:
            stream.late = moved + 1
        m[offers + mask + 1 + (moved & mask)] = last
        moved += 1
    if queued > before:
        other.accepted = queued
        offer(m, out, queued)
    if n > start:
        reader.parts, reader.read_at, reader.accepted, reader.accepted_at = parts, read, n, accepted_at
        leave(m, w, reader, n - start)
    if moved > moved_before:
        stream.moved, stream.last = moved, last
        m[stream.producer] = 1
    return words
