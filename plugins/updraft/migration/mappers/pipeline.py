"""``Default``: the settings of the pipeline as a whole."""

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.task_settings import account_failure_mode, fixed_duration


def map_default(item: ResolvedObject, workflow: Workflow) -> None:
    """Turn ``Default`` into arguments of the DAG and its default arguments.

    Default has no type, hence no mapper class of its own.

    :param item: the object with id ``Default``.
    :param workflow: where settings and accounts go.
    """
    account = workflow.ledger.account
    account(item, "name", Status.DROPPED, "the DAG is named after the file")
    account_failure_mode(item, workflow)
    _map_retries(item, workflow)
    _map_concurrency(item, workflow)
    account(item, "scheduleType", Status.CARRIED_OVER, "see the schedule")
    account(item, "schedule", Status.CARRIED_OVER, "the DAG has one schedule for all its tasks")


def account_unread_defaults(item: ResolvedObject, workflow: Workflow) -> None:
    """Account for what only clusters take from ``Default``, once it is known whether any does.

    :param item: the object with id ``Default``.
    :param workflow: the workflow with all its tasks.
    """
    notes = {
        "pipelineLogUri": "Airflow keeps the logs of its tasks where the environment says",
        "role": "tasks use the permissions of their Airflow connection",
        "resourceRole": "tasks use the permissions of their Airflow connection",
    }
    for name, note in notes.items():
        if (item.id, name) not in workflow.fields_read:
            workflow.ledger.account(item, name, Status.DROPPED, note)


def _map_retries(item: ResolvedObject, workflow: Workflow) -> None:
    account = workflow.ledger.account
    retries = item.text("maximumRetries")
    if retries is not None and retries.strip().isdecimal():
        workflow.retries = int(retries)
        account(item, "maximumRetries", Status.CARRIED_OVER, "`retries` of all tasks")
    else:
        note = f"not a fixed number: {workflow.retries} retries until you decide"
        account(item, "maximumRetries", Status.NEEDS_DECISION, note)
    delay = fixed_duration(item, "retryDelay", workflow)
    if delay is not None:
        workflow.retry_delay = delay
        account(item, "retryDelay", Status.CARRIED_OVER, "`retry_delay` of all tasks")
    else:
        note = f"no fixed length: {workflow.retry_delay} until you decide"
        account(item, "retryDelay", Status.NEEDS_DECISION, note)


def _map_concurrency(item: ResolvedObject, workflow: Workflow) -> None:
    instances = item.text("maxActiveInstances")
    if instances is not None and instances.strip().isdecimal() and int(instances) > 0:
        workflow.max_active_runs = int(instances)
        workflow.ledger.account(
            item, "maxActiveInstances", Status.EQUIVALENT, "`max_active_runs` of the DAG"
        )
    else:
        note = f"not a fixed number: {workflow.max_active_runs} run at a time until you decide"
        workflow.ledger.account(item, "maxActiveInstances", Status.NEEDS_DECISION, note)


def report_activities_without_schedule(workflow: Workflow) -> None:
    """Say of activities without a schedule that nobody knows when they ran.

    :param workflow: where the findings go.
    """
    for one in workflow.schedule.activities:
        if one.problem is not None and one.schedule is None:
            problem = one.problem
            workflow.report(
                Severity.WARNING, one.item, problem.field, problem.message, problem.advice
            )
