"""Runs one contender: its main process is the triggerer, and its children are the workers."""

import asyncio
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from pathlib import Path

from benchmarks.waiting import phases
from benchmarks.waiting.contenders import CONTENDERS
from benchmarks.waiting.work import Work

_WORKERS = 2


async def _deferred(name: str, work: Work, workers: ProcessPoolExecutor) -> list[tuple[float, int]]:
    """Run all tasks; each holds a worker before and after it waits, and a trigger while it does."""
    loop = asyncio.get_running_loop()

    async def one(index: int) -> tuple[float, int]:
        (part,) = await loop.run_in_executor(workers, phases.execute, name, work, [index])
        seconds, calls = part.seconds, part.calls
        while part.deferral:
            (classpath, kwargs), method = json.loads(part.deferral)
            module, _, trigger = classpath.rpartition(".")
            running = getattr(import_module(module), trigger)(**kwargs).run()
            event = await anext(running)
            await running.aclose()
            part = await loop.run_in_executor(
                workers, phases.resume, name, work, index, method, event.payload
            )
            seconds, calls = seconds + part.seconds, calls + part.calls
        return seconds, calls

    return await asyncio.gather(*(one(index) for index in range(work.runs)))


def _in_slots(name: str, work: Work, workers: ProcessPoolExecutor) -> list[tuple[float, int]]:
    """Run all tasks; each holds its slot to the end."""
    shares = [range(work.runs)[number::_WORKERS] for number in range(_WORKERS)]
    futures = [workers.submit(phases.execute, name, work, list(share)) for share in shares if share]
    return [(part.seconds, part.calls) for future in futures for part in future.result()]


def _memory(field: str) -> float:
    """Read a value of this process in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) / 1024
    raise SystemExit(f"This benchmark needs Linux: /proc/self/status has no {field}")


def main(name: str, work: Work) -> dict[str, float]:
    """Run a contender.

    :param name: its name.
    :param work: what it does.
    :returns: its figures.
    """
    phases.prepare_worker(name, work)
    pool = ProcessPoolExecutor(
        _WORKERS,
        multiprocessing.get_context("spawn"),
        initializer=phases.prepare_worker,
        initargs=(name, work),
    )
    with pool as workers:
        list(workers.map(time.sleep, [0.5] * _WORKERS))  # so that all are there
        memory, begin = _memory("VmRSS"), time.perf_counter()
        if CONTENDERS[name].deferrable:
            parts = asyncio.run(_deferred(name, work, workers))
        else:
            parts = _in_slots(name, work, workers)
        wall = time.perf_counter() - begin
    return {
        "slot_seconds": sum(seconds for seconds, _ in parts),
        "calls": sum(calls for _, calls in parts) + phases.calls_of_triggers(),
        "wall": wall,
        "memory": _memory("VmHWM") - memory,
    }


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], Work(**json.loads(sys.argv[2])))))
