"""The limits of the service (guide, "Web Service Limits").

Airflow has none of them, so that a definition over a limit is a warning: it can't have run as it
stands, and still tells what its writer wanted.
"""

from collections.abc import Iterator
from datetime import timedelta

from updraft.datapipeline.field_findings import field_finding
from updraft.datapipeline.findings import Finding, Position, Severity
from updraft.datapipeline.model import Definition, Field, PipelineObject, Text
from updraft.datapipeline.object_types import field_type_of
from updraft.datapipeline.periods import Period
from updraft.datapipeline.typed_values import TypedValueError, typed_value

_MOST_OBJECTS = 100
_MOST_PARAMETERS = 50
_MOST_FIELDS = 50
_MOST_BYTES_OF_A_NAME = 256
_MOST_BYTES_OF_A_FIELD = 10_240
_MOST_BYTES_OF_AN_OBJECT = 15_360
_MOST_VALUES = 255
_MANY_VALUES = {"bootstrapAction", "postStepCommand", "preStepCommand", "step"}
_LARGEST = {"maximumRetries": 5, "maxActiveInstances": 5}
_RATIOS = {"readThroughputPercent": (0.1, 1.0), "writeThroughputPercent": (0.1, 1.0)}
_SHORTEST = {
    "lateAfterTimeout": timedelta(minutes=15),
    "period": timedelta(minutes=15),
    "retryDelay": timedelta(minutes=2),
}
_LONGEST_PERIOD = {"years": 3, "months": 36, "weeks": 156, "days": 1096}
_ADVICE = "Airflow has no such limit: the DAG does what is written"


def check_limits(definition: Definition) -> Iterator[Finding]:
    """Compare a definition with the limits.

    :param definition: the definition.
    :returns: one warning for each limit that is passed.
    """
    declared = tuple(one for one in definition.parameters if one.origin is None)
    for kind, items, most in (
        ("objects", definition.objects, _MOST_OBJECTS),
        ("parameters", declared, _MOST_PARAMETERS),
    ):
        if len(items) > most:
            message = f"The definition has {len(items)} {kind}, the service takes {most}"
            yield _finding(definition, message, items[most].position)
    for item in definition.objects:
        yield from _check_sizes(item, definition)
        for field in item.fields:
            yield from _check_field(item, field, definition)


def _check_sizes(item: PipelineObject, definition: Definition) -> Iterator[Finding]:
    fields = sum(max(len(field.values), 1) for field in item.fields)
    if fields > _MOST_FIELDS:
        message = f"The object has {fields} fields, the service takes {_MOST_FIELDS}"
        yield _finding(definition, message, item.position, item.id)
    if _size(item.id) > _MOST_BYTES_OF_A_NAME:
        message = f"The id is longer than {_MOST_BYTES_OF_A_NAME} bytes"
        yield _finding(definition, message, item.position, item.id, "id")
    size = sum(
        _size(field.name) + sum(_size(text) for text in field.texts) for field in item.fields
    )
    if size > _MOST_BYTES_OF_AN_OBJECT:
        message = f"The object has {size:,} bytes, the service takes {_MOST_BYTES_OF_AN_OBJECT:,}"
        yield _finding(definition, message, item.position, item.id)


def _size(text: str) -> int:
    return len(text.encode(errors="replace"))


def _check_field(item: PipelineObject, field: Field, definition: Definition) -> Iterator[Finding]:
    if _size(field.name) > _MOST_BYTES_OF_A_NAME:
        message = f"The name of the field is longer than {_MOST_BYTES_OF_A_NAME} bytes"
        yield _finding(definition, message, field.position, item.id)
    if field.name in _MANY_VALUES and len(field.values) > _MOST_VALUES:
        message = f"The field has {len(field.values)} values, the service takes {_MOST_VALUES}"
        yield _finding(definition, message, field.position, item.id, field.name)
    for value in field.values:
        if not isinstance(value, Text):
            continue
        problem = _problem(item, field.name, value.text)
        if problem is not None:
            yield field_finding(
                definition,
                item,
                field,
                value=value,
                severity=Severity.WARNING,
                message=problem,
                advice=_ADVICE,
            )


def _problem(item: PipelineObject, name: str, text: str) -> str | None:
    if _size(text) > _MOST_BYTES_OF_A_FIELD:
        return f"The value has {_size(text):,} bytes, the service takes {_MOST_BYTES_OF_A_FIELD:,}"
    field_type = field_type_of(item.type, name)
    if field_type is None:
        return None
    try:
        value = typed_value(name, field_type, text)
    except TypedValueError:
        return None
    if isinstance(value, Period):
        return _period_problem(name, value)
    return _number_problem(name, value) if isinstance(value, int | float) else None


def _number_problem(name: str, value: float) -> str | None:
    if name in _LARGEST and value > _LARGEST[name]:
        return f"The service takes at most {_LARGEST[name]} for {name}"
    least, most = _RATIOS.get(name, (value, value))
    return None if least <= value <= most else f"The service takes {least} to {most} for {name}"


def _period_problem(name: str, period: Period) -> str | None:
    shortest, duration = _SHORTEST.get(name), period.duration
    if shortest is not None and duration is not None and duration < shortest:
        minutes = int(shortest.total_seconds() // 60)
        return f"The service takes at least {minutes} minutes for {name}"
    if name == "period" and period.count > _LONGEST_PERIOD.get(period.unit, period.count):
        return "The service takes at most 3 years for period"
    return None


def _finding(
    definition: Definition,
    message: str,
    position: Position,
    object_id: str | None = None,
    field: str | None = None,
) -> Finding:
    return Finding(
        severity=Severity.WARNING,
        file=definition.source,
        position=position,
        object_id=object_id,
        field=field,
        message=message,
        advice=_ADVICE,
    )
