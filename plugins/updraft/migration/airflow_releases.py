"""The lines of Airflow that DAGs are written for, and what differs in their text."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AirflowRelease:
    """A line of Airflow, and those that follow it until the next major version.

    :param name: as the option ``--airflow`` has it, the oldest of them.
    :param run_start: a run's own instant in Jinja: set for every run, also where a manual run has
        no logical date, and the same for all tries of its tasks.
    :param dag_modules: where names of DAG files come from, if not from the module that has them in
        all lines.
    :param has_deadlines: whether a DAG may have deadlines.
    """

    name: str
    run_start: str
    dag_modules: Mapping[str, str] = field(default_factory=dict)
    has_deadlines: bool = True


# Airflow has each of these twice. Those of `airflow.sdk`, for authors, keep their arguments; those
# of the scheduler also describe a cron expression in words, a tenth of what parsing a DAG takes.
_TIMETABLES = ("CronDataIntervalTimetable", "CronTriggerTimetable", "DeltaDataIntervalTimetable")

AIRFLOW_3_2 = AirflowRelease(
    "3.2", "dag_run.run_after", dict.fromkeys(("DAG", "Param", *_TIMETABLES), "airflow.sdk")
)

AIRFLOW_3_0 = AirflowRelease(
    "3.0",
    "dag_run.run_after",
    dict.fromkeys(("DAG", "Param"), "airflow.sdk"),
    has_deadlines=False,
)

AIRFLOW_2 = AirflowRelease(
    "2.11", "logical_date", {"DAG": "airflow", "Param": "airflow.models.param"}, has_deadlines=False
)

RELEASES = {
    **{release.name: release for release in (AIRFLOW_3_2, AIRFLOW_3_0, AIRFLOW_2)},
    "3": AIRFLOW_3_2,
}
"""Choices of ``updraft convert --airflow``; the first one, also called ``3``, is its default."""
