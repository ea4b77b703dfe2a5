"""What becomes of each field of each object type, measured by converting definitions.

A definition is converted with a field and without it, or where it needs the field with another
value. The account says what became of the field, the difference of the two DAGs where it went.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import yaml

from updraft.datapipeline.object_types import FieldType, field_type_of, object_types
from updraft.datapipeline.reading import read_text
from updraft.datapipeline.resolution import DEFAULT_ID
from updraft.errors import UpdraftError
from updraft.migration.conversion import specify
from updraft.migration.ledger import Status
from updraft.migration.mappers.task_settings import PIPELINE_WIDE
from updraft.migration.reporting.dag_differences import targets_of
from updraft.migration.reporting.template_files import asset
from updraft.migration.tasks import DagSpec

_PROBE = "Probe"
# What these refer to brings tasks of its own along, which say nothing about the field.
_ORDER = {"dependsOn", "input", "output"}

Fields = dict[str, Any]
Fates = dict[tuple[str, str], tuple[Status, str]]


@dataclass(frozen=True)
class FieldFate:
    """What became of a field of an object type.

    :param object_type: the type.
    :param field: the field.
    :param field_type: what the reference says about it.
    :param status: what became of it.
    :param note: why, or how it differs.
    :param targets: where it went, see :func:`~.dag_differences.targets_of`.
    """

    object_type: str
    field: str
    field_type: FieldType
    status: Status
    note: str
    targets: tuple[str, ...]


@dataclass(frozen=True)
class TypeFate:
    """What became of an object type.

    :param object_type: the type.
    :param category: its category, ``pipeline`` for ``Default``.
    :param operators: the operators of the tasks that an object of it became.
    :param note: what became of its type, empty for ``Default``.
    :param fields: what became of its fields.
    """

    object_type: str
    category: str
    operators: tuple[str, ...]
    note: str
    fields: tuple[FieldFate, ...]


def type_fates() -> Iterator[TypeFate]:
    """Measure ``Default`` and all object types, in the order of the reference.

    :returns: one after the other.
    """
    wide = {name: field_type_of(None, name) for name in sorted(PIPELINE_WIDE)}
    known = {name: kind for name, kind in wide.items() if kind is not None}
    yield TypeFate(
        DEFAULT_ID,
        "pipeline",
        (),
        "",
        tuple(_field_fate(DEFAULT_ID, *one) for one in known.items()),
    )
    for name, entry in object_types().items():
        dag, fates = _mapped(name, _probe(name))
        own = [task for task in dag.tasks if task.object_id == _PROBE]
        yield TypeFate(
            object_type=name,
            category=entry.category,
            operators=tuple(dict.fromkeys(task.operator_name for task in own)),
            note=fates[_PROBE, "type"][1],
            fields=tuple(_field_fate(name, *one) for one in entry.fields.items()),
        )


@cache
def _settings() -> dict[str, Any]:
    settings: dict[str, Any] = yaml.safe_load(asset("probes.yaml"))
    return settings


def _settings_of(type_name: str) -> dict[str, Any]:
    settings: dict[str, Any] = _settings()["types"][type_name]
    return settings


def _probe(type_name: str) -> Fields:
    if type_name == DEFAULT_ID:
        return {**_settings()["default"]}
    return {"type": type_name, **_settings_of(type_name)["probe"]}


def _sample(type_name: str, field: str) -> Any:
    own = _settings_of(type_name).get("samples", {})
    return own[field] if field in own else _settings()["samples"][field]


def _field_fate(type_name: str, field: str, kind: FieldType) -> FieldFate:
    settings = _settings_of(type_name)
    probe = {**_probe(type_name), **settings.get("needs", {}).get(field, {})}
    probe |= _settings()["needs"].get(field, {})
    for name in settings.get("without", {}).get(field, ()):
        del probe[name]
    replaced = settings.get("replaces", {}).get(field)
    sample = _sample(type_name, field)
    others = settings.get("others_for", {}).get(field)
    if field in probe:
        first, second = probe, {**probe, field: sample}
    else:
        first = {name: one for name, one in probe.items() if name != replaced} | {field: sample}
        second = probe
    dag, fates = _mapped(type_name, first, others)
    other_dag, _ = _mapped(type_name, second, others)
    place = (DEFAULT_ID if type_name == DEFAULT_ID else _PROBE, field)
    if place not in fates:
        raise UpdraftError(f"nothing became of {type_name}.{field}, please report this")
    status, note = fates[place]
    targets = targets_of(dag, other_dag, only_order=field in _ORDER)
    return FieldFate(type_name, field, kind, status, note, targets)


def _mapped(
    type_name: str, probe: Fields, others: Mapping[str, Fields] | None = None
) -> tuple[DagSpec, Fates]:
    """Convert a definition with a probe, and give the DAG and the accounts."""
    settings = _settings_of(type_name)
    objects: dict[str, Fields] = {"Default": settings.get("default", _settings()["default"])}
    objects[DEFAULT_ID if type_name == DEFAULT_ID else _PROBE] = probe
    objects |= others if others is not None else settings.get("others", {})
    pending = list(objects.values())
    while pending:
        for reference in _references(pending.pop()):
            if reference not in objects:
                objects[reference] = _settings()["helpers"][reference]
                pending.append(objects[reference])
    document = {"objects": [{"id": name, **fields} for name, fields in objects.items()]}
    return _converted(json.dumps(document))


@lru_cache(maxsize=16)
def _converted(text: str) -> tuple[DagSpec, Fates]:
    definition = read_text(text, "probe.json").definition
    if definition is None:
        raise UpdraftError("a probe can't be read, please report this")
    dag, report = specify(definition, "probe")
    return dag, {(one.object_id, one.field): (one.status, one.note) for one in report.fields}


def _references(fields: Fields) -> list[str]:
    values = [
        one for value in fields.values() for one in (value if isinstance(value, list) else [value])
    ]
    return [one["ref"] for one in values if isinstance(one, dict)]
