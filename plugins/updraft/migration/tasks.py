"""A DAG as data, between the mappers that decide and the template that writes it down."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Code:
    """Python code that stands for a value.

    :param text: the expression.
    :param imports: the import statements that it needs.
    """

    text: str
    imports: tuple[str, ...] = ()


ArgumentValue = str | int | float | bool | Code | None


@dataclass(frozen=True)
class TaskSpec:
    """A task.

    :param task_id: its id in the DAG.
    :param object_id: the legacy object that it comes from.
    :param object_type: that object's type.
    :param operator: import path of the operator class.
    :param arguments: keyword arguments besides the task id; texts may hold Jinja.
    :param summary: what it does, a sentence without subject for the manual.
    :param migrated: false for a placeholder that fails.
    """

    task_id: str
    object_id: str
    object_type: str
    operator: str
    arguments: dict[str, ArgumentValue]
    summary: str
    migrated: bool = True

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
    """

    name: str
    arguments: dict[str, object]
    description: str
    kind: str


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
    :param max_active_runs: how many runs may go on at a time.
    :param retries: retries of a task.
    :param retry_delay: how long to wait before one.
    :param added_params: names of the fields that the pipeline had no parameter for.
    """

    dag_id: str
    title: str
    source: str
    tasks: tuple[TaskSpec, ...]
    upstream: dict[str, tuple[str, ...]]
    params: tuple[ParamSpec, ...]
    schedule_words: str
    max_active_runs: int
    retries: int
    retry_delay: Code
    added_params: frozenset[str] = frozenset()
    tags: tuple[str, ...] = field(default=("data-pipeline",))
