"""All processes of the cycle simulator, run in turn until no beat moves any more.

A process runs until it needs a time that is not known yet. It is woken by what it waits for: beats before it, or room
behind it. Processes run in the order of the graph, so that each finds all that the ones before it have just offered.
"""

from __future__ import annotations

from cosim.cycle import kinds
from cosim.cycle.arrivals import FILL_LEFT, POOL_LEFT, SITE_LEFT, SPARSE, begin_fill
from cosim.cycle.elementwise import elementwise, global_pool
from cosim.cycle.memory import AWAKE, KIND, SWEEP, UNCOUNTED, compiled, kept, pointer
from cosim.cycle.op_times import WORDS, frame_tokens
from cosim.cycle.port_times import mask_source, sink, source
from cosim.cycle.site_times import tokens
from cosim.cycle.stream_times import begin_frame, queue
from cosim.cycle.window_times import begin_places, windows


@kept(**UNCOUNTED)
def run(m, w, processes, readers):
    """Run all processes until no beat moves any more.

    Parameters
        m            the accelerator's records
        w            the call's data
        processes    addresses of the processes, in the order of the graph
        readers      addresses of the readers
    """
    _run(pointer(m), pointer(w), processes, readers)


@compiled
def _run(m, w, processes, readers):
    """``run`` on pointers to ``m`` and ``w``."""
    for r in readers:
        begin_frame(m, w, r, 0)
    for p in processes:
        if m[p + KIND] == kinds.TOKENS:
            m[p + FILL_LEFT] = m[p + SITE_LEFT] = frame_tokens(m, w, p, 0)
        elif m[p + KIND] == kinds.POOL:
            m[p + POOL_LEFT] = frame_tokens(m, w, p, 0) * m[p + WORDS]
        elif m[p + KIND] == kinds.WINDOWS:
            begin_fill(m, w, p, 0)
            if m[p + SPARSE]:
                begin_places(m, w, p, 0)
    awake = m[AWAKE]
    for number in range(len(processes)):
        m[awake + number] = 1
    moving = True
    while moving:
        moving = False
        m[SWEEP] += 1
        for number in range(len(processes)):
            if not m[awake + number]:
                continue
            m[awake + number] = 0
            moving = True
            p = processes[number]
            kind = m[p + KIND]
            if kind == kinds.TOKENS:
                tokens(m, w, p)
            elif kind == kinds.WINDOWS:
                windows(m, w, p)
            elif kind == kinds.ELEMENTWISE:
                elementwise(m, w, p)
            elif kind == kinds.QUEUE:
                queue(m, w, p)
            elif kind == kinds.POOL:
                global_pool(m, w, p)
            elif kind == kinds.SINK:
                sink(m, w, p)
            elif kind == kinds.SOURCE:
                source(m, w, p)
            else:
                mask_source(m, w, p)
