"""Reading the fields of one object: texts, references, lists of both, and repeated keys."""

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import Position, did_you_mean
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonValue,
)
from updraft.datapipeline.model import Field, Reference, Text
from updraft.datapipeline.open_values import OpenValue

_API_FIELD_KEYS = {"key", "stringValue", "refValue"}
_API_LISTS = {"fields", "attributes"}
_Values = list[Text | Reference]


class FieldReader(FindingCollector):
    """Turns the members of JSON objects into fields and collects findings.

    :param source: how to call the file in findings.
    """

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self.open_values: dict[str, tuple[OpenValue, Position]] = {}
        """What fields depend on and the file does not give, by the name of its parameter."""

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
                self._report_open_identity(values[0], key, object_id)
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

    def _report_open_identity(self, value: JsonScalar, key: str, object_id: str | None) -> None:
        for one in value.open_values:
            # The service takes identities as they are (guide, "Expression Evaluation").
            self.warn(
                f"The {key!r} depends on {one.name!r}, which the file does not give",
                value.position,
                f"Give it by --set {one.name}=…",
                object_id=object_id or value.text,
                field=key,
                value=value.text,
            )

    def fields(
        self, members: list[JsonMember], object_id: str, *, evaluated: bool = True
    ) -> tuple[Field, ...]:
        """Read fields; a key that is repeated gives one field with several values.

        :param members: the members of the JSON object.
        :param object_id: the object's id, for findings.
        :param evaluated: whether the service evaluates expressions in them; what a template
            leaves open is left out otherwise.
        :returns: the fields in the order of the file.
        """
        collected: dict[str, tuple[Position, _Values]] = {}
        for member in members:
            if member.key in _API_LISTS and _is_api_field_list(member.value):
                for name, position, value in self._api_fields(member.value, object_id, evaluated):
                    collected.setdefault(name, (position, []))[1].extend(value)
                continue
            values = self.values(member.value, object_id, member.key, evaluated=evaluated)
            # The CLI makes a field of each item; of none it makes none.
            if not values and _is_empty(member.value):
                continue
            collected.setdefault(member.key, (member.position, []))[1].extend(values)
        return tuple(
            Field(name=name, values=tuple(values), position=position)
            for name, (position, values) in collected.items()
        )

    def _api_fields(
        self, container: JsonValue, object_id: str, evaluated: bool
    ) -> list[tuple[str, Position, _Values]]:
        fields: list[tuple[str, Position, _Values]] = []
        for item in container.items if isinstance(container, JsonArray) else ():
            if not isinstance(item, JsonObject):
                self.error(
                    "An entry of a list of fields is not an object",
                    item.position,
                    "Write its key and its value",
                    object_id=object_id,
                )
                continue
            key = self.identity(item, "key", "A field", object_id)
            if key is None:
                continue
            values: _Values = []
            texts, references = item.values("stringValue"), item.values("refValue")
            # Terraform's states and some generators write both, one of them empty.
            if texts and references:
                references = tuple(one for one in references if not _is_blank(one))
                texts = tuple(one for one in texts if not (references and _is_blank(one)))
            for value in texts:
                values.extend(self.values(value, object_id, key, evaluated=evaluated))
            for value in references:
                values.extend(self._api_reference(value, object_id, key))
            self._check_api_keys(item, object_id, key)
            fields.append((key, item.position, values))
        return fields

    def _check_api_keys(self, item: JsonObject, object_id: str, field: str) -> None:
        for member in item.members:
            if member.key not in _API_FIELD_KEYS:
                self.error(
                    f"A field has a key, and a text or a reference, but no {member.key!r}",
                    member.position,
                    did_you_mean(member.key, _API_FIELD_KEYS, "Remove it"),
                    object_id=object_id,
                    field=field,
                )
        if not item.values("stringValue") and not item.values("refValue"):
            self.warn(
                "The field has neither a text nor a reference",
                item.position,
                "Give it a value, or remove it",
                object_id=object_id,
                field=field,
            )

    def _api_reference(self, value: JsonValue, object_id: str, field: str) -> list[Reference]:
        if isinstance(value, JsonArray):
            return [
                one for item in value.items for one in self._api_reference(item, object_id, field)
            ]
        if isinstance(value, JsonScalar) and value.value is not None:
            return [Reference(object_id=value.text, position=value.position)]
        self.error(
            "A reference is not the id of an object",
            value.position,
            "Write the id of the object as a text",
            object_id=object_id,
            field=field,
        )
        return []

    def values(
        self, value: JsonValue, object_id: str, field: str, *, evaluated: bool = True
    ) -> list[Text | Reference]:
        """Read the value or values of a field.

        :param value: the JSON value.
        :param object_id: the object's id, for findings.
        :param field: the field's name, for findings.
        :param evaluated: whether the service evaluates expressions in it.
        :returns: texts and references.
        """
        if isinstance(value, JsonArray):
            return [
                one
                for item in value.items
                for one in self.values(item, object_id, field, evaluated=evaluated)
            ]
        if isinstance(value, JsonObject):
            return self._reference(value, object_id, field)
        if value.value is None:
            self.warn(
                "A field's value is null; it is left out",
                value.position,
                "Give it a value, or leave the field out",
                object_id=object_id,
                field=field,
            )
            return []
        if value.open_values and not evaluated:
            self._report_left_out(value, object_id, field)
            return []
        for one in value.open_values:
            self._keep_open(one, value.position, object_id, field)
        # YAML has many words for the two, of which the service knows one each.
        word = str(value.value).lower() if isinstance(value.value, bool) else value.text
        return [Text(text=word, position=value.position)]

    def _reference(self, value: JsonObject, object_id: str, field: str) -> _Values:
        targets = value.values("ref")
        if len(value.members) == 1 and isinstance(targets[0] if targets else None, JsonArray):
            self.warn(
                "A reference to several objects is read as several references",
                value.position,
                'Write [{"ref": "<id>"}, {"ref": "<id>"}]',
                object_id=object_id,
                field=field,
            )
            return [*self._api_reference(targets[0], object_id, field)]
        if len(value.members) == 1 and isinstance(targets[0] if targets else None, JsonScalar):
            return [
                Reference(object_id=target.text, position=value.position)
                for target in targets
                if isinstance(target, JsonScalar)
            ]
        self.error(
            "A field's value is an object that is no reference",
            value.position,
            'Write a text, or a reference: {"ref": "<id of the object>"}',
            object_id=object_id,
            field=field,
        )
        return []

    def _keep_open(self, one: OpenValue, position: Position, object_id: str, field: str) -> None:
        known, _ = self.open_values.setdefault(one.parameter_name, (one, position))
        if known.name != one.name:
            self.error(
                f"{known.name!r} and {one.name!r} can't be told apart as parameters",
                position,
                f"Give one of them by --set {one.name}=…",
                object_id=object_id,
                field=field,
            )

    def _report_left_out(self, value: JsonScalar, object_id: str, field: str) -> None:
        names = ", ".join(repr(one.name) for one in value.open_values)
        first = value.open_values[0].name
        self.warn(
            f"The value depends on {names}, which the file does not give; it is left out",
            value.position,
            f"Give it by --set {first}=…, or give the parameter itself a value",
            object_id=object_id,
            field=field,
            value=value.text,
        )


def _is_blank(value: JsonValue) -> bool:
    return isinstance(value, JsonScalar) and (value.value is None or not value.text)


def _is_empty(value: JsonValue) -> bool:
    if isinstance(value, JsonArray):
        return all(map(_is_empty, value.items))
    return isinstance(value, JsonScalar) and value.value is None


def _is_api_field_list(value: JsonValue) -> bool:
    return isinstance(value, JsonArray) and (
        not value.items
        or any(isinstance(item, JsonObject) and item.values("key") for item in value.items)
    )
