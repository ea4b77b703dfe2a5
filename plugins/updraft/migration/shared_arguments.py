"""What all tasks of a DAG say alike is said once, among its default arguments."""

from dataclasses import replace

from updraft.migration.required_params import OPERATOR as REQUIRED_PARAMS
from updraft.migration.source_values import python
from updraft.migration.tasks import PLACEHOLDER, ArgumentValue, DagSpec, TaskSpec

# Only what is optional: type checkers miss an argument of a task that a default argument gives.
_SHARED = ("region_name", "execution_timeout")
# They take no region, and are over at once or fail.
_INDIFFERENT = {PLACEHOLDER, REQUIRED_PARAMS}
_WITHOUT_REGION = ("airflow.providers.common.sql.", "airflow.providers.standard.")


def with_shared_arguments(dag: DagSpec) -> DagSpec:
    """Move arguments that all tasks have alike to the default arguments.

    One that a task lacks stays where it is: that task would get it too.

    :param dag: the DAG.
    :returns: the DAG with the same tasks.
    """
    for name in _SHARED:
        dag = _shared(name, dag)
    return dag


def _shared(name: str, dag: DagSpec) -> DagSpec:
    concerned = [task for task in dag.tasks if _is_concerned(task, name)]
    values = [task.arguments.get(name) for task in concerned]
    if len(values) < 2 or len(set(map(python, values))) > 1:  # noqa: PLR2004 - once is not alike
        return dag
    value: ArgumentValue = values[0]
    if value is None:
        return dag
    return replace(
        dag,
        default_args={name: value, **dag.default_args},
        tasks=tuple(_without(name, task) for task in dag.tasks),
    )


def _is_concerned(task: TaskSpec, name: str) -> bool:
    if name in task.arguments:
        return True
    if task.operator in _INDIFFERENT:
        return False
    return not (name == "region_name" and task.operator.startswith(_WITHOUT_REGION))


def _without(name: str, task: TaskSpec) -> TaskSpec:
    kept = {key: value for key, value in task.arguments.items() if key != name}
    return replace(task, arguments=kept)
