"""What a contender costs, measured inside its own process. It needs the standard library only."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path


def report(run: Callable[[], object]) -> None:
    """Run a contender and print its figures as a line of JSON.

    CPU time is that of all threads of this process, in seconds, user and system together. What was
    imported and made before is not in it, but is in the memory: a worker has to hold it.

    :param run: the work.
    """
    logging.disable(logging.WARNING)
    before, cpu, wall = _memory("VmRSS"), time.process_time(), time.perf_counter()
    run()
    figures = {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "memory_before": before,
        "memory": _memory("VmHWM"),
    }
    print(json.dumps(figures))


def _memory(field: str) -> float:
    """Read a value of this process in MiB; ``getrusage`` would count the parent's peak too."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / 1024
    raise SystemExit(f"This benchmark needs Linux: /proc/self/status has no {field}")
