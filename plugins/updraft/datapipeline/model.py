"""A pipeline definition as data: objects, their fields in order, parameters and values.

Everything here mirrors what stands in the file. What inheritance and the service's defaults add
is the business of :mod:`updraft.datapipeline.resolution`.
"""

from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.findings import MASK, Position, mask_passwords
from updraft.datapipeline.secret_names import secret_names


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Text(_Frozen):
    """A value that is text; numbers and booleans are text too, as the service keeps them."""

    text: str
    position: Position


class Reference(_Frozen):
    """A value that points to another object, ``{"ref": "<id>"}``."""

    object_id: str
    position: Position


class Field(_Frozen):
    """A field with its values; a field that is written several times has several values."""

    name: str
    values: tuple[Text | Reference, ...]
    position: Position

    @property
    def text(self) -> str | None:
        """The text when the field has exactly one value and it is text."""
        if len(self.values) == 1 and isinstance(self.values[0], Text):
            return self.values[0].text
        return None

    @property
    def texts(self) -> tuple[str, ...]:
        """All values that are text."""
        return tuple(value.text for value in self.values if isinstance(value, Text))

    @property
    def references(self) -> tuple[str, ...]:
        """The ids that the field points to."""
        return tuple(value.object_id for value in self.values if isinstance(value, Reference))


class PipelineObject(_Frozen):
    """An object of a definition.

    :param id: unique in the definition; references use it.
    :param name: what people call it; the id when none is given.
    :param type: object type, absent on ``Default`` and on abstract parents.
    :param fields: all other fields in the order of the file.
    """

    id: str
    name: str
    type: str | None
    fields: tuple[Field, ...]
    position: Position

    def field(self, name: str) -> Field | None:
        """Find a field that is written on this object itself.

        :param name: field name.
        :returns: the field, none when it is not written here.
        """
        return next((field for field in self.fields if field.name == name), None)


class Parameter(_Frozen):
    """A parameter that is filled in when the pipeline is activated.

    :param id: ``my…`` or ``*my…``; the asterisk marks a secret.
    :param type: ``String``, ``Integer``, ``Double`` or ``AWS::S3::ObjectKey``.
    :param default: values to take when none are given; empty when there is no default.
    :param optional: whether it may stay without a value.
    :param allowed_values: the only values allowed, empty when any is.
    :param is_array: whether it holds several values.
    :param attributes: all attributes as written, also the ones above.
    :param origin: what it is that a template leaves open, in words; none for what the
        definition declares.
    """

    id: str
    type: str
    description: str | None
    watermark: str | None
    help_text: str | None
    default: tuple[str, ...]
    optional: bool
    allowed_values: tuple[str, ...]
    is_array: bool
    attributes: tuple[Field, ...]
    position: Position
    origin: str | None = None

    @property
    def name(self) -> str:
        """The id without the asterisk of a secret."""
        return self.id.removeprefix("*")


def undeclared_parameter(
    name: str,
    position: Position,
    *,
    origin: str | None = None,
    kind: str = "String",
    description: str | None = None,
) -> Parameter:
    """Make a parameter that the definition does not declare, and that needs a value.

    :param name: its id.
    :param position: the place in the file that is named for it.
    :param origin: what it is that is left open, in words.
    :param kind: its type.
    :param description: what people are told of it.
    :returns: the parameter.
    """
    return Parameter(
        id=name,
        type=kind,
        description=description,
        watermark=None,
        help_text=None,
        default=(),
        optional=False,
        allowed_values=(),
        is_array=False,
        attributes=(),
        position=position,
        origin=origin,
    )


class ParameterValue(_Frozen):
    """The value or values given for a parameter.

    :param source: the file or the option that gives them.
    :param position: where in the file, none for an option.
    """

    id: str
    values: tuple[str, ...]
    source: str
    position: Position | None = None

    @property
    def name(self) -> str:
        """The id without the asterisk of a secret."""
        return self.id.removeprefix("*")


class PipelineProperties(_Frozen):
    """What a file says about a pipeline beside its definition.

    :param key: how the file tells it from its other pipelines, such as a logical id.
    :param name: name of the pipeline.
    :param tags: pairs of key and value.
    :param activate: whether it runs once it is made; none when the file does not say.
    """

    key: str | None = None
    name: str | None = None
    description: str | None = None
    tags: tuple[tuple[str, str], ...] = ()
    activate: bool | None = None


class Definition(_Frozen):
    """A whole definition.

    :param source: the file as its user named it.
    :param pipeline: what the file says beside the definition.
    :param template_names: names that the template around it takes values for.
    """

    source: str
    objects: tuple[PipelineObject, ...]
    parameters: tuple[Parameter, ...]
    values: tuple[ParameterValue, ...]
    pipeline: PipelineProperties = PipelineProperties()
    template_names: frozenset[str] = frozenset()

    def with_objects(self, objects: tuple[PipelineObject, ...]) -> "Definition":
        """Make a definition with other objects.

        :param objects: the objects.
        :returns: a new definition.
        """
        return self._changed(objects=objects)

    def with_values(self, values: tuple[ParameterValue, ...]) -> "Definition":
        """Make a definition with more parameter values.

        :param values: values that go before those already given.
        :returns: a new definition.
        """
        return self._changed(values=(*self.values, *values))

    def with_parameters(self, parameters: tuple[Parameter, ...]) -> "Definition":
        """Make a definition with more parameters.

        :param parameters: parameters that go behind those already declared.
        :returns: a new definition.
        """
        return self._changed(parameters=(*self.parameters, *parameters))

    def with_properties(self, properties: PipelineProperties) -> "Definition":
        """Make a definition of which more is known.

        :param properties: what is known beside the definition.
        :returns: a new definition.
        """
        return self._changed(pipeline=properties)

    def _changed(self, **changes: Any) -> "Definition":
        # Pydantic's own copy would take the look-up tables of the old objects along.
        names = type(self).model_fields
        return Definition(**({name: getattr(self, name) for name in names} | changes))

    @cached_property
    def objects_by_id(self) -> dict[str, PipelineObject]:
        """The objects by id; of equal ids the first one."""
        by_id: dict[str, PipelineObject] = {}
        for item in self.objects:
            by_id.setdefault(item.id, item)
        return by_id

    @cached_property
    def parameters_by_name(self) -> dict[str, Parameter]:
        """The parameters by id without asterisk; of equal ids the first one."""
        by_name: dict[str, Parameter] = {}
        for parameter in self.parameters:
            by_name.setdefault(parameter.name, parameter)
        return by_name

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of all fields, parameters and parameter values, without asterisks."""
        fields = {field.name.removeprefix("*") for item in self.objects for field in item.fields}
        return frozenset(fields | self.parameters_by_name.keys() | self.values_by_name.keys())

    def is_secret(self, name: str) -> bool:
        """Tell whether values of a name must never be shown.

        :param name: field name or parameter id, with or without asterisk.
        :returns: true for what the service encrypts, and for everything that goes into it.
        """
        return name.removeprefix("*") in self._secret_names

    def shown(self, field: Field) -> str:
        """Give the values of a field in one line, for people.

        :param field: a field of this definition.
        :returns: the values, of a secret the mask.
        """
        if self.is_secret(field.name):
            return MASK
        return ", ".join(
            mask_passwords(value.text) if isinstance(value, Text) else f"→ {value.object_id}"
            for value in field.values
        )

    @cached_property
    def _secret_names(self) -> frozenset[str]:
        fields = [field for item in self.objects for field in item.fields]
        return secret_names(
            [
                *((field.name, text) for field in fields for text in ("", *field.texts)),
                *((one.id, text) for one in self.parameters for text in ("", *one.default)),
                *((one.id, text) for one in self.values for text in ("", *one.values)),
            ]
        )

    @cached_property
    def values_by_name(self) -> dict[str, ParameterValue]:
        """The given values by parameter id without asterisk; of several the last one."""
        return {value.name: value for value in self.values}
