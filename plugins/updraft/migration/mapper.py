"""The interface of mappers and their registry."""

from abc import ABC, abstractmethod
from typing import ClassVar

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.workflow import Awaited, ParameterUse, Workflow

__all__ = ["Awaited", "ObjectMapper", "ParameterUse", "Workflow"]


class ObjectMapper(ABC):
    """Maps objects of some types. Defining a subclass registers it."""

    object_types: ClassVar[tuple[str, ...]] = ()
    _registry: ClassVar[dict[str, type["ObjectMapper"]]] = {}

    def __init_subclass__(cls) -> None:
        """Register the mapper for its object types.

        :raises TypeError: when another mapper has one of them already.
        """
        for name in cls.object_types:
            if name in ObjectMapper._registry:
                raise TypeError(f"{name} has a mapper already: {ObjectMapper._registry[name]}")
            ObjectMapper._registry[name] = cls

    @abstractmethod
    def map(self, item: ResolvedObject, workflow: Workflow) -> None:
        """Turn an object into what the DAG needs of it, and account for its fields.

        :param item: the object.
        :param workflow: where tasks, accounts and findings go.
        """

    @classmethod
    def registered(cls) -> dict[str, type["ObjectMapper"]]:
        """List the mappers.

        :returns: mapper classes by object type.
        """
        return dict(cls._registry)
