"""Settings that all activities share: retries, time limits, roles, actions, order."""

from collections.abc import Collection
from datetime import timedelta

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.periods import PeriodError, parse_period
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.tasks import ArgumentValue, Code

# Fields of Default that are about the pipeline as a whole; its own mapper accounts for them.
PIPELINE_WIDE = {
    "failureAndRerunMode",
    "maxActiveInstances",
    "maximumRetries",
    "onFail",
    "onLateAction",
    "onSuccess",
    "lateAfterTimeout",
    "pipelineLogUri",
    "resourceRole",
    "retryDelay",
    "role",
    "schedule",
    "scheduleType",
}
ACTION_FIELDS = {"onFail", "onSuccess", "onLateAction", "lateAfterTimeout"}
"""Fields that say what happens when an object fails, succeeds or is late; see ``callbacks``."""

ORDER_FIELDS = {"dependsOn", "input", "output", "precondition"}

_TIMEDELTA_IMPORT = "from datetime import timedelta"

_NOTES: dict[str, tuple[Status, str]] = {
    "parent": (Status.EQUIVALENT, "inherited fields are resolved"),
    "dependsOn": (Status.CARRIED_OVER, "decides the order of tasks"),
    "input": (Status.CARRIED_OVER, "decides the order of tasks and is read by expressions"),
    "output": (Status.CARRIED_OVER, "decides the order of tasks and is read by expressions"),
    "precondition": (Status.CARRIED_OVER, "is a task that goes before"),
    "schedule": (Status.CARRIED_OVER, "the DAG has one schedule for all its tasks"),
    "scheduleType": (Status.CARRIED_OVER, "the DAG has one schedule for all its tasks"),
    "pipelineLogUri": (
        Status.DROPPED,
        "Airflow keeps the logs of its tasks where the environment says",
    ),
    "role": (Status.DROPPED, "tasks use the permissions of their Airflow connection"),
    "resourceRole": (Status.DROPPED, "tasks use the permissions of their Airflow connection"),
    "reportProgressTimeout": (
        Status.APPROXIMATED,
        "Airflow itself notices a worker that stopped reporting, after its own time",
    ),
    "attemptStatus": (Status.DROPPED, "written by the service while running, never read"),
}

FAITHFUL_NOTES = {name: _NOTES[name] for name in ("schedule", "scheduleType", "attemptStatus")}
"""Fields of which a task that fails for good does the same as any other, with their accounts."""


def account_failure_mode(item: ResolvedObject, workflow: Workflow) -> None:
    """Account for ``failureAndRerunMode``.

    :param item: the object.
    :param workflow: where the account goes.
    """
    mode = (item.text("failureAndRerunMode") or "").casefold()
    if mode == "cascade":
        status, note = Status.EQUIVALENT, "a failed task fails the tasks after it, as in Airflow"
    else:
        status = Status.APPROXIMATED
        note = (
            "tasks after a failed one used to wait for its rerun; in Airflow they end as "
            "`upstream_failed` until the failed task is cleared together with them"
        )
    workflow.ledger.account(item, "failureAndRerunMode", status, note)


def code_for(duration: timedelta) -> Code:
    """Write a duration as code.

    :param duration: a positive duration of whole minutes.
    :returns: ``timedelta(…)`` in the largest unit that fits.
    """
    minutes = int(duration.total_seconds() // 60)
    for unit, size in (("days", 1440), ("hours", 60)):
        if minutes % size == 0:
            return Code(f"timedelta({unit}={minutes // size})", (_TIMEDELTA_IMPORT,))
    return Code(f"timedelta(minutes={minutes})", (_TIMEDELTA_IMPORT,))


def fixed_duration(item: ResolvedObject, name: str, workflow: Workflow) -> timedelta | None:
    """Read a field that holds a period of fixed length.

    :param item: the object.
    :param name: the field.
    :param workflow: a text that is no period becomes an error there.
    :returns: the duration; none when the field is absent or its length depends on the run.
    """
    text = item.text(name)
    if text is None or "#{" in text:
        return None
    try:
        return parse_period(text).duration
    except PeriodError as error:
        workflow.report(Severity.ERROR, item, name, str(error), "Correct the period")
        return None


def retry_settings(item: ResolvedObject, workflow: Workflow) -> dict[str, ArgumentValue]:
    """Map ``maximumRetries`` and ``retryDelay``.

    :param item: an activity.
    :param workflow: where the accounts go.
    :returns: arguments that differ from the DAG's default arguments.
    """
    arguments: dict[str, ArgumentValue] = {}
    retries = item.text("maximumRetries")
    if retries is not None and retries.strip().isdecimal():
        if int(retries) != workflow.retries:
            arguments["retries"] = int(retries)
        _settle(item, "maximumRetries", Status.CARRIED_OVER, "`retries`", workflow)
    else:
        note = f"not a fixed number: {workflow.retries} retries until you decide"
        _settle(item, "maximumRetries", Status.NEEDS_DECISION, note, workflow)
    delay = fixed_duration(item, "retryDelay", workflow)
    if delay is not None:
        if delay != workflow.retry_delay:
            arguments["retry_delay"] = code_for(delay)
        _settle(item, "retryDelay", Status.CARRIED_OVER, "`retry_delay`", workflow)
    else:
        note = f"no fixed length: {workflow.retry_delay} until you decide"
        _settle(item, "retryDelay", Status.NEEDS_DECISION, note, workflow)
    return arguments


def account_task_settings(
    item: ResolvedObject, workflow: Workflow, taken: Collection[str] = ()
) -> None:
    """Account for the fields that mean the same on every activity.

    :param item: an activity, or a resource.
    :param workflow: where the accounts go.
    :param taken: fields that mean more than that on this object, and are accounted for elsewhere.
    """
    for name, (status, note) in _NOTES.items():
        if name not in taken:
            _settle(item, name, status, note, workflow)
    inherited = item.fields.get("failureAndRerunMode")
    if inherited is not None and inherited.owner_id != DEFAULT_ID:
        account_failure_mode(item, workflow)
    workflow.ledger.account(item, "name", Status.CARRIED_OVER, "names the task")


def account_user_fields(workflow: Workflow, mentions: dict[str, list[tuple[str, str]]]) -> None:
    """Account for user-defined fields that no task reads.

    :param workflow: where the accounts go.
    :param mentions: for each name, the fields whose expressions use it.
    """
    for object_id, name in list(workflow.ledger.unaccounted()):
        if not is_user_field(name):
            continue
        waiting = [
            f"{user}.{used_in}"
            for user, used_in in mentions.get(name.removeprefix("*"), [])
            if workflow.ledger.status(user, used_in) is Status.NEEDS_DECISION
        ]
        if waiting:
            status, note = Status.NEEDS_DECISION, f"read by {', '.join(waiting)}, see there"
        elif name == "myComment":
            status, note = Status.DROPPED, "a comment; it stands in this report"
        else:
            status, note = Status.DROPPED, "nothing that the DAG does reads it"
        workflow.ledger.account_own(object_id, name, status, note)


def _settle(item: ResolvedObject, name: str, status: Status, note: str, workflow: Workflow) -> None:
    inherited = item.fields.get(name)
    if inherited is None or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
        return
    workflow.ledger.account(item, name, status, note)
