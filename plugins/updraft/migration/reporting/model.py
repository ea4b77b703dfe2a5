"""The report of one conversion: what became of everything."""

import math

from pydantic import BaseModel, ConfigDict, computed_field

from updraft.datapipeline.findings import Finding, has_errors
from updraft.datapipeline.object_types import category_of
from updraft.migration.ledger import FieldAccount, Status
from updraft.migration.parameters import ParameterAccount
from updraft.migration.pipeline_schedule import ScheduleRow
from updraft.migration.reporting.effort import FORMULA, Effort, Stage, stage_of
from updraft.migration.reporting.graph import Graph
from updraft.migration.reporting.retired_resources import RetiredResource
from updraft.migration.reporting.template_files import markdown_template

_SETTLED = (Status.CARRIED_OVER, Status.EQUIVALENT, Status.DROPPED)
_KEPT = (Status.CARRIED_OVER, Status.EQUIVALENT)


class Coverage(BaseModel):
    """How many fields met which fate.

    :param total: how many fields there are.
    :param counts: how many of each status.
    """

    model_config = ConfigDict(frozen=True)

    total: int = 0
    counts: dict[Status, int] = dict.fromkeys(Status, 0)

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def settled_percent(self) -> float:
        """The share of fields that are carried over, equivalent, or dropped with a reason."""
        return self._percent(_SETTLED)

    @computed_field  # type: ignore[prop-decorator]  # likewise
    @property
    def kept_percent(self) -> float:
        """The share of fields that are carried over or equivalent."""
        return self._percent(_KEPT)

    def _percent(self, statuses: tuple[Status, ...]) -> float:
        # Rounded down: 100 % means all of them.
        counted = sum(self.counts[status] for status in statuses)
        return math.floor(1000 * counted / self.total) / 10 if self.total else 100.0

    def __add__(self, other: "Coverage") -> "Coverage":
        counts = {status: self.counts[status] + other.counts[status] for status in Status}
        return Coverage(total=self.total + other.total, counts=counts)


class TaskAccount(BaseModel):
    """A task of the DAG and the object that it comes from.

    :param task_id: id of the task.
    :param object_id: id of the object.
    :param object_type: the object's type.
    :param operator: name of the operator class.
    :param migrated: false for a placeholder, which fails.
    :param reason: why a placeholder fails, none for any other task.
    """

    model_config = ConfigDict(frozen=True)

    task_id: str
    object_id: str
    object_type: str
    operator: str
    migrated: bool
    reason: str | None = None


class PipelineAccount(BaseModel):
    """What became of something that a file says about a pipeline beside its definition.

    :param property: what it is, such as ``description``.
    :param value: its value.
    :param status: what became of it.
    :param note: where it is now.
    """

    model_config = ConfigDict(frozen=True)

    property: str
    value: str
    status: Status
    note: str


class Report(BaseModel):
    """What came of converting one definition, or one of its schedules where it has several.

    :param source: name of the definition file.
    :param pipeline: what the pipeline is called; the DAGs of several schedules share it.
    :param dag_id: id of the DAG.
    :param dag_file: name of the DAG file, none when nothing in the definition runs.
    :param requires: what the DAG needs to run.
    :param schedule: the schedule in words.
    :param runs: the first runs of both sides.
    :param coverage: fates of all fields, counted.
    :param activity_coverage: fates of the fields that are written on activities, counted.
    :param effort: what is left to do.
    :param retired: what can't be launched any more, or may not be.
    :param tasks: the tasks.
    :param parameters: what became of each parameter.
    :param fields: what became of each field, in the order of the file.
    :param findings: everything found wrong or odd.
    :param properties: what became of name, description and tags of the pipeline.
    :param before: the objects of the definition.
    :param after: the tasks of the DAG.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    pipeline: str = ""
    dag_id: str
    dag_file: str | None
    requires: str = "Airflow 3.2"
    schedule: str
    runs: tuple[ScheduleRow, ...]
    coverage: Coverage
    activity_coverage: Coverage = Coverage()
    effort: Effort = Effort()
    retired: tuple[RetiredResource, ...] = ()
    tasks: tuple[TaskAccount, ...]
    parameters: tuple[ParameterAccount, ...]
    fields: tuple[FieldAccount, ...]
    findings: tuple[Finding, ...]
    properties: tuple[PipelineAccount, ...] = ()
    before: Graph = Graph()
    after: Graph = Graph()

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def stage(self) -> Stage:
        """What is next for the pipeline."""
        return stage_of(self.effort, has_errors=has_errors(self.findings))

    @property
    def pipeline_name(self) -> str:
        """What the DAGs of the same pipeline have in common."""
        return self.pipeline or self.dag_id

    def to_json(self) -> str:
        """Write the report for programs.

        :returns: JSON with a line break at the end.
        """
        return self.model_dump_json(indent=2) + "\n"

    def to_markdown(self) -> str:
        """Write the report for people.

        :returns: Markdown.
        """
        template = markdown_template("pipeline.md.j2")
        return template.render(report=self, statuses=list(Status), formula=FORMULA)


def coverage_of(fields: tuple[FieldAccount, ...]) -> Coverage:
    """Count fates.

    :param fields: the accounts of all fields.
    :returns: the counts.
    """
    counts = dict.fromkeys(Status, 0)
    for account in fields:
        counts[account.status] += 1
    return Coverage(total=len(fields), counts=counts)


def activity_fields(fields: tuple[FieldAccount, ...]) -> tuple[FieldAccount, ...]:
    """Pick the fields that are written on activities.

    :param fields: the accounts of all fields.
    :returns: those of activities.
    """
    return tuple(one for one in fields if category_of(one.object_type) == "activity")
