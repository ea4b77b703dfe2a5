"""The conversion of one definition, from its file to the text of a DAG and a report."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import updraft.migration.mappers  # noqa: F401 registers the mappers
from updraft.datapipeline.file_checking import (
    Checked,
    by_place,
    check_definition,
    check_result,
    unknown_values,
)
from updraft.datapipeline.findings import Finding, Severity, did_you_mean, has_errors
from updraft.datapipeline.mentions import mentions
from updraft.datapipeline.model import Definition, Parameter, ParameterValue
from updraft.datapipeline.order_checking import CIRCLE
from updraft.datapipeline.reading import read_file
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.dag_schedules import DagSchedule
from updraft.migration.dependencies import in_order, upstream_tasks
from updraft.migration.jinja_compiler import JinjaCompiler
from updraft.migration.ledger import Ledger
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.actions import add_actions, failure_notice
from updraft.migration.mappers.pipeline import (
    account_unread_defaults,
    map_default,
    report_activities_without_schedule,
)
from updraft.migration.mappers.placeholders import add_placeholder, needs_task
from updraft.migration.mappers.task_settings import account_user_fields, code_for
from updraft.migration.mappers.utilities import account_descriptions
from updraft.migration.parameters import map_parameters
from updraft.migration.pipeline_schedule import (
    PipelineSchedule,
    other_clocks,
    pipeline_schedule,
)
from updraft.migration.rendering import render
from updraft.migration.reporting.model import Report
from updraft.migration.reporting.pipeline_report import report_of
from updraft.migration.schedule_parts import (
    SENSOR,
    Part,
    add_sensor,
    split_by_schedule,
    task_ids,
)
from updraft.migration.staging import account_staging
from updraft.migration.tasks import DagSpec, TaskSpec
from updraft.migration.unknown_objects import (
    account_unknown_references,
    is_unknown,
    may_have_worked,
    reason,
)

# Activities decide what becomes of the objects that serve them.
_ORDER = ("schedule", "activity", "precondition", "data node", "resource")
# A title that names more kinds of tasks than these says less than the list of tasks.
_MOST_IN_TITLE = 2


@dataclass(frozen=True)
class Conversion:
    """What came of one definition file.

    :param path: the file.
    :param dag_id: id of the DAG.
    :param findings: everything found wrong or odd.
    :param dag_source: text of the DAG file, none when there are errors.
    :param report: the report, none when there are errors.
    :param schedule: when the DAG runs, none when there are errors.
    :param others: the DAGs of the same pipeline, when it has several schedules.
    """

    path: Path
    dag_id: str
    findings: tuple[Finding, ...]
    dag_source: str | None = None
    report: Report | None = None
    others: "tuple[Conversion, ...]" = ()
    schedule: DagSchedule | None = None

    @property
    def failed(self) -> bool:
        """Whether there is nothing to write."""
        return self.dag_source is None or has_errors(self.findings)


def convert_file(
    path: Path,
    dag_id: str,
    values: tuple[ParameterValue, ...] = (),
    start_date: datetime | None = None,
    compute: str = "ec2",
) -> Conversion:
    """Convert a file that holds one definition; nothing is written.

    :param path: the file.
    :param dag_id: id for the DAG.
    :param values: parameter values that go before those in the file.
    :param start_date: from when on the DAG takes the place of the pipeline, in UTC.
    :param compute: where shell commands run, ``ec2``, ``ssm`` or ``bash``.
    :returns: DAG, report and findings; with errors the findings only.
    """
    result = read_file(path, given={one.id: one.values for one in values})
    if result.definition is None:
        findings = check_result(result, values)
        return Conversion(path, dag_id, (*findings, *unknown_values(result.definitions, values)))
    findings = (*result.findings, *unknown_values(result.definitions, values))
    return convert_definition(
        result.definition,
        path,
        dag_id,
        read_findings=findings,
        values=values,
        start_date=start_date,
        compute=compute,
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
) -> Conversion:
    """Convert a definition; nothing is written.

    :param definition: the definition as read.
    :param path: the file that it stands in.
    :param dag_id: id for the DAG.
    :param read_findings: what was found when it was read.
    :param values: parameter values that go before those in the file.
    :param parameters: parameters declared in a file of their own.
    :param start_date: from when on the DAG takes the place of the pipeline, in UTC.
    :param compute: where shell commands run, ``ec2``, ``ssm`` or ``bash``.
    :returns: DAG, report and findings; with errors the findings only.
    """
    checked = check_definition(definition, values, parameters)
    schedule = pipeline_schedule(checked.definition, checked.resolved, start_date)
    parts = split_by_schedule(checked.definition, checked.resolved, schedule, dag_id)
    if not parts:
        parts = (Part(dag_id, _workflow(checked, schedule)),)
    for part in parts:
        part.workflow.compute = compute
    made = [_convert(part.workflow, path.name, part.dag_id) for part in parts]
    known_tasks = task_ids(parts)
    # What concerns the whole definition is said once.
    said = [[*read_findings, *checked.findings], *([] for _ in parts[1:])]
    for findings, part in zip(said, parts, strict=True):
        found = part.workflow.findings
        findings += [one for one in found if not _is_known(one, checked.findings)]
        findings.sort(key=by_place)
    failed = any(map(has_errors, said))
    conversions: list[Conversion] = []
    for findings, part, (dag, report) in zip(said, parts, made, strict=True):
        conversion = Conversion(path, part.dag_id, tuple(findings))
        if not failed:
            noted = {"findings": tuple(_without_folder(findings)), "pipeline": dag_id}
            conversion = replace(
                conversion,
                dag_source=render(_with_known_tasks(dag, known_tasks)),
                report=report.model_copy(update=noted),
                schedule=part.workflow.schedule.dag,
            )
        conversions.append(conversion)
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


def _workflow(checked: Checked, schedule: PipelineSchedule) -> Workflow:
    definition, resolved = checked.definition, checked.resolved
    clocks = other_clocks(definition, resolved, schedule.dag, schedule.start_date)
    compiler = JinjaCompiler(definition, resolved, schedule.dag.clock, clocks=clocks)
    return Workflow(definition, resolved, compiler, Ledger(definition), schedule)


def _convert(workflow: Workflow, source: str, dag_id: str) -> tuple[DagSpec, Report]:
    used = mentions(workflow.definition)
    _map_objects(workflow)
    account_user_fields(workflow, used)
    params, parameters = map_parameters(workflow, used)
    _report_undeclared(workflow, used)
    upstream = upstream_tasks(workflow)
    by_id = {task.task_id: task for task in workflow.all_tasks}
    tasks = tuple(by_id[task_id] for task_id in in_order(upstream))
    dag = DagSpec(
        dag_id=dag_id,
        title=_title(workflow, source),
        source=source,
        tasks=tasks,
        upstream=upstream,
        params=(*params, *workflow.added_params),
        added_params=frozenset(one.name for one in workflow.added_params),
        schedule_words=workflow.schedule_words,
        timing=workflow.schedule.dag.arguments,
        max_active_runs=workflow.max_active_runs,
        retries=workflow.retries,
        retry_delay=code_for(workflow.retry_delay),
        variables=tuple(workflow.variables),
        default_args=workflow.default_args,
        settings=workflow.dag_settings,
        notice=failure_notice(workflow),
    )
    accounts = (*parameters, *map(account_staging, workflow.added_params))
    return dag, report_of(workflow, dag, accounts, used)


def _map_objects(workflow: Workflow) -> None:
    default = workflow.resolved.get(DEFAULT_ID)
    if default is not None:
        map_default(default, workflow)
    descriptions = [one for one in _map_each(workflow) if one.category != "action"]
    add_actions(workflow)
    report_activities_without_schedule(workflow)
    if default is not None:
        account_unread_defaults(default, workflow)
    account_unknown_references(workflow)
    account_descriptions(descriptions, workflow)
    if not workflow.tasks and not has_errors(workflow.findings):
        workflow.findings.append(
            Finding(
                severity=Severity.ERROR,
                file=workflow.definition.source,
                message="The definition has no activity, so there is nothing to run",
                advice="Add an activity, or leave the file out",
            )
        )


def _map_each(workflow: Workflow) -> list[ResolvedObject]:
    """Map the objects but for ``Default``, and give those that only describe others."""
    registered = ObjectMapper.registered()
    descriptions: list[ResolvedObject] = []
    by_category: dict[str, list[ResolvedObject]] = {category: [] for category in _ORDER}
    for item in workflow.resolved.values():
        if item.id == DEFAULT_ID:
            continue
        unknown = is_unknown(item) and may_have_worked(item, workflow)
        place = "activity" if unknown else item.category or ""
        by_category.get(place, descriptions).append(item)
    for category in _ORDER:
        for item in by_category[category]:
            mapper = registered.get(item.type or "")
            if item.id in workflow.awaited:
                add_sensor(item, workflow)
            elif mapper is not None:
                mapper().map(item, workflow)
            elif is_unknown(item):
                add_placeholder(item, workflow, reason(item))
            elif needs_task(item):
                add_placeholder(item, workflow, f"{item.type} is not migrated yet")
            else:
                descriptions.append(item)
    return descriptions


def _report_undeclared(workflow: Workflow, used: dict[str, list[tuple[str, str]]]) -> None:
    declared = workflow.definition.parameters_by_name
    for name in sorted(workflow.parameters_read - set(declared)):
        for object_id, field in used.get(name, [])[:1]:
            workflow.report(
                Severity.WARNING,
                workflow.resolved[object_id],
                field,
                f"{name!r} has a value but is not declared; the form takes it as text",
                did_you_mean(name, declared, "Declare the parameter, to give it a type"),
            )


def _title(workflow: Workflow, source: str) -> str:
    tasks = workflow.all_tasks
    summaries = list(dict.fromkeys(task.summary.split(",")[0] for task in tasks))
    if summaries and all(task.migrated for task in tasks) and len(summaries) <= _MOST_IN_TITLE:
        summary = " and ".join(summaries)
        return f"{summary[0].upper()}{summary[1:]}."
    return f"What the pipeline {Path(source).stem} did."


def specify(definition: Definition, dag_id: str) -> tuple[DagSpec, Report]:
    """Map a definition with one schedule, whatever is wrong with it; no text is made of it.

    :param definition: the definition.
    :param dag_id: id for the DAG.
    :returns: the DAG as data, and the report without findings.
    """
    checked = check_definition(definition)
    schedule = pipeline_schedule(checked.definition, checked.resolved)
    return _convert(_workflow(checked, schedule), definition.source, dag_id)
