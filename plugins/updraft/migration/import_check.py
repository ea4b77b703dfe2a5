"""The import check: every generated file is loaded by Airflow itself before it is written.

Airflow reads its configuration when it is imported, and would create files in the user's home.
So it runs in a process of its own, with a home of its own that is removed afterwards, once for
all files of a conversion.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

import updraft
from updraft.errors import UpdraftError

_TIMEOUT_SECONDS = 300
_SECONDS_PER_FILE = 5
RUNS_ASKED = 3


class ImportOutcome(BaseModel):
    """What Airflow said to one file.

    :param dag_ids: the DAGs it found there.
    :param error: the last line of the traceback, none when the file loads.
    :param warnings: warnings that loading raised.
    :param runs: the first scheduled runs of the DAG, each the instant at which it is due and its
        data interval; none when it runs only when triggered.
    """

    model_config = ConfigDict(frozen=True)

    dag_ids: tuple[str, ...]
    error: str | None
    warnings: tuple[str, ...] = ()
    runs: tuple[tuple[datetime, datetime, datetime], ...] = ()


def check_imports(sources: dict[str, str]) -> dict[str, ImportOutcome]:
    """Load DAG files into a real DagBag.

    :param sources: text of each file by file name, such as ``export.py``.
    :returns: an outcome for each file name.
    :raises UpdraftError: when Airflow can't be started.
    """
    if not sources:
        return {}
    with tempfile.TemporaryDirectory(prefix="updraft-import-check-") as name:
        home = Path(name)
        folder = home / "dags"
        folder.mkdir()
        for file_name, source in sources.items():
            (folder / file_name).write_text(source, encoding="utf-8")
        outcome_file = home / "outcome.json"
        _run(home, folder, outcome_file, len(sources))
        found = json.loads(outcome_file.read_text(encoding="utf-8"))
    missing = ImportOutcome(dag_ids=(), error="Airflow found no DAG in the file")
    return {
        file_name: ImportOutcome.model_validate(found[file_name]) if file_name in found else missing
        for file_name in sources
    }


def _run(home: Path, folder: Path, outcome_file: Path, count: int) -> None:
    command = [sys.executable, "-m", __name__, str(folder), str(outcome_file)]
    timeout = _TIMEOUT_SECONDS + _SECONDS_PER_FILE * count
    try:
        finished = subprocess.run(  # noqa: S603 this very module
            command,
            cwd=home,
            env=_environment(home),
            capture_output=True,
            check=False,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        raise UpdraftError(
            f"The import check was stopped after {timeout} seconds; try again, or leave it out "
            "with --no-import-check"
        ) from None
    if finished.returncode != 0 or not outcome_file.exists():
        lines = finished.stderr.decode(errors="replace").strip().splitlines()
        raise UpdraftError(
            f"The import check could not run Airflow: {lines[-1] if lines else 'no reason given'}. "
            "Install Airflow next to Updraft, or leave the check out with --no-import-check"
        )


def _environment(home: Path) -> dict[str, str]:
    library = str(Path(updraft.__file__).parent.parent)
    path = os.environ.get("PYTHONPATH")
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("AIRFLOW__")},
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        # The first file loads the providers, which takes its time on a busy machine.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": str(_TIMEOUT_SECONDS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        "AIRFLOW__OPENLINEAGE__DISABLED": "True",
        "PYTHONPATH": f"{library}{os.pathsep}{path}" if path else library,
    }


def _first_runs(dag: Any) -> tuple[tuple[datetime, datetime, datetime], ...]:
    """Ask the timetable of a DAG, as a scheduler does that has missed no run.

    :returns: the first runs; none when it runs only when triggered.
    """
    import pendulum  # noqa: PLC0415 - comes with Airflow
    from airflow.serialization.encoders import (  # noqa: PLC0415 takes seconds
        coerce_to_core_timetable,
    )
    from airflow.timetables.base import TimeRestriction  # noqa: PLC0415 likewise

    # Those of `airflow.sdk`, which authors write, only tell what the scheduler's are made of.
    timetable = coerce_to_core_timetable(dag.timetable)
    start, end = (one and pendulum.instance(one) for one in (dag.start_date, dag.end_date))
    restriction = TimeRestriction(start, end, catchup=True)
    runs: list[tuple[datetime, datetime, datetime]] = []
    last = None
    # Near the year 9999 the calendar of Python ends.
    with contextlib.suppress(OverflowError, ValueError):
        while len(runs) < RUNS_ASKED and (
            info := timetable.next_dagrun_info(
                last_automated_data_interval=last, restriction=restriction
            )
        ):
            last = info.data_interval
            runs.append((info.run_after, last.start, last.end))
    return tuple(runs)


def _load(folder: str, outcome_file: str) -> None:
    """Load the files; runs in the process of its own."""
    from airflow.dag_processing.dagbag import DagBag  # noqa: PLC0415 takes seconds

    bag = DagBag(dag_folder=folder, safe_mode=False)
    found: dict[str, ImportOutcome] = {}
    errors = {Path(name).name: text for name, text in bag.import_errors.items()}
    warnings = {Path(name).name: texts for name, texts in bag.captured_warnings.items()}
    for path in Path(folder).glob("*.py"):
        error = errors.get(path.name)
        found[path.name] = ImportOutcome(
            dag_ids=tuple(
                dag_id for dag_id, dag in bag.dags.items() if Path(dag.fileloc).name == path.name
            ),
            error=error.strip().splitlines()[-1] if error else None,
            warnings=tuple(str(text) for text in warnings.get(path.name, ())),
            runs=next(
                (
                    _first_runs(dag)
                    for dag in bag.dags.values()
                    if Path(dag.fileloc).name == path.name
                ),
                (),
            ),
        )
    text = json.dumps({name: outcome.model_dump(mode="json") for name, outcome in found.items()})
    Path(outcome_file).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _load(*sys.argv[1:])
