"""Actions and what asks for them, once all tasks are there: alarms, lateness, limits of a task."""

from dataclasses import replace

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.alarms import LONGEST_SUBJECT, compile_alarm
from updraft.migration.mappers.callbacks import add_callbacks
from updraft.migration.mappers.lateness import add_lateness
from updraft.migration.mappers.task_settings import ACTION_FIELDS
from updraft.migration.tasks import Code

# What they say is about the tasks that take the place of an object.
_ABOUT_TASKS = (*sorted(ACTION_FIELDS), "maxActiveInstances")
_ASKING = ("onFail", "onSuccess", "onLateAction")


def add_actions(workflow: Workflow) -> None:
    """Give the DAG and its tasks what actions did, and account for them.

    :param workflow: the workflow with all its tasks.
    """
    _limit_instances(workflow)
    add_lateness(workflow)
    add_callbacks(workflow)
    for item in workflow.resolved.values():
        if item.type == "SnsAlarm":
            _account_alarm(item, workflow)
        elif item.type == "Terminate":
            _account_terminate(item, workflow)
        elif item.category not in {None, "action"} or item.id == DEFAULT_ID:
            _account_unheard(item, workflow)


def failure_notice(workflow: Workflow) -> str:
    """Say in a sentence of the DAG's manual who hears of a failure.

    :param workflow: the workflow with its actions.
    :returns: the sentence, empty when nobody does.
    """
    callbacks = [task.arguments.get("on_failure_callback") for task in workflow.all_tasks]
    callbacks.append(workflow.default_args.get("on_failure_callback"))
    names = {
        code.text
        for codes in callbacks
        if isinstance(codes, list)
        for code in codes
        if isinstance(code, Code)
    }
    listed = " and ".join(f"`{one.name}`" for one in workflow.variables if one.name in names)
    verb = "tell" if len(names) > 1 else "tells"
    return f"{listed} {verb} a topic of Amazon SNS, after the last try." if listed else ""


def _limit_instances(workflow: Workflow) -> None:
    """Map ``maxActiveInstances`` of single objects."""
    for key, task in workflow.tasks.items():
        item = workflow.resolved[task.object_id]
        inherited = item.fields.get("maxActiveInstances")
        if inherited is None or inherited.owner_id == DEFAULT_ID:
            continue
        text = (inherited.field.text or "").strip()
        if not text.isdecimal() or int(text) == 0:
            note = "not a fixed number: `max_active_runs` of the DAG limits it until you decide"
            workflow.ledger.account(item, "maxActiveInstances", Status.NEEDS_DECISION, note)
            continue
        limit = int(text)
        note = f"`max_active_runs` of the DAG is {workflow.max_active_runs}"
        if limit < workflow.max_active_runs:
            note = "`max_active_tis_per_dag`"
            arguments = {**task.arguments, "max_active_tis_per_dag": limit}
            workflow.tasks[key] = replace(task, arguments=arguments)
        status = Status.EQUIVALENT
        if limit > workflow.max_active_runs:
            status = Status.APPROXIMATED
            note += f", so that fewer than {limit} run at a time; raise it to have more"
        workflow.ledger.account(item, "maxActiveInstances", status, note)


def _account_alarm(item: ResolvedObject, workflow: Workflow) -> None:
    account = workflow.ledger.account
    users = [
        user
        for name in _ASKING
        for user in workflow.users(item.id, name)
        if workflow.tasks_of(user.id) or user.category in {"data node", "precondition"}
    ]
    account(item, "parent", Status.EQUIVALENT, "inherited fields are resolved")
    if not users:
        for name in ("type", "name", "topicArn", "subject", "message", "role"):
            account(item, name, Status.DROPPED, "no task tells anybody by it")
        return
    alarms = [compile_alarm(item, user, workflow) for user in users]
    if None in alarms:
        missing = [name for name in ("topicArn", "message") if item.text(name) is None]
        note = f"it lacks {' and '.join(missing)}" if missing else "its text can't be converted"
        for name in ("type", "name", "topicArn", "subject", "message", "role"):
            account(item, name, Status.NEEDS_DECISION, f"nobody is told: {note}")
        workflow.report(
            Severity.WARNING,
            item,
            missing[0] if missing else "topicArn",
            f"Nobody is told by this alarm: {note}",
            "Add a callback to the tasks of the DAG, or correct the definition",
        )
        return
    account(item, "type", Status.CARRIED_OVER, "`SnsNotifier`, with the Airflow connection")
    account(item, "name", Status.CARRIED_OVER, "names the notifier")
    note = "the notifier uses its Airflow connection, which needs `sns:Publish` on the topic"
    account(item, "role", Status.DROPPED, note)
    problems = [pair for alarm in alarms if alarm is not None for pair in alarm.problems]
    for name, problem in problems:
        note = f"a part stays as it is written: {problem}"
        account(item, name, Status.NEEDS_DECISION, note)
    subject = item.text("subject") or ""
    if "#{" not in subject and len(subject) > LONGEST_SUBJECT:
        note = f"cut to {LONGEST_SUBJECT} characters, as SNS takes no more"
        account(item, "subject", Status.APPROXIMATED, note)
    for name in ("topicArn", "subject", "message"):
        if "errorStackTrace" in (item.text(name) or ""):
            note = "an argument of the notifier; a link to the log takes the place of a stack trace"
            account(item, name, Status.APPROXIMATED, note)
        account(item, name, Status.CARRIED_OVER, "an argument of the notifier")
    _account_rest(item, workflow)


def _account_terminate(item: ResolvedObject, workflow: Workflow) -> None:
    account = workflow.ledger.account
    account(item, "parent", Status.EQUIVALENT, "inherited fields are resolved")
    if any(workflow.tasks_of(user.id) for user in workflow.users(item.id, "onLateAction")):
        fate = Status.APPROXIMATED, "see onLateAction of what it terminates"
    else:
        fate = Status.DROPPED, "nothing that can be late refers to it"
    for name in ("type", "name"):
        account(item, name, *fate)
    _account_rest(item, workflow)


def _account_rest(item: ResolvedObject, workflow: Workflow) -> None:
    """Account for what an action inherits and never reads, such as a schedule."""
    for name, inherited in item.fields.items():
        known = workflow.ledger.status(inherited.owner_id, name) is not None
        own = inherited.owner_id in {item.id, DEFAULT_ID}
        if not known and not own and not is_user_field(name):
            workflow.ledger.account(item, name, Status.DROPPED, "an action does not read it")


def _account_unheard(item: ResolvedObject, workflow: Workflow) -> None:
    """Account for what is said about tasks where there is none."""
    for name in _ABOUT_TASKS:
        inherited = item.fields.get(name)
        if inherited is None or workflow.ledger.status(inherited.owner_id, name) is not None:
            continue
        workflow.ledger.account(item, name, Status.DROPPED, "no task takes its place")
