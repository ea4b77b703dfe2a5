"""The lines of Airflow that DAGs are written for, and what differs in their text."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AirflowRelease:
    """A line of Airflow.

    :param name: as the option ``--airflow`` has it.
    :param run_start: a run's own instant in Jinja: set for every run, also where a manual run has
        no logical date, and the same for all tries of its tasks.
    :param dag_modules: where the names of DAG files come from.
    :param has_deadlines: whether a DAG may have deadlines.
    """

    name: str
    run_start: str
    dag_modules: Mapping[str, str] = field(default_factory=dict)
    has_deadlines: bool = True


AIRFLOW_3 = AirflowRelease("3", "dag_run.run_after", {"DAG": "airflow.sdk", "Param": "airflow.sdk"})

AIRFLOW_2 = AirflowRelease(
    "2.11", "logical_date", {"DAG": "airflow", "Param": "airflow.models.param"}, has_deadlines=False
)

RELEASES = {release.name: release for release in (AIRFLOW_3, AIRFLOW_2)}
"""Choices of ``updraft convert --airflow``."""
