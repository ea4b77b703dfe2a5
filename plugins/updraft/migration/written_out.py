"""Steps and their like that stand in a parameter: written out where the file gives its value.

The console's template for steps of EMR asks for them in a form, as a list of texts whose commas
separate arguments: ``"step": "#{myEmrStep}"``. How many steps there are, and what each is given, is
known only once such a text is taken apart, which has to be done before the DAG is written.
"""

from dataclasses import replace

from updraft.datapipeline.model import Definition, Field, PipelineObject, Reference, Text
from updraft.datapipeline.resolution import ResolvedObject, resolve
from updraft.datapipeline.steps import sole_name
from updraft.migration.completion import Completed

_FIELDS = {
    "EmrActivity": {"step", "preStepCommand", "postStepCommand"},
    "EmrCluster": {"applications", "bootstrapAction"},
    "HadoopActivity": {"argument"},
    "HiveActivity": {"scriptVariable"},
    "PigActivity": {"scriptVariable"},
    "ShellScriptConfig": {"scriptArgument"},
}
# Only objects of EMR have these, whoever they inherit them from.
_OF_EMR = _FIELDS["EmrActivity"] | _FIELDS["EmrCluster"]
# Commas in them separate arguments, so that one text has to be taken apart as well as a list.
_SPLIT = {"applications", "bootstrapAction", "step"}


def with_written_out(completed: Completed) -> Completed:
    """Put values in the place of parameters, where a DAG can't be written without them.

    :param completed: the definition.
    :returns: the definition; the same when there is nothing to write out. What was written out
        keeps its expressions, as the service evaluated values in the place of their parameters.
    """
    written: dict[str, list[str]] = {}
    objects = tuple(
        _written(item, completed.resolved[item.id], completed.definition, written)
        for item in completed.definition.objects
    )
    if not written:
        return completed
    definition = completed.definition.with_objects(objects)
    resolved, _ = resolve(definition)
    places = {name: tuple(dict.fromkeys(found)) for name, found in written.items()}
    return replace(completed, definition=definition, resolved=resolved, written_out=places)


def _written(
    item: PipelineObject,
    resolved: ResolvedObject,
    definition: Definition,
    written: dict[str, list[str]],
) -> PipelineObject:
    names = _FIELDS.get(resolved.type, set()) if resolved.type is not None else _OF_EMR
    if all(field.name not in names for field in item.fields):
        return item
    fields: list[Field] = []
    for field in item.fields:
        values: list[Text | Reference] = []
        for value in field.values:
            name = _parameter(value, resolved) if field.name in names else None
            texts = _texts(name, field.name, definition) if name is not None else None
            if name is None or texts is None:
                values.append(value)
                continue
            written.setdefault(name, []).append(f"{item.id}.{field.name}")
            values += [Text(text=text, position=value.position) for text in texts]
        fields.append(field.model_copy(update={"values": tuple(values)}))
    return item.model_copy(update={"fields": tuple(fields)})


def _parameter(value: Text | Reference, item: ResolvedObject) -> str | None:
    """Name the parameter that a text consists of."""
    name = sole_name(value.text) if isinstance(value, Text) else None
    return name if name not in item.fields else None


def _texts(name: str, field: str, definition: Definition) -> tuple[str, ...] | None:
    """Give the values of a parameter, none when they are better left to the form."""
    parameter = definition.parameters_by_name.get(name)
    given = definition.values_by_name.get(name)
    if definition.is_secret(name) or (parameter is None and given is None):
        return None
    is_list = parameter is not None and parameter.is_array
    if not is_list and field not in _SPLIT:
        return None
    texts = given.values if given is not None else parameter.default if parameter else ()
    texts = tuple(text for text in texts if text.strip())
    # A path alone may as well be chosen for each run.
    if not is_list and field != "step" and not any("," in text for text in texts):
        return None
    optional = parameter is not None and parameter.optional
    return texts if texts or optional else None
