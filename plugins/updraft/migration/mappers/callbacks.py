"""``onFail`` and ``onSuccess``: callbacks of the tasks that take the place of an object."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.dependencies import upstream_tasks
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.mappers.alarms import NOTIFIER, Alarm, compile_alarm
from updraft.migration.tasks import Code, TaskSpec, VariableSpec

_CALLBACKS = {"onFail": "on_failure_callback", "onSuccess": "on_success_callback"}
_Key = tuple[str, tuple[tuple[str, str], ...]]
_Upstream = dict[str, tuple[str, ...]]


@dataclass
class _Attached:
    """The alarms of all tasks for one kind of callback, by task id."""

    by_task: dict[str, list[Alarm]] = field(default_factory=dict)

    def add(self, task_id: str, alarm: Alarm) -> None:
        alarms = self.by_task.setdefault(task_id, [])
        # One message for one end, also where several objects ask for the same.
        if all(one.alarm_id != alarm.alarm_id for one in alarms):
            alarms.append(alarm)


def add_callbacks(workflow: Workflow) -> None:
    """Give the tasks the notifiers that their objects ask for.

    :param workflow: the workflow with all its tasks.
    """
    variables: dict[_Key, str] = {}
    upstream = upstream_tasks(workflow)
    for name, callback in _CALLBACKS.items():
        attached = _Attached()
        for item in _askers(name, workflow):
            for alarm in _alarms(name, item, workflow):
                tasks = _tasks_that_end(name, item, workflow)
                for task_id in tasks:
                    attached.add(task_id, alarm)
                if name == "onFail":
                    for task_id in _cascading(item, upstream, workflow):
                        attached.add(task_id, alarm)
                workflow.note_reads(f"`{callback}`", alarm.templates)
            _account(name, item, upstream, workflow)
        if attached.by_task:
            _write(callback, attached, variables, workflow)


def _askers(name: str, workflow: Workflow) -> Iterator[ResolvedObject]:
    for item in workflow.resolved.values():
        inherited = item.fields.get(name)
        if inherited is None:
            continue
        if item.category == "data node":
            # What stands on Default stands on the tasks around a data node as well.
            if inherited.owner_id != DEFAULT_ID:
                yield item
        elif workflow.tasks_of(item.id) or check_keys(item, workflow):
            yield item


def _alarms(name: str, item: ResolvedObject, workflow: Workflow) -> Iterator[Alarm]:
    for object_id in item.references(name):
        target = workflow.resolved.get(object_id)
        if target is not None and target.type == "SnsAlarm":
            alarm = compile_alarm(target, item, workflow)
            if alarm is not None:
                yield alarm


def _tasks_that_end(name: str, item: ResolvedObject, workflow: Workflow) -> list[str]:
    """List the tasks whose failure, or whose success, is that of an object."""
    if item.category == "precondition":
        return _check_tasks(item, workflow)
    if item.category == "data node":
        return _tasks_of_node(name, item, workflow)
    tasks = [task.task_id for task in workflow.tasks_of(item.id)]
    teardown = workflow.teardowns.get(item.id)
    if name == "onFail":
        return [*tasks, *([teardown.task_id] if teardown is not None else [])]
    # A resource has finished once it is ended.
    return [teardown.task_id] if teardown is not None else tasks[-1:]


def check_keys(item: ResolvedObject, workflow: Workflow) -> list[str]:
    """List the keys of the tasks that check a precondition, or the preconditions of a data node.

    :param item: the precondition or data node.
    :param workflow: the workflow with its tasks.
    :returns: keys of ``workflow.tasks``, none for any other object.
    """
    if item.category == "precondition":
        keys = [key for (one, _), key in workflow.checks.items() if one == item.id] or [item.id]
    elif item.category == "data node":
        keys = [workflow.check_key(one, item.id) for one in item.references("precondition")]
    else:
        keys = []
    return [key for key in dict.fromkeys(keys) if key in workflow.tasks]


def _check_tasks(item: ResolvedObject, workflow: Workflow) -> list[str]:
    return [workflow.tasks[key].task_id for key in check_keys(item, workflow)]


def _tasks_of_node(name: str, item: ResolvedObject, workflow: Workflow) -> list[str]:
    """List what decides whether a data node is ready: its preconditions, else who writes it."""
    checks = _check_tasks(item, workflow)
    writers = [
        workflow.tasks[one.id].task_id
        for one in workflow.users(item.id, "output")
        if one.id in workflow.tasks
    ]
    if name == "onFail":
        return [*checks, *(writers if _cascades(item) else [])]
    last = checks or writers
    return last if len(last) == 1 else []


def _cascades(item: ResolvedObject) -> bool:
    return (item.text("failureAndRerunMode") or "").strip().casefold() == "cascade"


def _cascading(item: ResolvedObject, upstream: _Upstream, workflow: Workflow) -> list[str]:
    """List the tasks whose failure used to cascade to an object.

    Airflow calls nothing back for a task whose upstream has failed.
    """
    if not _cascades(item):
        return []
    found: list[str] = []
    pending = [task.task_id for task in workflow.tasks_of(item.id)]
    while pending:
        for one in upstream.get(pending.pop(), ()):
            if one not in found:
                found.append(one)
                pending.append(one)
    return found


def _write(
    callback: str, attached: _Attached, variables: dict[_Key, str], workflow: Workflow
) -> None:
    lists = {
        task_id: [Code(_variable(alarm, variables, workflow)) for alarm in alarms]
        for task_id, alarms in attached.by_task.items()
    }
    all_ids = [task.task_id for task in workflow.all_tasks]
    if len(all_ids) > 1 and all(task_id in lists for task_id in all_ids):
        names = Counter(tuple(one.text for one in codes) for codes in lists.values())
        common, count = names.most_common(1)[0]
        if 2 * count > len(all_ids):
            workflow.default_args[callback] = [Code(one) for one in common]
            lists = {
                task_id: codes
                for task_id, codes in lists.items()
                if tuple(one.text for one in codes) != common
            }

    def with_callback(task: TaskSpec) -> TaskSpec:
        codes = lists.get(task.task_id)
        return replace(task, arguments={**task.arguments, callback: codes}) if codes else task

    workflow.tasks = {key: with_callback(task) for key, task in workflow.tasks.items()}
    workflow.teardowns = {key: with_callback(task) for key, task in workflow.teardowns.items()}
    workflow.preparations = {
        key: tuple(with_callback(task) for task in tasks)
        for key, tasks in workflow.preparations.items()
    }


def _variable(alarm: Alarm, variables: dict[_Key, str], workflow: Workflow) -> str:
    if alarm.key not in variables:
        name = workflow.variable(workflow.resolved[alarm.alarm_id].item.name)
        variables[alarm.key] = name
        workflow.variables.append(VariableSpec(name, NOTIFIER, dict(alarm.arguments)))
    return variables[alarm.key]


def _account(name: str, item: ResolvedObject, upstream: _Upstream, workflow: Workflow) -> None:
    account = workflow.ledger.account
    tasks = _tasks_that_end(name, item, workflow)
    alarms = list(_alarms(name, item, workflow))
    for object_id in item.references(name):
        target = workflow.resolved.get(object_id)
        if target is not None and target.type == "Terminate":
            _refuse_terminate(name, item, workflow)
    if not alarms:
        account(item, name, Status.NEEDS_DECISION, "nobody can be told; see what it refers to")
    elif not tasks and item.category == "data node":
        if name == "onFail":
            note = "the data node can't fail: nothing checks it, and nothing writes it"
            account(item, name, Status.DROPPED, note)
        else:
            note = "no task of its own says when the data node is ready: put it on one that does"
            account(item, name, Status.NEEDS_DECISION, note)
    elif name == "onFail" and _cascading(item, upstream, workflow):
        note = (
            "`on_failure_callback`, also of the tasks before it, whose failure cascaded to it: one "
            "message of the task that failed itself"
        )
        account(item, name, Status.EQUIVALENT, note)
    else:
        account(item, name, Status.CARRIED_OVER, f"`{_CALLBACKS[name]}`")


def _refuse_terminate(name: str, item: ResolvedObject, workflow: Workflow) -> None:
    workflow.report(
        Severity.WARNING,
        item,
        name,
        "Terminate is an action for what is late only, and does nothing here",
        "Remove it, or use it with onLateAction",
    )
