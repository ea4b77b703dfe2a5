"""A definition made of what stands on the command line, for expressions to be evaluated in."""

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from updraft.datapipeline.expression_values import Value
    from updraft.datapipeline.model import Definition
    from updraft.datapipeline.resolution import Resolved, ResolvedObject

_ROOT = "Object"


@dataclass(frozen=True)
class GivenDefinition:
    """An object and what it can see.

    :param definition: the definition.
    :param resolved: its objects with inheritance applied.
    :param parameters: values of the parameters.
    :param runtime: values of runtime fields.
    """

    definition: "Definition"
    resolved: "Resolved"
    parameters: dict[str, Any]
    runtime: "dict[str, Value]"

    @property
    def item(self) -> "ResolvedObject":
        """The object whose field the expression stands in."""
        return self.resolved[_ROOT]

    @property
    def node(self) -> "ResolvedObject | None":
        """The object that ``node`` stands for, none when nothing is said of it."""
        return self.resolved.get("node")


def given_definition(assignments: list[str]) -> GivenDefinition:
    """Make a definition.

    :param assignments: texts such as ``myX=1``; a name with dots is a field of an object that is
        referred to, one that begins with ``@`` a runtime field.
    :returns: the definition.
    :raises UpdraftError: when an assignment is none.
    """
    from updraft.datapipeline.checking import check  # noqa: PLC0415 keeps `updraft --help` fast
    from updraft.datapipeline.reading import read_text  # noqa: PLC0415 likewise
    from updraft.errors import UpdraftError  # noqa: PLC0415 likewise

    objects: dict[str, dict[str, Any]] = {_ROOT: {"type": "ShellCommandActivity", "command": "-"}}
    parameters: dict[str, Any] = {}
    runtime: dict[str, Value] = {}
    for assignment in assignments:
        name, separator, text = assignment.partition("=")
        if not separator or not all(name.split(".")):
            raise UpdraftError(f"--define takes NAME=VALUE, not {assignment!r}")
        if name.startswith("@"):
            runtime[name] = _runtime_value(text)
        elif "." in name:
            _add_field(objects, name.split("."), text)
        else:
            parameters[name] = _value(text)
    document = {
        "objects": [{"id": name, **fields} for name, fields in objects.items()],
        "parameters": [_declaration(name, value) for name, value in parameters.items()],
        "values": parameters,
    }
    definition = read_text(json.dumps(document), "--define").definition
    if definition is None:
        raise UpdraftError("The values of --define can't be used")
    return GivenDefinition(definition, check(definition)[0], parameters, runtime)


def _add_field(objects: dict[str, dict[str, Any]], path: list[str], text: str) -> None:
    owner = _ROOT
    for depth, name in enumerate(path[:-1], 1):
        target = ".".join(path[:depth])
        objects.setdefault(target, {})
        if target != "node":  # which nothing refers to: it is where it is
            objects[owner][name] = {"ref": target}
        owner = target
    objects[owner][path[-1]] = text


def _declaration(name: str, value: Any) -> dict[str, str]:
    one = value[0] if isinstance(value, list) and value else value
    kind = {int: "Integer", float: "Double"}.get(type(one), "String")
    array = {"isArray": "true"} if isinstance(value, list) else {}
    return {"id": name, "type": kind, **array}


def _value(text: str) -> Any:
    """Read a number or a list; all else is a text, as is what stands in double quotes."""
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if isinstance(value, list):
        return [one if _is_plain(one) else json.dumps(one) for one in value]
    return value if _is_plain(value) else text


def _is_plain(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, str | int) and not isinstance(value, bool)


def _runtime_value(text: str) -> "Value":
    from updraft.datapipeline.expression_values import (  # noqa: PLC0415 keeps start fast
        ValueProblemError,
        as_instant,
    )

    try:
        return as_instant(text)
    except ValueProblemError:
        return text
