"""The conversion of one definition, from its file to the text of a DAG and a report."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from updraft.choices import choose
from updraft.datapipeline.file_checking import (
    by_place,
    check_definition,
    check_result,
    unknown_values,
)
from updraft.datapipeline.findings import Finding, Severity
from updraft.datapipeline.model import Definition, Parameter, ParameterValue
from updraft.datapipeline.order_checking import CIRCLE
from updraft.datapipeline.reading import read_file
from updraft.migration.airflow_releases import AIRFLOW_3_2, RELEASES
from updraft.migration.assembly import assemble, with_errors
from updraft.migration.completion import Completed, complete
from updraft.migration.dag_schedules import DagSchedule
from updraft.migration.jinja_compiler import JinjaCompiler
from updraft.migration.ledger import Ledger
from updraft.migration.mapper import Workflow
from updraft.migration.pipeline_schedule import (
    PipelineSchedule,
    other_clocks,
    pipeline_schedule,
)
from updraft.migration.rendering import render
from updraft.migration.reporting.model import Report
from updraft.migration.schedule_parts import (
    SENSOR,
    Part,
    split_by_schedule,
    task_ids,
)
from updraft.migration.tasks import DagSpec, TaskSpec
from updraft.migration.written_out import with_written_out
from updraft.migration.written_settings import with_written_settings


@dataclass(frozen=True)
class Conversion:
    """What came of one definition file.

    :param path: the file.
    :param dag_id: id of the DAG.
    :param findings: everything found wrong or odd.
    :param dag_source: text of the DAG file; none when the file is no definition, or when nothing
        in it runs.
    :param report: the report, none when the file is no definition.
    :param schedule: when the DAG runs, none when there is no DAG.
    :param others: the DAGs of the same pipeline, when it has several schedules.
    :param crash: the traceback of a mistake of Updraft, none when there was none.
    """

    path: Path
    dag_id: str
    findings: tuple[Finding, ...]
    dag_source: str | None = None
    report: Report | None = None
    others: "tuple[Conversion, ...]" = ()
    schedule: DagSchedule | None = None
    crash: str | None = None

    @property
    def failed(self) -> bool:
        """Whether there is nothing to write."""
        return self.report is None

    @property
    def placeholders(self) -> tuple[str, ...]:
        """The tasks that fail until somebody has decided something."""
        tasks = self.report.tasks if self.report is not None else ()
        return tuple(task.task_id for task in tasks if not task.migrated)

    def refused(self) -> "Conversion":
        """Give the findings alone.

        :returns: a conversion of which nothing is written.
        """
        return replace(self, dag_source=None, report=None, schedule=None)


def convert_file(
    path: Path,
    dag_id: str,
    values: tuple[ParameterValue, ...] = (),
    start_date: datetime | None = None,
    compute: str = "ec2",
    *,
    airflow: str = AIRFLOW_3_2.name,
) -> Conversion:
    """Convert a file that holds one definition; nothing is written.

    :param path: the file.
    :param dag_id: id for the DAG.
    :param values: parameter values that go before those in the file.
    :param start_date: from when on the DAG takes the place of the pipeline, in UTC.
    :param compute: where shell commands run, a key of
        :data:`~updraft.migration.mappers.shell_places.COMPUTE`.
    :param airflow: the oldest Airflow that the DAG is for, a key of
        :data:`~updraft.migration.airflow_releases.RELEASES`.
    :returns: DAG, report and findings; of what is no definition the findings only.
    """
    result = read_file(path, given={one.id: one.values for one in values})
    unknown = unknown_values(result.pipelines, values)
    if len(result.pipelines) != 1 or not result.definitions:
        return Conversion(path, dag_id, (*check_result(result, values), *unknown))
    findings = (*result.findings, *unknown)
    return convert_definition(
        result.pipelines[0],
        path,
        dag_id,
        read_findings=findings,
        values=values,
        start_date=start_date,
        compute=compute,
        airflow=airflow,
    )


def convert_definition(
    definition: Definition,
    path: Path,
    dag_id: str,
    *,
    read_findings: tuple[Finding, ...] = (),
    values: tuple[ParameterValue, ...] = (),
    parameters: tuple[Parameter, ...] = (),
    start_date: datetime | None = None,
    compute: str = "ec2",
    airflow: str = AIRFLOW_3_2.name,
) -> Conversion:
    """Convert a definition; nothing is written.

    :param definition: the definition as read.
    :param path: the file that it stands in.
    :param dag_id: id for the DAG.
    :param read_findings: what was found when it was read.
    :param values: parameter values that go before those in the file.
    :param parameters: parameters declared in a file of their own.
    :param start_date: from when on the DAG takes the place of the pipeline, in UTC.
    :param compute: where shell commands run, a key of
        :data:`~updraft.migration.mappers.shell_places.COMPUTE`.
    :param airflow: the oldest Airflow that the DAG is for, a key of
        :data:`~updraft.migration.airflow_releases.RELEASES`.
    :returns: DAG, report and findings.
    """
    checked = check_definition(definition, values, parameters)
    completed = with_written_settings(with_written_out(complete(checked, read_findings)))
    release = choose("airflow", airflow, RELEASES)
    schedule = pipeline_schedule(completed.definition, completed.resolved, start_date)
    schedule = replace(schedule, dag=replace(schedule.dag, release=release))
    parts = split_by_schedule(completed, schedule, dag_id)
    if not parts:
        parts = (Part(dag_id, _workflow(completed, schedule)),)
    for part in parts:
        part.workflow.compute = compute
        part.workflow.release = release
    made = [assemble(part.workflow, path.name, part.dag_id) for part in parts]
    known_tasks = task_ids(parts)
    # What concerns the whole definition is said once.
    said = [[*read_findings, *checked.findings], *([] for _ in parts[1:])]
    conversions: list[Conversion] = []
    for findings, part, (dag, report) in zip(said, parts, made, strict=True):
        found = part.workflow.findings
        findings += [one for one in found if not _is_known(one, checked.findings)]
        findings.sort(key=by_place)
        about = {*part.workflow.resolved}
        errors = [*findings, *(one for one in said[0] if one.object_id in about)]
        complete_dag = with_errors(_with_known_tasks(dag, known_tasks), errors)
        noted = {"findings": tuple(_without_folder(findings)), "pipeline": dag_id}
        conversions.append(
            Conversion(
                path,
                part.dag_id,
                tuple(findings),
                dag_source=render(complete_dag) if dag.tasks else None,
                report=report.model_copy(update=noted),
                schedule=part.workflow.schedule.dag,
            )
        )
    return replace(conversions[0], others=tuple(conversions[1:]))


def _with_known_tasks(dag: DagSpec, known: dict[tuple[str, str], str]) -> DagSpec:
    """Let sensors wait for the tasks that the other parts turned out to have."""

    def known_task(task: TaskSpec) -> TaskSpec:
        key = (str(task.arguments.get("external_dag_id")), task.object_id)
        if task.operator != SENSOR or key not in known:
            return task
        guessed = str(task.arguments["external_task_id"])
        return replace(
            task,
            arguments={**task.arguments, "external_task_id": known[key]},
            summary=task.summary.replace(f"`{guessed}`", f"`{known[key]}`", 1),
        )

    return replace(dag, tasks=tuple(known_task(task) for task in dag.tasks))


def _without_folder(findings: list[Finding]) -> list[Finding]:
    """Name files without their folders: a report is the same wherever they lie."""
    return [finding.model_copy(update={"file": Path(finding.file).name}) for finding in findings]


def _is_known(finding: Finding, others: tuple[Finding, ...]) -> bool:
    """Tell whether a check has said the same, maybe in other words or of another object."""
    if finding.message.startswith(CIRCLE):
        return any(other.message.startswith(CIRCLE) for other in others)
    same = [
        other
        for other in others
        if (finding.object_id, finding.field) == (other.object_id, other.field)
    ]
    return any(
        finding.message == other.message or Severity.ERROR is finding.severity is other.severity
        for other in same
    )


def _workflow(completed: Completed, schedule: PipelineSchedule) -> Workflow:
    definition, resolved = completed.definition, completed.resolved
    clocks = other_clocks(definition, resolved, schedule.dag, schedule.start_date)
    compiler = JinjaCompiler(definition, resolved, schedule.dag.clock, clocks=clocks)
    return Workflow(
        definition,
        resolved,
        compiler,
        Ledger(definition, completed.missing, completed.written_ids),
        schedule,
        missing=completed.missing,
        broken=completed.broken,
        written_out=completed.written_out,
    )


def specify(definition: Definition, dag_id: str) -> tuple[DagSpec, Report]:
    """Map a definition with one schedule; no text is made of it.

    :param definition: the definition.
    :param dag_id: id for the DAG.
    :returns: the DAG as data, and the report without findings.
    """
    completed = with_written_settings(with_written_out(complete(check_definition(definition), ())))
    schedule = pipeline_schedule(completed.definition, completed.resolved)
    return assemble(_workflow(completed, schedule), definition.source, dag_id)
