"""The little of Spark that a job needs, and how many tasks it gives to a cluster."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

_Task = TypeVar("_Task")


class SparkConfiguration(Protocol):
    """``pyspark.SparkConf``."""

    def get(self, key: str, default: str) -> str:
        """Return a setting."""


class DistributedData(Protocol):
    """``pyspark.RDD``."""

    def flatMap(self, f: Callable[[Any], Iterable[Any]]) -> "DistributedData":  # noqa: N802
        """Apply a function to each element, and join the results."""

    def collect(self) -> list[Any]:
        """Return all elements."""


class SparkContext(Protocol):
    """``pyspark.SparkContext``."""

    @property
    def defaultParallelism(self) -> int:  # noqa: N802 - Spark's name
        """Cores that Spark knows of at the moment."""

    def getConf(self) -> SparkConfiguration:  # noqa: N802 - Spark's name
        """Return the settings."""

    def parallelize(self, c: Iterable[Any], numSlices: int) -> DistributedData:  # noqa: N803
        """Distribute elements."""


def run_tasks(
    context: SparkContext, tasks: Sequence[_Task], function: Callable[[_Task], Iterable[str]]
) -> list[str]:
    """Run a function over each task, in as many Spark tasks.

    :param context: Spark.
    :param tasks: the tasks.
    :param function: what to do; it travels to the executors.
    :returns: the results of all.
    """
    if not tasks:
        return []
    results: list[str] = context.parallelize(tasks, len(tasks)).flatMap(function).collect()
    return results


def task_slots(context: SparkContext) -> int:
    """Count the tasks that the cluster can run at the same time.

    A job that has just begun knows only the executors that have reported so far, so the settings
    count as well. An estimate is enough: the share of the table's capacity is split among as many
    tasks as there are, so that it holds whatever the number.

    :param context: Spark.
    :returns: number of cores, at least 1.
    """
    settings = context.getConf()

    def number(name: str) -> int:
        value = settings.get(name, "0")
        return int(value) if value.isdigit() else 0  # it can be "infinity"

    executors = max(
        number("spark.executor.instances"), number("spark.dynamicAllocation.maxExecutors")
    )
    cores = executors * max(number("spark.executor.cores"), 1)
    return max(context.defaultParallelism, min(cores, _MOST_SLOTS), 1)


def attempt_of_task() -> int:
    """Tell how often Spark has begun the present task before.

    :returns: 0 for the first time. Attempts that run at the same time have different numbers.
    """
    try:
        from pyspark import TaskContext
    except ImportError:  # without Spark there is one attempt
        return 0

    present = TaskContext.get()
    return 0 if present is None else int(present.attemptNumber())


_MOST_SLOTS = 4096  # dynamic allocation without a limit of its own has a very high one
