"""Reading the fields of one object: texts, references, lists of both, and repeated keys."""

from updraft.datapipeline.findings import Finding, Position, Severity
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonValue,
)
from updraft.datapipeline.model import Field, Reference, Text

_API_FIELD_KEYS = {"key", "stringValue", "refValue"}
_API_LISTS = {"fields", "attributes"}


class FieldReader:
    """Turns the members of JSON objects into fields and collects findings.

    :param source: how to call the file in findings.
    """

    def __init__(self, source: str) -> None:
        self.source = source
        self.findings: list[Finding] = []

    def error(
        self,
        message: str,
        position: Position,
        advice: str = "",
        *,
        object_id: str | None = None,
        field: str | None = None,
        value: str | None = None,
        severity: Severity = Severity.ERROR,
    ) -> None:
        """Add a finding.

        :param message: what is wrong.
        :param position: where.
        :param advice: what to do about it.
        :param object_id: id of the object or parameter.
        :param field: name of the field.
        :param value: the offending value.
        :param severity: how much it matters.
        """
        self.findings.append(
            Finding(
                severity=severity,
                file=self.source,
                message=message,
                advice=advice,
                position=position,
                object_id=object_id,
                field=field,
                value=value,
            )
        )

    def warn(self, message: str, position: Position, advice: str = "", **place: str | None) -> None:
        """Add a warning.

        :param message: what is odd.
        :param position: where.
        :param advice: what to do about it.
        :param place: object, field and value as for :meth:`error`.
        """
        self.error(message, position, advice, severity=Severity.WARNING, **place)

    def trailing_commas(self, value: JsonObject | JsonArray) -> None:
        """Warn of commas before closing brackets.

        :param value: the value to look at, not those inside of it.
        """
        for position in value.trailing_commas:
            self.warn(
                "A comma stands before a closing bracket, which JSON does not allow",
                position,
                "Remove the comma",
            )

    def identity(
        self, item: JsonObject, key: str, what: str, object_id: str | None = None
    ) -> str | None:
        """Read a key that must have exactly one text.

        :param item: the JSON object.
        :param key: the key, such as ``id``.
        :param what: what the object is, for the finding.
        :param object_id: the object's id when it is known, for the finding.
        :returns: the text, none when there is an error.
        """
        values = item.values(key)
        value: str | None = None
        if len(values) == 1 and isinstance(values[0], JsonScalar):
            if values[0].value is not None and values[0].text.strip():
                return values[0].text
            value = values[0].source
        if len(values) > 1 or (values and not isinstance(values[0], JsonScalar)):
            problem, position = f"has not exactly one {key!r}", values[0].position
        else:
            problem = f"has no {key!r}"
            position = values[0].position if values else item.position
        self.error(
            f"{what} {problem}",
            position,
            f"Give it one {key!r} that is a text",
            object_id=object_id,
            field=key,
            value=value,
        )
        return None

    def fields(self, members: list[JsonMember], object_id: str) -> tuple[Field, ...]:
        """Read fields; a key that is repeated gives one field with several values.

        :param members: the members of the JSON object.
        :param object_id: the object's id, for findings.
        :returns: the fields in the order of the file.
        """
        collected: dict[str, tuple[Position, list[Text | Reference]]] = {}
        for member in members:
            if member.key in _API_LISTS and _is_api_field_list(member.value):
                for name, position, value in self._api_fields(member.value, object_id):
                    collected.setdefault(name, (position, []))[1].extend(value)
                continue
            values = self.values(member.value, object_id, member.key)
            collected.setdefault(member.key, (member.position, []))[1].extend(values)
        return tuple(
            Field(name=name, values=tuple(values), position=position)
            for name, (position, values) in collected.items()
        )

    def _api_fields(
        self, container: JsonValue, object_id: str
    ) -> list[tuple[str, Position, list[Text | Reference]]]:
        fields: list[tuple[str, Position, list[Text | Reference]]] = []
        for item in container.items if isinstance(container, JsonArray) else ():
            if not isinstance(item, JsonObject):
                continue
            key = self.identity(item, "key", "A field")
            if key is None:
                continue
            values: list[Text | Reference] = []
            for value in item.values("stringValue"):
                values.extend(self.values(value, object_id, key))
            values.extend(
                Reference(object_id=value.text, position=value.position)
                for value in item.values("refValue")
                if isinstance(value, JsonScalar)
            )
            fields.append((key, item.position, values))
        return fields

    def values(self, value: JsonValue, object_id: str, field: str) -> list[Text | Reference]:
        """Read the value or values of a field.

        :param value: the JSON value.
        :param object_id: the object's id, for findings.
        :param field: the field's name, for findings.
        :returns: texts and references.
        """
        if isinstance(value, JsonArray):
            self.trailing_commas(value)
            return [one for item in value.items for one in self.values(item, object_id, field)]
        if isinstance(value, JsonObject):
            self.trailing_commas(value)
            targets = value.values("ref")
            if len(value.members) == 1 and targets and isinstance(targets[0], JsonScalar):
                return [Reference(object_id=targets[0].text, position=value.position)]
            self.error(
                "A field's value is an object that is no reference",
                value.position,
                'Write a text, or a reference: {"ref": "<id of the object>"}',
                object_id=object_id,
                field=field,
            )
            return []
        if value.value is None:
            self.error(
                "A field's value is null",
                value.position,
                "Give it a value, or leave the field out",
                object_id=object_id,
                field=field,
            )
            return []
        return [Text(text=value.text, position=value.position)]


def _is_api_field_list(value: JsonValue) -> bool:
    return isinstance(value, JsonArray) and all(
        isinstance(item, JsonObject)
        and bool(item.members)
        and all(member.key in _API_FIELD_KEYS for member in item.members)
        for item in value.items
    )
