"""Reads a file that declares what a project publishes."""

from typing import Any

from pydantic import ValidationError

from updraft.datazone.declaration import UNKNOWN_KEY, Declaration
from updraft.datazone.yaml_source import YamlSource, read_yaml
from updraft.errors import ArgumentError

_MOST_ERRORS = 20
_UNIONS = ("tuple[", "dict[")  # steps that pydantic adds where a value may have several types


def read_declaration(text: str, file: str) -> Declaration:
    """Read a declaration.

    :param text: YAML.
    :param file: where it is from, for error messages.
    :returns: the declaration.
    :raises UpdraftError: when it is no YAML or no declaration; it names each line at fault.
    """
    source = read_yaml(text, file)
    if not isinstance(source.data, dict):
        raise ArgumentError(f"{file}: the file is no mapping with 'project', 'assets' and so on")
    try:
        return Declaration.model_validate(source.data)
    except ValidationError as error:
        lines = [_explained(one, source, file) for one in error.errors()]
        lines = list(dict.fromkeys(lines))
        more = len(lines) - _MOST_ERRORS
        if more > 0:
            lines = [*lines[:_MOST_ERRORS], f"and {more} more"]
        raise ArgumentError("\n".join(lines)) from None


def _explained(error: Any, source: YamlSource, file: str) -> str:
    path = tuple(step for step in error["loc"] if not str(step).startswith(_UNIONS))
    message = error["msg"].removeprefix("Value error, ")
    at = path
    if error["type"] == UNKNOWN_KEY:
        at = (*path, error["ctx"]["key"])
    elif error["type"] == "missing":
        message, path = f"{path[-1]!r} is missing", path[:-1]
    elif error["type"] == "string_type":
        message = f"{error['input']!r} is no text; put it into quotes if it is meant as one"
    where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    named = f"{where.lstrip('.')}: " if where else ""
    return f"{file}, line {source.line(at)}: {named}{message}"
