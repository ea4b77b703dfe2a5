"""What a user gives beside the definitions."""

from dataclasses import dataclass
from datetime import datetime

from updraft.datapipeline.model import Parameter, ParameterValue
from updraft.migration.airflow_releases import AIRFLOW_3_2


@dataclass(frozen=True)
class Given:
    """What a user gives beside the definitions.

    :param values: parameter values that go before those in the files.
    :param parameters: parameters declared in a file of their own.
    :param start_date: from when on the DAGs take the place of the pipelines, in UTC.
    :param compute: where shell commands run, a key of
        :data:`~updraft.migration.mappers.shell_places.COMPUTE`.
    :param airflow: the oldest Airflow that the DAGs are for, a key of
        :data:`~updraft.migration.airflow_releases.RELEASES`.
    :param strict: whether nothing is written for a file with an error.
    """

    values: tuple[ParameterValue, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    start_date: datetime | None = None
    compute: str = "ec2"
    airflow: str = AIRFLOW_3_2.name
    strict: bool = False

    @property
    def sources(self) -> set[str]:
        """The files and options that the values come from."""
        return {one.source for one in self.values}

    @property
    def by_name(self) -> dict[str, tuple[str, ...]]:
        """The values by name; of several the last one."""
        return {one.id: one.values for one in self.values}
