"""The report of one conversion: what became of everything, in Markdown and JSON."""

from dataclasses import dataclass
from functools import cache
from importlib import resources

import jinja2
from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.findings import Finding
from updraft.migration.ledger import FieldAccount, Status
from updraft.migration.parameters import ParameterAccount
from updraft.migration.pipeline_schedule import ScheduleRow


class Coverage(BaseModel):
    """How many fields met which fate."""

    model_config = ConfigDict(frozen=True)

    total: int
    counts: dict[Status, int]

    @property
    def settled_percent(self) -> float:
        """The share of fields that are carried over, equivalent, or dropped with a reason."""
        settled = sum(
            self.counts[status]
            for status in (Status.CARRIED_OVER, Status.EQUIVALENT, Status.DROPPED)
        )
        return 100 * settled / self.total if self.total else 100.0


class TaskAccount(BaseModel):
    """A task of the DAG and the object that it comes from."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    object_id: str
    object_type: str
    operator: str
    migrated: bool


@dataclass(frozen=True)
class PipelineAccount:
    """What became of something that a file says about a pipeline beside its definition.

    :param property: what it is, such as ``description``.
    :param value: its value.
    :param status: what became of it.
    :param note: where it is now.
    """

    property: str
    value: str
    status: Status
    note: str


class Report(BaseModel):
    """What came of converting one definition.

    :param source: name of the definition file.
    :param dag_id: id of the DAG.
    :param dag_file: name of the DAG file, none when nothing in the definition runs.
    :param requires: what the DAG needs to run.
    :param schedule: the schedule in words.
    :param runs: the first runs of both sides.
    :param coverage: fates of all fields, counted.
    :param tasks: the tasks.
    :param parameters: what became of each parameter.
    :param fields: what became of each field, in the order of the file.
    :param findings: everything found wrong or odd.
    :param pipeline: what became of name, description and tags of the pipeline.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    dag_id: str
    dag_file: str | None
    requires: str = "Airflow 3"
    schedule: str
    runs: tuple[ScheduleRow, ...]
    coverage: Coverage
    tasks: tuple[TaskAccount, ...]
    parameters: tuple[ParameterAccount, ...]
    fields: tuple[FieldAccount, ...]
    findings: tuple[Finding, ...]
    pipeline: tuple[PipelineAccount, ...] = ()

    def to_json(self) -> str:
        """Write the report for programs.

        :returns: JSON with a line break at the end.
        """
        return self.model_dump_json(indent=2) + "\n"

    def to_markdown(self) -> str:
        """Write the report for people.

        :returns: Markdown.
        """
        return _template().render(report=self, statuses=list(Status))


def coverage_of(fields: tuple[FieldAccount, ...]) -> Coverage:
    """Count fates.

    :param fields: the accounts of all fields.
    :returns: the counts.
    """
    counts = dict.fromkeys(Status, 0)
    for account in fields:
        counts[account.status] += 1
    return Coverage(total=len(fields), counts=counts)


def _cell(value: object) -> str:
    """Make a value fit for a cell of a Markdown table."""
    text = "-" if value is None else str(value)
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\r", "").replace("\n", "<br>")


@cache
def _template() -> jinja2.Template:
    # The report is Markdown, not HTML: escaping would only spoil it.
    environment = jinja2.Environment(  # noqa: S701 no HTML
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["cell"] = _cell
    source = resources.files("updraft.migration").joinpath("templates", "report.md.j2")
    return environment.from_string(source.read_text("utf-8"))
