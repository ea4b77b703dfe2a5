"""A DAG as data, between the mappers that decide and the template that writes it down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from updraft.migration.airflow_releases import AIRFLOW_3_2, AirflowRelease

PLACEHOLDER = "updraft.operators.placeholder.NotMigratedOperator"
"""The operator of tasks that fail and say why."""


@dataclass(frozen=True, slots=True)
class Code:
    """Python code that stands for a value.

    :param text: the expression.
    :param imports: the import statements that it needs.
    """

    text: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskOutput:
    """What another task returns; the task that takes it goes after that one.

    :param task_id: id of the other task.
    """

    task_id: str


ArgumentValue: TypeAlias = (
    "str | int | float | Code | TaskOutput | Sequence[ArgumentValue] "
    "| Mapping[str, ArgumentValue] | None"
)


def as_argument(value: object) -> ArgumentValue:
    """Narrow a value to what a task can be given.

    :param value: text, number, boolean, none, or lists and dicts of these.
    :returns: the same value.
    :raises TypeError: when there is anything else in it.
    """
    if isinstance(value, Mapping):
        return {str(name): as_argument(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_argument(one) for one in value]
    if value is None or isinstance(value, str | int | float):
        return value
    raise TypeError(f"no task is given a {type(value).__name__}")


@dataclass(frozen=True)
class TaskSpec:
    """A task.

    :param task_id: its id in the DAG.
    :param object_id: the legacy object that it comes from, empty for a task of no object.
    :param object_type: that object's type.
    :param operator: import path of the operator class.
    :param arguments: keyword arguments besides the task id; texts may hold Jinja.
    :param summary: what it does, a sentence without subject for the manual.
    :param migrated: false for a placeholder that fails.
    :param is_setup: whether it makes a resource that another task ends.
    :param ends: id of the task whose resource it ends, none for any other task.
    """

    task_id: str
    object_id: str
    object_type: str
    operator: str
    arguments: dict[str, ArgumentValue]
    summary: str
    migrated: bool = True
    is_setup: bool = False
    ends: str | None = None

    @property
    def implied_upstream(self) -> frozenset[str]:
        """Ids of the tasks that it follows without a word, since it names them."""
        outputs = (value for value in self.arguments.values() if isinstance(value, TaskOutput))
        return frozenset(value.task_id for value in outputs) | ({self.ends} if self.ends else set())

    @property
    def operator_name(self) -> str:
        """The name of the operator class."""
        return self.operator.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class ParamSpec:
    """A field of the DAG's trigger form.

    :param name: the legacy parameter id, so that callers keep their names.
    :param arguments: keyword arguments of ``Param``; without ``default`` a value must be given.
    :param description: one line for the manual.
    :param kind: the type for the manual.
    :param note: for a field that is no parameter of the pipeline, why it is there.
    :param required: whether a value must be given though it has an empty default.
    """

    name: str
    arguments: dict[str, object]
    description: str
    kind: str
    required: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class VariableSpec:
    """An object that stands before the DAG, such as a notifier that several tasks share.

    :param name: its variable.
    :param maker: import path of the class that makes it.
    :param arguments: keyword arguments of the class.
    :param imports: further import statements that its arguments need.
    """

    name: str
    maker: str
    arguments: dict[str, ArgumentValue]
    imports: tuple[str, ...] = ()

    @property
    def maker_name(self) -> str:
        """The name of the class."""
        return self.maker.rpartition(".")[2]


@dataclass(frozen=True)
class DagSpec:
    """Everything that the template needs.

    :param dag_id: id of the DAG and name of its file.
    :param title: headline of the manual.
    :param source: name of the definition file.
    :param tasks: in an order in which no task stands before one it waits for.
    :param upstream: task ids that each task waits for.
    :param params: the trigger form.
    :param schedule_words: the schedule for the manual.
    :param timing: the arguments of the DAG that say when it runs.
    :param max_active_runs: how many runs may go on at a time.
    :param retries: retries of a task.
    :param retry_delay: how long to wait before one.
    :param variables: what stands before the DAG.
    :param default_args: further default arguments of all tasks.
    :param settings: further keyword arguments of the DAG.
    :param notice: whom a failure is told, a sentence for the manual; empty for nobody.
    :param added_params: names of the fields that the pipeline had no parameter for.
    :param description: what the pipeline said about itself, empty when nothing.
    :param tags: how Airflow's list of DAGs can be filtered.
    :param release: the Airflow that it is for.
    :param before_use: what has to be settled before the DAG is switched on, a text for each.
    """

    dag_id: str
    title: str
    source: str
    tasks: tuple[TaskSpec, ...]
    upstream: dict[str, tuple[str, ...]]
    params: tuple[ParamSpec, ...]
    schedule_words: str
    timing: dict[str, Code]
    max_active_runs: int
    retries: int
    retry_delay: Code
    variables: tuple[VariableSpec, ...] = ()
    default_args: dict[str, ArgumentValue] = field(default_factory=dict)
    settings: dict[str, ArgumentValue] = field(default_factory=dict)
    notice: str = ""
    added_params: frozenset[str] = frozenset()
    before_use: tuple[str, ...] = ()
    release: AirflowRelease = AIRFLOW_3_2
    description: str = ""
    tags: tuple[str, ...] = ("data-pipeline",)
