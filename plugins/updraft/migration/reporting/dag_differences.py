"""In what two DAGs differ, in words of those who write DAGs."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from updraft.migration.tasks import DagSpec, TaskSpec

# In arguments that hold a whole request, the place within it tells more than the argument.
_DEPTH = 2
_MOST_ARGUMENTS = 5

_Difference = tuple[str, str]


def targets_of(dag: DagSpec, other: DagSpec, *, only_order: bool) -> tuple[str, ...]:
    """Say what a DAG has that another one has not, or has otherwise.

    :param dag: the DAG.
    :param other: what it is compared with.
    :param only_order: whether to leave out tasks that the other DAG does not have.
    :returns: texts such as ``S3KeySensor: timeout``, in Markdown.
    """
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for owner, argument in _differences_of_tasks(dag, other, only_order=only_order):
        found[owner][argument] = None
    has_tasks = bool(found)
    for owner, argument in (
        *_differences_of_variables(dag, other),
        *_differences_of_dag(dag, other),
    ):
        found[owner][argument] = None
    targets = [_written(owner, [one for one in names if one]) for owner, names in found.items()]
    if (only_order or not has_tasks) and _order(dag) != _order(other):
        targets.append("order of tasks")
    return tuple(targets)


def _written(owner: str, arguments: list[str]) -> str:
    shown = [f"`{one}`" for one in arguments[:_MOST_ARGUMENTS]]
    more = ["…"] * (len(arguments) > _MOST_ARGUMENTS)
    return f"`{owner}`: {', '.join([*shown, *more])}" if arguments else f"`{owner}`"


def _differences_of_tasks(
    dag: DagSpec, other: DagSpec, *, only_order: bool
) -> Iterator[_Difference]:
    tasks = {task.task_id: task for task in other.tasks}
    for task in dag.tasks:
        before = tasks.get(task.task_id)
        if task.migrated and not (only_order and before is None):
            yield from _differences_of_task(task, before)


def _differences_of_task(task: TaskSpec, other: TaskSpec | None) -> Iterator[_Difference]:
    if other is None or task.operator != other.operator:
        yield task.operator_name, ""
        return
    for argument in _differences(task.arguments, other.arguments, _DEPTH):
        yield task.operator_name, argument


def _differences_of_variables(dag: DagSpec, other: DagSpec) -> Iterator[_Difference]:
    """Compare notifiers and the like, which tasks name in their arguments."""
    known = {variable.name: variable for variable in other.variables}
    for variable in dag.variables:
        before = known.get(variable.name)
        if before is not None:
            for argument in _differences(variable.arguments, before.arguments, _DEPTH):
                yield variable.maker_name, argument


def _differences_of_dag(dag: DagSpec, other: DagSpec) -> Iterator[_Difference]:
    for name in ("timing", "settings", "default_args"):
        for argument in _differences(getattr(dag, name), getattr(other, name), depth=0):
            yield "DAG", f"default_args.{argument}" if name == "default_args" else argument
    if dag.max_active_runs != other.max_active_runs:
        yield "DAG", "max_active_runs"
    for name in ("retries", "retry_delay"):
        if getattr(dag, name) != getattr(other, name):
            yield "DAG", f"default_args.{name}"
    if {one.name for one in dag.params} != {one.name for one in other.params}:
        yield "DAG", "params"


def _differences(one: Mapping[str, Any], other: Mapping[str, Any], depth: int) -> list[str]:
    """List the arguments that differ, and where within them."""
    found: list[str] = []
    for name in one.keys() | other.keys():
        first, second = one.get(name), other.get(name)
        if first == second:
            continue
        inner = (
            _differences(first, second, depth - 1)
            if depth > 0 and isinstance(first, Mapping) and isinstance(second, Mapping)
            else []
        )
        found += [f"{name}.{deeper}" for deeper in inner] or [name]
    return sorted(found)


def _order(dag: DagSpec) -> dict[str, frozenset[str]]:
    return {task.task_id: frozenset(dag.upstream.get(task.task_id, ())) for task in dag.tasks}
