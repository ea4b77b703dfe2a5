"""From a workflow to the DAG as data and its report."""

from dataclasses import replace
from pathlib import Path

from updraft.datapipeline.findings import Finding, Severity
from updraft.datapipeline.mentions import mentions
from updraft.migration.dependencies import in_order, upstream_tasks
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.actions import failure_notice
from updraft.migration.mappers.task_settings import account_user_fields, code_for
from updraft.migration.object_mapping import map_objects, report_undeclared
from updraft.migration.parameters import map_parameters
from updraft.migration.reporting.model import Report
from updraft.migration.reporting.pipeline_report import report_of
from updraft.migration.required_params import guard_parameters
from updraft.migration.staging import account_staging
from updraft.migration.tasks import DagSpec

# A title that names more kinds of tasks than these says less than the list of tasks.
_MOST_IN_TITLE = 2


def assemble(workflow: Workflow, source: str, dag_id: str) -> tuple[DagSpec, Report]:
    """Map a workflow, and put together what comes of it.

    :param workflow: the workflow, of which nothing is mapped yet.
    :param source: name of the definition file.
    :param dag_id: id of the DAG.
    :returns: the DAG, and the report without findings.
    """
    used = mentions(workflow.definition)
    map_objects(workflow)
    account_user_fields(workflow, used)
    params, parameters = map_parameters(workflow, used)
    report_undeclared(workflow, used)
    upstream = upstream_tasks(workflow)
    params, upstream = guard_parameters((*params, *workflow.added_params), upstream, workflow)
    by_id = {task.task_id: task for task in workflow.all_tasks}
    tasks = tuple(by_id[task_id] for task_id in in_order(upstream))
    dag = DagSpec(
        dag_id=dag_id,
        title=_title(workflow, source),
        source=source,
        tasks=tasks,
        upstream=upstream,
        params=params,
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


def with_errors(dag: DagSpec, findings: list[Finding]) -> DagSpec:
    """Write into the manual of a DAG what is to be settled before it is switched on.

    :param dag: the DAG.
    :param findings: what was found in its definition.
    :returns: the DAG; the same when nothing is an error.
    """
    errors = [one for one in findings if one.severity is Severity.ERROR]
    return replace(dag, before_use=tuple(dict.fromkeys(map(_sentence, errors))))


def _sentence(finding: Finding) -> str:
    what = ".".join(filter(None, (finding.object_id, finding.field)))
    line = f"line {finding.position.line}" if finding.position else ""
    where = ", ".join(filter(None, (f"`{what}`" if what else "", line)))
    advice = f" {finding.advice.rstrip('.')}." if finding.advice else ""
    return f"{where}: {finding.message.rstrip('.')}.{advice}".removeprefix(": ")


def _title(workflow: Workflow, source: str) -> str:
    tasks = [task for task in workflow.all_tasks if task.object_id]
    summaries = list(dict.fromkeys(task.summary.split(",")[0] for task in tasks))
    if summaries and all(task.migrated for task in tasks) and len(summaries) <= _MOST_IN_TITLE:
        summary = " and ".join(summaries)
        return f"{summary[0].upper()}{summary[1:]}."
    return f"What the pipeline {Path(source).stem} did."
