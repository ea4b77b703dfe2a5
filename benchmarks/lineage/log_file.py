"""Writes a log as Airflow 2.6 on Amazon MWAA does: mostly other lines, and some events."""

import json
from pathlib import Path
from uuid import UUID

_SAMPLES = Path(__file__).parents[2] / "tests" / "unit" / "lineage" / "samples"
_EVENT = "[2026-11-22T20:10:59.286+0000] {{{{console.py:29}}}} INFO - {}\n"
_OTHER = (
    "[2026-11-22T20:10:59.286+0000] {{{{taskinstance.py:1103}}}} INFO - Dependencies all met for "
    "dep_context=non-requeueable deps ti=<TaskInstance: sales.load_{:06} scheduled__2026-11-22>\n"
)


def write_log(path: Path, lines: int, events: int) -> int:
    """Write a log.

    :param path: where.
    :param lines: how many lines it has.
    :param events: how many of them are events: the start and the end of each run.
    :returns: its size in bytes.
    """
    samples = [
        json.loads((_SAMPLES / f"airflow_3_{name}.json").read_text())
        for name in ("start", "complete")
    ]
    step = lines // events
    with path.open("w") as file:
        for number in range(lines):
            index, rest = divmod(number, step)
            if rest or index >= events:
                file.write(_OTHER.format(number))
                continue
            event = samples[index % 2]
            event["run"]["runId"] = str(UUID(int=index // 2))
            event["eventTime"] = f"2026-11-22T{20 + index * 3 // events}:07:12.289126+00:00"
            file.write(_EVENT.format(json.dumps(event, sort_keys=True)))
    return path.stat().st_size
