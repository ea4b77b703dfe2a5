"""The report of a workflow once it is mapped."""

from updraft.datapipeline.mentions import Mentions
from updraft.migration.mapper import Workflow
from updraft.migration.parameters import ParameterAccount
from updraft.migration.pipeline_schedule import schedule_rows
from updraft.migration.reporting.effort import effort_of
from updraft.migration.reporting.graph import graph_after, graph_before
from updraft.migration.reporting.model import (
    Report,
    TaskAccount,
    activity_fields,
    coverage_of,
)
from updraft.migration.reporting.retired_resources import retired_resources
from updraft.migration.tasks import DagSpec


def report_of(
    workflow: Workflow,
    dag: DagSpec,
    parameters: tuple[ParameterAccount, ...],
    used: Mentions,
) -> Report:
    """Say what came of a workflow.

    :param workflow: the workflow with all its tasks and accounts.
    :param dag: the DAG made of it.
    :param parameters: what became of each parameter.
    :param used: which fields use which names.
    :returns: the report, still without findings and without the name of the pipeline.
    """
    fields = workflow.ledger.accounts()
    placeholders = [task.object_id for task in dag.tasks if not task.migrated]
    return Report(
        source=dag.source,
        dag_id=dag.dag_id,
        dag_file=f"{dag.dag_id}.py" if dag.tasks else None,
        requires=f"Airflow {workflow.release.name}",
        schedule=workflow.schedule_words,
        runs=schedule_rows(workflow.schedule),
        coverage=coverage_of(fields),
        activity_coverage=coverage_of(activity_fields(fields)),
        effort=effort_of(fields, parameters, placeholders, used),
        retired=retired_resources(workflow),
        tasks=tuple(
            TaskAccount(
                task_id=task.task_id,
                object_id=task.object_id or "-",
                object_type=task.object_type or "-",
                operator=task.operator_name,
                migrated=task.migrated,
                reason=None if task.migrated else str(task.arguments.get("reason", "")),
            )
            for task in dag.tasks
        ),
        parameters=parameters,
        fields=fields,
        findings=(),
        before=graph_before(workflow),
        after=graph_after(dag),
    )
