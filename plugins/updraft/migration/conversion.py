"""The conversion of one definition, from its file to the text of a DAG and a report."""

from dataclasses import dataclass
from pathlib import Path

import updraft.migration.mappers  # noqa: F401 registers the mappers
from updraft.datapipeline.checking import check
from updraft.datapipeline.findings import Finding, Severity, did_you_mean, has_errors
from updraft.datapipeline.model import Definition, ParameterValue
from updraft.datapipeline.reading import read_file
from updraft.datapipeline.resolution import DEFAULT_ID, Resolved, ResolvedObject
from updraft.datapipeline.slots import repair_slots
from updraft.migration.dependencies import in_order, upstream_tasks
from updraft.migration.jinja_compiler import JinjaCompiler
from updraft.migration.ledger import Ledger
from updraft.migration.mapper import ObjectMapper, Workflow
from updraft.migration.mappers.pipeline import account_unread_defaults, map_default
from updraft.migration.mappers.placeholders import add_placeholder, needs_task
from updraft.migration.mappers.schedule import run_clock
from updraft.migration.mappers.task_settings import account_user_fields, code_for
from updraft.migration.mappers.utilities import account_descriptions
from updraft.migration.mentions import mentions
from updraft.migration.parameters import map_parameters
from updraft.migration.rendering import render
from updraft.migration.report import Report, TaskAccount, coverage_of
from updraft.migration.staging import account_staging
from updraft.migration.tasks import DagSpec
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
    """

    path: Path
    dag_id: str
    findings: tuple[Finding, ...]
    dag_source: str | None = None
    report: Report | None = None

    @property
    def failed(self) -> bool:
        """Whether there is nothing to write."""
        return self.dag_source is None or has_errors(self.findings)


def convert_file(
    path: Path, dag_id: str, values: tuple[ParameterValue, ...] = (), compute: str = "ec2"
) -> Conversion:
    """Convert a definition file; nothing is written.

    :param path: the file.
    :param dag_id: id for the DAG.
    :param values: parameter values that go before those in the file.
    :param compute: where shell commands run, ``ec2``, ``ssm`` or ``bash``.
    :returns: DAG, report and findings; with errors the findings only.
    """
    result = read_file(path)
    if result.definition is None:
        return Conversion(path, dag_id, result.findings)
    definition, slot_findings = repair_slots(result.definition.with_values(values))
    resolved, check_findings = check(definition)
    findings = [
        *result.findings,
        *slot_findings,
        *(one for one in check_findings if not _said_before(one, slot_findings)),
        *_unknown_values(definition, values),
    ]
    workflow = _workflow(definition, resolved, compute)
    dag, report = _convert(workflow, path.name, dag_id, tuple(findings))
    findings += [one for one in workflow.findings if not _is_known(one, check_findings)]
    findings.sort(key=_by_place)
    if has_errors(findings):
        return Conversion(path, dag_id, tuple(findings))
    report = report.model_copy(update={"findings": tuple(_without_folder(findings))})
    return Conversion(path, dag_id, tuple(findings), render(dag), report)


def _by_place(finding: Finding) -> tuple[int, int]:
    return (finding.position.line, finding.position.column) if finding.position else (0, 0)


def _without_folder(findings: list[Finding]) -> list[Finding]:
    """Name files without their folders: a report is the same wherever they lie."""
    return [finding.model_copy(update={"file": Path(finding.file).name}) for finding in findings]


def _said_before(finding: Finding, others: tuple[Finding, ...]) -> bool:
    return any(
        (finding.position, finding.object_id, finding.field)
        == (other.position, other.object_id, other.field)
        for other in others
    )


def _is_known(finding: Finding, others: tuple[Finding, ...]) -> bool:
    return any(
        (finding.message, finding.object_id, finding.field)
        == (other.message, other.object_id, other.field)
        for other in others
    )


def _unknown_values(definition: Definition, values: tuple[ParameterValue, ...]) -> list[Finding]:
    known = {*definition.parameters_by_name, *mentions(definition)}
    return [
        Finding(
            severity=Severity.ERROR,
            file=value.source,
            position=value.position,
            object_id=value.id,
            message="A value is given for a parameter that the definition does not have",
            advice=did_you_mean(
                value.name, definition.parameters_by_name, "Remove the value, or add the parameter"
            ),
        )
        for value in values
        if value.name not in known
    ]


def _workflow(definition: Definition, resolved: Resolved, compute: str) -> Workflow:
    compiler = JinjaCompiler(definition, resolved, run_clock(resolved))
    return Workflow(definition, resolved, compiler, Ledger(definition), compute=compute)


def _convert(
    workflow: Workflow, source: str, dag_id: str, findings: tuple[Finding, ...]
) -> tuple[DagSpec, Report]:
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
        max_active_runs=workflow.max_active_runs,
        retries=workflow.retries,
        retry_delay=code_for(workflow.retry_delay),
    )
    fields = workflow.ledger.accounts()
    report = Report(
        source=source,
        dag_id=dag_id,
        dag_file=f"{dag_id}.py",
        schedule=workflow.schedule_words,
        coverage=coverage_of(fields),
        tasks=tuple(
            TaskAccount(
                task_id=task.task_id,
                object_id=task.object_id,
                object_type=task.object_type,
                operator=task.operator_name,
                migrated=task.migrated,
            )
            for task in tasks
        ),
        parameters=(*parameters, *map(account_staging, workflow.added_params)),
        fields=fields,
        findings=findings,
    )
    return dag, report


def _map_objects(workflow: Workflow) -> None:
    default = workflow.resolved.get(DEFAULT_ID)
    if default is not None:
        map_default(default, workflow)
    descriptions = _map_each(workflow)
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
            if mapper is not None:
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
