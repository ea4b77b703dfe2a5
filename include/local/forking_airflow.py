"""Runs a service of Airflow that forks: the scheduler its tasks, the DAG processor its parsers.

What they have imported before, none of their many processes imports again. It takes the arguments
of the ``airflow`` command.
"""

import importlib
import inspect
import pkgutil

from airflow.__main__ import main

import updraft.operators


def import_what_tasks_use() -> None:
    """Import all that a task imports on its way to its operator, and all operators."""
    importlib.import_module("airflow.sdk.execution_time.task_runner")
    for module in pkgutil.iter_modules(updraft.operators.__path__, "updraft.operators."):
        importlib.import_module(module.name)
    # The provider looks at the stack for each of its hooks; what the module inspect finds out
    # about all other modules, it remembers.
    inspect.stack()


if __name__ == "__main__":
    import_what_tasks_use()
    main()  # type: ignore[no-untyped-call]
