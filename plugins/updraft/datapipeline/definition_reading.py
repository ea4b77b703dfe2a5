"""From the form of the AWS CLI, or the API's, to the model."""

from updraft.datapipeline.field_reading import FieldReader
from updraft.datapipeline.findings import Position, did_you_mean, shown_value
from updraft.datapipeline.json_text import JsonArray, JsonObject, JsonValue
from updraft.datapipeline.left_out import is_instance, unused_fields
from updraft.datapipeline.model import (
    Definition,
    Parameter,
    ParameterValue,
    PipelineObject,
    Text,
)
from updraft.datapipeline.open_values import OpenValue
from updraft.datapipeline.sources import PipelineSource

_KNOWN_KEYS = {
    "objects",
    "parameters",
    "values",
    "parameterValues",
    "hasMoreResults",
    "marker",
    "metadata",
    "pipelineId",
    "PipelineId",
    "ResponseMetadata",
}


class DefinitionReader(FieldReader):
    """Turns positioned values into the model and collects findings."""

    def definition(self, source: PipelineSource) -> Definition:
        """Read one pipeline.

        :param source: the pipeline in the form of the CLI.
        :returns: what can be read of it.
        """
        document, key = source.document, source.properties.key
        for member in document.members:
            if member.key not in _KNOWN_KEYS:
                self.warn(
                    f"The key {shown_value(member.key)!r} means nothing at the top of a "
                    "definition and is ignored",
                    member.position,
                    did_you_mean(member.key, _KNOWN_KEYS, "Remove it"),
                )
        items = self._list(document, "objects", key)
        if not items:
            self.error(
                "The definition has no objects",
                document.position,
                "Add objects to 'objects'",
                object_id=key,
            )
        items = [one for one in items if not is_instance(one, self)]
        self.open_values = {}
        objects: tuple[PipelineObject, ...] = ()
        if any(isinstance(item, JsonObject) for item in items):
            objects = tuple(self._object(item, place) for place, item in enumerate(items, 1))
        elif items:
            self.error(
                "No entry of 'objects' is an object",
                items[0].position,
                "Write { … }",
                object_id=key,
            )
        parameters = self.parameters(document, "parameters", key)
        values = tuple(
            value
            for key in ("parameterValues", "values")
            for container in document.values(key)
            for value in self.parameter_values(container)
        )
        declared = {one.name for one in parameters}
        # A parameter whose value the template leaves open is asked for under its own name.
        unvalued = [one for one in values if not one.values and one.name not in declared]
        return Definition(
            source=self.source,
            objects=objects,
            parameters=(
                *parameters,
                *(_asked_for(one.id, one.position or document.position) for one in unvalued),
                *(
                    _open_parameter(one, place)
                    for name, (one, place) in self.open_values.items()
                    if name not in declared
                ),
            ),
            values=tuple(one for one in values if one.values),
            pipeline=source.properties,
            template_names=source.template_names,
        )

    def _list(self, document: JsonObject, key: str, pipeline: str | None) -> list[JsonValue]:
        items: list[JsonValue] = []
        for container in document.values(key):
            if isinstance(container, JsonArray):
                items.extend(container.items)
            else:
                self.error(
                    f"{key!r} must be a list",
                    container.position,
                    "Write [ … ] around its entries",
                    object_id=pipeline,
                )
        return items

    def _object(self, item: JsonValue, place: int) -> PipelineObject:
        """Read an object; one without an id gets one of its place in the list."""
        if not isinstance(item, JsonObject):
            made_up = f"object_{place}"
            self.error(
                "An entry of 'objects' is not an object",
                item.position,
                "Write { … }",
                object_id=made_up,
            )
            return PipelineObject(
                id=made_up, name=made_up, type=None, fields=(), position=item.position
            )
        object_id = self.identity(item, "id", "An object")
        names = item.values("name")
        if object_id is None:
            # The finding stands; with the name for an id the rest can be used as well.
            object_id = self.identity(item, "name", "An object") if names else None
            object_id = object_id or f"object_{place}"
        name = self.identity(item, "name", "The object", object_id) if names else object_id
        types = item.values("type")
        type_name = self.identity(item, "type", "The object", object_id) if types else None
        fields = self.fields(
            [member for member in item.members if member.key not in {"id", "name", "type"}],
            object_id,
        )
        # Definitions taken from the API keep the type among the fields.
        inner_type = next((field for field in fields if field.name == "type"), None)
        if type_name is None and inner_type is not None:
            type_name = inner_type.text
            fields = tuple(field for field in fields if field is not inner_type)
        if type_name is not None and "#{" in type_name:
            # The service takes types as they are (guide, "Expression Evaluation").
            self.error(
                "The type of the object is not known from the file",
                inner_type.position if inner_type is not None else item.position,
                "Write the type itself, or give what it depends on by --set",
                object_id=object_id,
                field="type",
                value=type_name,
            )
            type_name = None
        unused = unused_fields(fields, type_name, object_id, self)
        fields = tuple(one for one in fields if one not in unused)
        return PipelineObject(
            id=object_id,
            name=name or object_id,
            type=None if object_id == "Default" and type_name == "Default" else type_name,
            fields=fields,
            position=item.position,
        )

    def parameters(
        self, document: JsonObject, key: str, pipeline: str | None = None
    ) -> tuple[Parameter, ...]:
        """Read declarations of parameters.

        :param document: the object that has them.
        :param key: the key that they stand under.
        :param pipeline: how the file tells the pipeline from its others, when it does.
        :returns: the parameters.
        """
        items = self._list(document, key, pipeline)
        return tuple(filter(None, (self._parameter(item) for item in items)))

    def _parameter(self, item: JsonValue) -> Parameter | None:
        if not isinstance(item, JsonObject):
            self.error("An entry of 'parameters' is not an object", item.position, "Write { … }")
            return None
        parameter_id = self.identity(item, "id", "A parameter")
        if parameter_id is None:
            return None
        attributes = self.fields(
            [member for member in item.members if member.key != "id"],
            parameter_id,
            evaluated=False,
        )
        by_name = {attribute.name: attribute for attribute in attributes}

        def texts(name: str) -> tuple[str, ...]:
            return by_name[name].texts if name in by_name else ()

        def text(name: str) -> str | None:
            return " ".join(texts(name)) or None

        return Parameter(
            id=parameter_id,
            type=text("type") or "String",
            description=text("description"),
            watermark=text("watermark"),
            help_text=text("helpText"),
            default=texts("default"),
            optional=(text("optional") or "").lower() == "true",
            allowed_values=texts("allowedValues"),
            is_array=(text("isArray") or "").lower() == "true",
            attributes=attributes,
            position=item.position,
        )

    def parameter_values(self, container: JsonValue) -> list[ParameterValue]:
        """Read values of parameters, a map from id to value or the API's list of pairs.

        :param container: the map or list.
        :returns: the values; an id that is repeated gives one parameter with several.
        """
        collected: dict[str, tuple[Position, list[str]]] = {}
        for name, position, value in self._pairs(container):
            read = self.values(value, name, "value", evaluated=False)
            texts = [one.text for one in read if isinstance(one, Text)]
            collected.setdefault(name, (position, []))[1].extend(texts)
        return [
            ParameterValue(id=name, values=tuple(texts), position=position, source=self.source)
            for name, (position, texts) in collected.items()
        ]

    def _pairs(self, container: JsonValue) -> list[tuple[str, Position, JsonValue]]:
        if isinstance(container, JsonObject):
            return [(member.key, member.position, member.value) for member in container.members]
        pairs: list[tuple[str, Position, JsonValue]] = []
        if isinstance(container, JsonArray):
            for item in container.items:
                if not isinstance(item, JsonObject):
                    self.error("A parameter value is not an object", item.position, "Write { … }")
                    continue
                # Files with values for CloudFormation have keys of their own.
                key, value = ("id", "stringValue")
                if item.values("ParameterKey"):
                    key, value = "ParameterKey", "ParameterValue"
                identity = self.identity(item, key, "A parameter value")
                if identity is not None:
                    pairs += [(identity, item.position, one) for one in item.values(value)]
            return pairs
        self.error(
            "Parameter values must be an object",
            container.position,
            'Write {"myParameter": "value"}',
        )
        return []


def _open_parameter(value: OpenValue, position: Position) -> Parameter:
    return _asked_for(
        value.parameter_id,
        position,
        type_name=value.type,
        description=value.description or value.origin[:1].upper() + value.origin[1:],
        allowed_values=value.allowed_values,
        origin=value.origin,
    )


def _asked_for(
    parameter_id: str,
    position: Position,
    *,
    type_name: str = "String",
    description: str | None = None,
    allowed_values: tuple[str, ...] = (),
    origin: str = "a parameter whose value the template leaves open",
) -> Parameter:
    return Parameter(
        id=parameter_id,
        type=type_name,
        description=description,
        watermark=None,
        help_text=None,
        default=(),
        optional=False,
        allowed_values=allowed_values,
        is_array=False,
        attributes=(),
        position=position,
        origin=origin,
    )
