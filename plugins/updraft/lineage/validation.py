"""Validation of OpenLineage events against the official JSON Schemas, without network access.

The core schema checks the frame of an event; each facet that the specification knows is checked
against its own schema, found by its key and by the kind of entity that carries it. Facets that it
does not know pass if they name their producer and schema, as the core schema demands.

Schemas: https://github.com/OpenLineage/OpenLineage/tree/main/spec, copied to ``schemas/``.
"""

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from updraft.errors import UpdraftError
from updraft.lineage.validated_parts import Part, is_valid_by_parts

_SCHEMAS = Path(__file__).parent / "schemas"
_CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json"

# Kind of facet by the base class that its schema extends.
_KINDS = {
    f"{_CORE}#/$defs/RunFacet": "run",
    f"{_CORE}#/$defs/JobFacet": "job",
    f"{_CORE}#/$defs/DatasetFacet": "dataset",
    f"{_CORE}#/$defs/InputDatasetFacet": "input",
    f"{_CORE}#/$defs/OutputDatasetFacet": "output",
}

_FACET_NAMES = {kind: reference.rpartition("/")[2] for reference, kind in _KINDS.items()}
_CORE_NAMES = frozenset({"RunEvent", "InputDataset", "OutputDataset"})

# RFC 3339, section 5.6; datetime.fromisoformat alone lets other ISO 8601 forms pass.
_DATE_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+", re.ASCII)
_LONGEST_VALUE = 120  # characters of a value that a message shows
_MOST_FAULTS = 5  # that one message lists

formats = FormatChecker(formats=())


class InvalidEventError(UpdraftError):
    """An event does not follow the OpenLineage specification."""


@formats.checks("date-time", raises=ValueError)
def _is_date_time(value: object) -> bool:
    if isinstance(value, str):
        if _DATE_TIME.fullmatch(value) is None:
            return False
        datetime.fromisoformat(value.upper())
    return True


@formats.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value.lower()


@formats.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or _URI.fullmatch(value) is not None


class Fault(NamedTuple):
    """What is wrong with an event.

    :param path: where in the event: names of members and positions in lists.
    :param sentence: what is wrong, with path and value.
    """

    path: tuple[str | int, ...]
    sentence: str


def faults(event: Mapping[str, Any]) -> list[Fault]:
    """Say what is wrong with an event, and where.

    :param event: the event, decoded from JSON; one without a run may be about a job or a dataset.
    :returns: the faults; none for a valid event.
    """
    if is_valid_by_parts(event, _part_is_valid, formats.conforms):
        return []
    found = list(_describe(_core_validator(_kind(event)), event, ()))
    if not found:
        for path, kind, facets in _facet_groups(event):
            for key, facet in facets.items():
                for validator in _facet_validators().get((kind, key), ()):
                    found.extend(_describe(validator, facet, (*path, key)))
    return found


def problems(event: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with an event.

    :param event: the event, decoded from JSON.
    :returns: one sentence per fault, with its path and value; empty for a valid event.
    """
    return [fault.sentence for fault in faults(event)]


def check(event: Mapping[str, Any]) -> None:
    """Insist on a valid run event.

    :param event: the event, decoded from JSON.
    :raises InvalidEventError: when it is not valid; the message has the first five faults.
    """
    found = problems(event)
    if found:
        rest = len(found) - _MOST_FAULTS
        more = f"; and {rest} more" if rest > 0 else ""
        raise InvalidEventError("; ".join(found[:_MOST_FAULTS]) + more)


def _part_is_valid(part: Part) -> bool:
    if part.kind in _CORE_NAMES:
        return bool(_core_validator(part.kind).is_valid(part.value))
    if not _core_validator(_FACET_NAMES[part.kind]).is_valid(part.value):
        return False
    validators = _facet_validators().get((part.kind, part.key), ())
    return all(validator.is_valid(part.value) for validator in validators)


def _kind(event: Mapping[str, Any]) -> str:
    if "run" not in event and "dataset" in event:
        return "DatasetEvent"
    return "JobEvent" if "run" not in event and "job" in event else "RunEvent"


def _facet_groups(
    event: Mapping[str, Any],
) -> Iterator[tuple[tuple[str | int, ...], str, Mapping[str, Any]]]:
    """Yield path, kind and content of every group of facets in an event with a valid frame."""
    for kind in ("run", "job", "dataset"):
        yield (kind, "facets"), kind, event.get(kind, {}).get("facets", {})
    for side, own, kind in (
        ("inputs", "inputFacets", "input"),
        ("outputs", "outputFacets", "output"),
    ):
        for index, dataset in enumerate(event.get(side, [])):
            yield (side, index, "facets"), "dataset", dataset.get("facets", {})
            yield (side, index, own), kind, dataset.get(own, {})


def _describe(
    validator: Draft202012Validator, instance: Any, path: tuple[str | int, ...]
) -> Iterator[Fault]:
    for error in validator.iter_errors(instance):
        yield from _leaves(error, path)


def _leaves(error: ValidationError, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Turn an error into sentences; of alternatives, only the best fitting one is of use."""
    if error.context and error.validator in {"oneOf", "anyOf"}:
        closest = max(error.context, key=lambda inner: len(inner.absolute_path))
        yield from _leaves(closest, path)
        return
    value = json.dumps(error.instance, default=str)
    if len(value) > _LONGEST_VALUE:
        value = value[:_LONGEST_VALUE] + "…"
    where = "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    where += error.json_path[1:]
    if error.validator == "format":
        sentence = f"{where} is {value}, which is not a {error.validator_value}"
    elif error.validator == "required":
        sentence = f"{where}: {error.message}"
    elif error.validator == "type":
        sentence = f"{where} is {value}, which is not of type {error.validator_value}"
    else:
        sentence = f"{where} is {value}: {error.message[:_LONGEST_VALUE]}"
    yield Fault((*path, *error.absolute_path), sentence)


@functools.cache
def _documents() -> Sequence[dict[str, Any]]:
    paths = [_SCHEMAS / "OpenLineage.json", *sorted((_SCHEMAS / "facets").glob("*.json"))]
    return tuple(json.loads(path.read_text("utf-8")) for path in paths)


@functools.cache
def _registry() -> Registry[Any]:
    resources = ((schema["$id"], Resource.from_contents(schema)) for schema in _documents())
    return Registry().with_resources(resources)


def _validator(reference: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": reference}, registry=_registry(), format_checker=formats)


@functools.cache
def _core_validator(kind: str) -> Draft202012Validator:
    return _validator(f"{_CORE}#/$defs/{kind}")


@functools.cache
def _facet_validators() -> Mapping[tuple[str, str], Sequence[Draft202012Validator]]:
    """Index the validators of all official facets by kind and key."""
    index: dict[tuple[str, str], list[Draft202012Validator]] = {}
    for schema in _documents():
        for key in schema.get("properties", {}):
            for name, definition in schema["$defs"].items():
                base = (definition.get("allOf") or [{}])[0].get("$ref")
                if base in _KINDS:
                    reference = f"{schema['$id']}#/$defs/{name}"
                    index.setdefault((_KINDS[base], key), []).append(_validator(reference))
    return index
