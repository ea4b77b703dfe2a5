"""The arguments of a job, as an operator writes them and the script reads them.

Glue hands a script its own arguments (``--JOB_NAME``, ``--TempDir``, …) together with those of the
run, as ``--name value``; what is not known here is passed over.
"""

import argparse
import json
import types
import typing
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from updraft.errors import UpdraftError

_Arguments = TypeVar("_Arguments", bound="JobArguments")


class JobArguments(BaseModel):
    """Base of the arguments of one kind of job: each field is an option of the same name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls: type[_Arguments], arguments: Sequence[str]) -> _Arguments:
        """Read the arguments of a script.

        :param arguments: the command line without the script.
        :returns: the values; defaults where an option is absent.
        :raises UpdraftError: when an option is missing, or its value is none that it can have.
        """
        parser = argparse.ArgumentParser(
            add_help=False, allow_abbrev=False, exit_on_error=False, argument_default=None
        )
        for name in cls.model_fields:
            parser.add_argument(f"--{name}")
        try:
            known, _ = parser.parse_known_args(list(arguments))
        except argparse.ArgumentError as error:
            raise UpdraftError(str(error)) from None
        given = {name: value for name, value in vars(known).items() if value is not None}
        try:
            return cls.model_validate(
                {name: cls._value(name, value) for name, value in given.items()}
            )
        except ValidationError as error:
            raise UpdraftError("; ".join(map(_told, error.errors()))) from None

    def as_arguments(self) -> dict[str, str]:
        """Write the arguments, as Glue's ``Arguments`` and spark-submit take them.

        :returns: value by option; options with their default are left out.
        """
        fields = type(self).model_fields
        return {
            f"--{name}": value if isinstance(value, str) else json.dumps(value)
            for name, value in self
            if name in fields and value != fields[name].get_default(call_default_factory=True)
        }

    @classmethod
    def _value(cls, name: str, text: str) -> Any:
        """Parse the value of an option that is a JSON object; pydantic parses all others."""
        if not _is_mapping(cls.model_fields[name].annotation):
            return text
        try:
            return json.loads(text)
        except ValueError as error:
            raise UpdraftError(f"--{name}: {text!r} is no JSON: {error}") from None


def _is_mapping(annotation: Any) -> bool:
    if isinstance(annotation, types.UnionType):
        return any(map(_is_mapping, typing.get_args(annotation)))
    return typing.get_origin(annotation) is dict


def _told(problem: Any) -> str:
    option = f"--{problem['loc'][0]}" if problem["loc"] else "arguments"
    if problem["type"] == "missing":
        return f"{option} is missing"
    return f"{option}: {problem['input']!r} is wrong: {problem['msg']}"
