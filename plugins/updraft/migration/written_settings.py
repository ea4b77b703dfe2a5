"""Settings that Airflow has to know before any run, written out where the file has their values.

The service evaluated ``"maximumRetries": "#{myRetries}"`` when the pipeline was activated. A DAG
has its retries, delays and limits when it is parsed, where the form has no say.
"""

from dataclasses import replace

from updraft.datapipeline.evaluation import Evaluator
from updraft.datapipeline.expression_values import as_text
from updraft.datapipeline.mentions import mentions
from updraft.datapipeline.model import Field, PipelineObject, Text
from updraft.datapipeline.periods import PeriodError, parse_period
from updraft.datapipeline.resolution import resolve
from updraft.errors import UpdraftError
from updraft.migration.completion import Completed

_NUMBERS = {"maxActiveInstances", "maximumRetries"}
_PERIODS = {
    "attemptTimeout",
    "initTimeout",
    "lateAfterTimeout",
    "preconditionTimeout",
    "retryDelay",
    "terminateAfter",
}
# What runs on a machine takes these as templates.
_READ_BY_THE_RUN = {"attemptTimeout": "ShellCommandActivity", "terminateAfter": "Ec2Resource"}


def with_written_settings(completed: Completed) -> Completed:
    """Put values in the place of parameters in settings that no run can change.

    :param completed: the definition.
    :returns: the definition; the same when there is nothing to write out.
    """
    definition = completed.definition
    names: dict[tuple[str, str], list[str]] = {}
    for name, places in mentions(definition).items():
        for place in places:
            names.setdefault(place, []).append(name)
    written = {one: list(places) for one, places in completed.written_out.items()}
    objects: list[PipelineObject] = []
    for item in definition.objects:
        fields = tuple(_written(item, field, completed) for field in item.fields)
        for before, after in zip(item.fields, fields, strict=True):
            if after is before:
                continue
            for name in names.get((item.id, before.name), ()):
                if name in definition.parameters_by_name or name in definition.values_by_name:
                    written.setdefault(name, []).append(f"{item.id}.{before.name}")
        objects.append(item.model_copy(update={"fields": fields}))
    if all(
        one.fields == other.fields for one, other in zip(objects, definition.objects, strict=True)
    ):
        return completed
    definition = definition.with_objects(tuple(objects))
    resolved, _ = resolve(definition)
    written_out = {name: tuple(dict.fromkeys(found)) for name, found in written.items()}
    return replace(completed, definition=definition, resolved=resolved, written_out=written_out)


def _written(item: PipelineObject, field: Field, completed: Completed) -> Field:
    """Give the field with its value, or as it is where there is no expression or no fixed value."""
    text = field.text
    if text is None or "#{" not in text or field.name not in _NUMBERS | _PERIODS:
        return field
    heirs = {
        one.type
        for one in completed.resolved.values()
        if field.name in one.fields and one.fields[field.name].owner_id == item.id
    }
    if heirs - {None} == {_READ_BY_THE_RUN.get(field.name)}:
        return field
    evaluator = Evaluator(completed.definition, completed.resolved, {}, reads_secrets=False)
    try:
        value = as_text(evaluator.evaluate_text(text, completed.resolved[item.id])).strip()
    except UpdraftError:
        return field
    if not _is_sound(field.name, value):
        return field
    return field.model_copy(
        update={"values": (Text(text=value, position=field.values[0].position),)}
    )


def _is_sound(name: str, value: str) -> bool:
    if name in _NUMBERS:
        return value.isascii() and value.isdecimal()
    try:
        return parse_period(value).duration is not None
    except PeriodError:
        return False
