"""Commands in containers of Amazon ECS and of AWS Batch, of which none outlives its task.

Each operator is imported when it is asked for, since each brings one of the provider's along.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from updraft.operators.batch_command import BatchCommandOperator
    from updraft.operators.ecs_command import EcsCommandOperator

__all__ = ["BatchCommandOperator", "EcsCommandOperator"]

_MODULES = {"BatchCommandOperator": "batch_command", "EcsCommandOperator": "ecs_command"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"updraft.operators.{_MODULES[name]}"), name)
