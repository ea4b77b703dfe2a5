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
        begin = time.perf_counter()
        events = CONTENDERS[name](work)
        seconds = time.perf_counter() - begin
        figures = {"events": events, "seconds": seconds, "peak": _peak()}
    print(json.dumps(figures))


if __name__ == "__main__":
    _main()
