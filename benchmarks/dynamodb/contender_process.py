"""Runs one contender in a process of its own."""

import sys

from benchmarks.dynamodb.contenders import CONTENDERS, Work
from benchmarks.dynamodb.measurement import report

if __name__ == "__main__":
    name, table, items, prefix = sys.argv[1:]
    prepare = CONTENDERS[name].prepare
    if prepare is None:
        raise SystemExit(f"{name} runs in an interpreter of its own")
    report(prepare(Work(table, int(items), prefix)))
