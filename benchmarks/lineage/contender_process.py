"""Runs one contender, and says what it took; a process of its own, for its memory."""

import json
import resource
import sys
import time

from benchmarks.lineage.contenders import CONTENDERS, TRANSPORTS, Work, emit_costs

_MIB = 1024  # ru_maxrss is in KiB on Linux


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MIB


def _main() -> None:
    name, work = sys.argv[1], Work(**json.loads(sys.argv[2]))
    if name in TRANSPORTS:
        figures = emit_costs(TRANSPORTS[name](work), work.emits)
    else:
        begin, cpu_begin = time.perf_counter(), time.process_time()
        events = CONTENDERS[name](work)
        figures = {
            "events": events,
            "seconds": time.perf_counter() - begin,
            "cpu": time.process_time() - cpu_begin,
            "peak": _peak(),
        }
    print(json.dumps(figures))


if __name__ == "__main__":
    _main()
