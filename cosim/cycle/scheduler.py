"""All processes of the cycle simulator, run in turn until no beat moves any more.

A process runs until it needs a time that is not known yet. It is woken by what it waits for: beats before it, or room
behind it. Processes run in the order of the graph, so that each finds all that the ones before it have just offered.
"""

from __future__ import annotations

from cosim.cycle.elementwise import run_elementwise
from cosim.cycle.global_pool import begin_pool, run_global_pool
from cosim.cycle.input_side import TokenRecord, WindowRecord, begin_rows, begin_slots
from cosim.cycle.op_state import PoolRecord, TurnRecord
from cosim.cycle.ports import run_mask_source, run_sink, run_source
from cosim.cycle.process import ELEMENTWISE, POOL, QUEUE, SINK, SOURCE, TOKENS, TURNS, WINDOWS, ProcessRecord
from cosim.cycle.queues import run_queue
from cosim.cycle.records import UNCOUNTED, HeaderRecord, cached, compiled, pointer
from cosim.cycle.sites import run_tokens
from cosim.cycle.streams import ReaderRecord, begin_frame
from cosim.cycle.turns import begin_turns, run_turns
from cosim.cycle.windows import SparseRecord, begin_places, run_windows


@cached(**UNCOUNTED)
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
        begin_frame(m, w, ReaderRecord(m, r), 0)
    for p in processes:
        kind = ProcessRecord(m, p).kind
        if kind == TOKENS:
            begin_slots(m, w, TokenRecord(m, p))
        elif kind == POOL:
            begin_pool(m, w, PoolRecord(m, p), 0)
        elif kind == TURNS:
            begin_turns(m, w, TurnRecord(m, p), 0)
        elif kind == WINDOWS:
            begin_rows(m, w, WindowRecord(m, p), 0)
            if WindowRecord(m, p).sparse:
                begin_places(m, w, SparseRecord(m, p), 0)
    header = HeaderRecord(m, 0)
    awake = header.awake
    for number in range(len(processes)):
        m[awake + number] = 1
    moving = True
    while moving:
        moving = False
        header.sweep += 1
        for number in range(len(processes)):
            if not m[awake + number]:
                continue
            m[awake + number] = 0
            moving = True
            p = processes[number]
            kind = ProcessRecord(m, p).kind
            if kind == TOKENS:
                run_tokens(m, w, p)
            elif kind == WINDOWS:
                run_windows(m, w, p)
            elif kind == ELEMENTWISE:
                run_elementwise(m, w, p)
            elif kind == QUEUE:
                run_queue(m, w, p)
            elif kind == POOL:
                run_global_pool(m, w, p)
            elif kind == TURNS:
                run_turns(m, w, p)
            elif kind == SINK:
                run_sink(m, w, p)
            elif kind == SOURCE:
                run_source(m, w, p)
            else:
                run_mask_source(m, w, p)
