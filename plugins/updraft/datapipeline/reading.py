"""Reading a definition file in the form of the AWS CLI (``put-pipeline-definition``)."""

from pathlib import Path

from updraft.datapipeline.field_reading import FieldReader
from updraft.datapipeline.findings import (
    Finding,
    Position,
    Severity,
    did_you_mean,
    has_errors,
    shown_value,
)
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonObject,
    JsonSyntaxError,
    JsonValue,
    parse_json,
)
from updraft.datapipeline.model import (
    Definition,
    Parameter,
    ParameterValue,
    PipelineObject,
    Text,
)

_TOP_LEVEL_KEYS = {"objects", "parameters", "values", "parameterValues", "metadata"}
_API_KEYS = {"pipelineObjects", "parameterObjects"}


class ReadResult:
    """What came out of reading one file.

    :param definition: the definition, none when the file could not be read at all.
    :param findings: everything found on the way, in the order of the file.
    """

    def __init__(self, definition: Definition | None, findings: tuple[Finding, ...]) -> None:
        self.definition = definition
        self.findings = findings


def read_file(path: Path, source: str | None = None) -> ReadResult:
    """Read a definition file; problems become findings, never a traceback.

    :param path: file with JSON in UTF-8.
    :param source: how to call the file in findings, the path when none.
    :returns: definition and findings.
    """
    name = source or str(path)
    text = _text_of(path, name)
    return text if isinstance(text, ReadResult) else read_text(text, name)


def _text_of(path: Path, name: str) -> str | ReadResult:
    try:
        # Opening a pipe would wait for somebody to write into it, maybe for ever.
        if path.exists() and not path.is_file():
            return _failure(name, "This is not a regular file", "Give a file with JSON")
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The file is not UTF-8: byte {error.start} can't be read"
        return _failure(name, message, "Save it as UTF-8 text")
    except OSError as error:
        reason = error.strerror or str(error)
        return _failure(name, f"The file can't be read: {reason}", "Check path and permissions")


def read_text(text: str, source: str) -> ReadResult:
    """Read a definition from its text.

    :param text: JSON.
    :param source: how to call it in findings.
    :returns: definition and findings.
    """
    try:
        document = parse_json(text)
    except JsonSyntaxError as error:
        return _failure(source, error.message, error.advice, error.position)
    reader = _DefinitionReader(source)
    definition = reader.definition(document)
    findings = tuple(reader.findings)
    return ReadResult(None if has_errors(findings) else definition, findings)


def read_values(path: Path) -> tuple[tuple[ParameterValue, ...], tuple[Finding, ...]]:
    """Read a file of parameter values, ``{"values": {…}}`` or just ``{…}``.

    :param path: file with JSON in UTF-8.
    :returns: the values, and what was found wrong.
    """
    source = str(path)
    text = _text_of(path, source)
    if isinstance(text, ReadResult):
        return (), text.findings
    try:
        document = parse_json(text)
    except JsonSyntaxError as error:
        return (), _failure(source, error.message, error.advice, error.position).findings
    reader = _DefinitionReader(source)
    values: list[ParameterValue] = []
    if not isinstance(document, JsonObject):
        reader.error("Parameter values must be a JSON object", document.position)
    else:
        nested = document.values("values") + document.values("parameterValues")
        for container in nested or (document,):
            values.extend(reader.parameter_values(container))
    return tuple(values), tuple(reader.findings)


def _failure(
    source: str, message: str, advice: str, position: Position | None = None
) -> ReadResult:
    finding = Finding(
        severity=Severity.ERROR, file=source, message=message, advice=advice, position=position
    )
    return ReadResult(None, (finding,))


class _DefinitionReader(FieldReader):
    """Turns positioned JSON into the model and collects findings."""

    def definition(self, document: JsonValue) -> Definition | None:
        if not isinstance(document, JsonObject):
            self.error(
                "A definition is a JSON object with the key 'objects'",
                document.position,
                "Give the file that `aws datapipeline get-pipeline-definition` writes",
            )
            return None
        self.trailing_commas(document)
        if not self._is_cli_form(document):
            return None
        for member in document.members:
            if member.key not in _TOP_LEVEL_KEYS:
                self.warn(
                    f"The key {shown_value(member.key)!r} means nothing at the top of a "
                    "definition and is ignored",
                    member.position,
                    did_you_mean(member.key, _TOP_LEVEL_KEYS, "Remove it"),
                )
        objects = self._list(document, "objects")
        if not objects:
            self.error(
                "The definition has no objects", document.position, "Add objects to 'objects'"
            )
        return Definition(
            source=self.source,
            objects=tuple(filter(None, (self._object(item) for item in objects))),
            parameters=tuple(
                filter(None, (self._parameter(item) for item in self._list(document, "parameters")))
            ),
            values=tuple(
                value
                for key in ("parameterValues", "values")
                for container in document.values(key)
                for value in self.parameter_values(container)
            ),
        )

    def _is_cli_form(self, document: JsonObject) -> bool:
        keys = {member.key for member in document.members}
        if "objects" in keys:
            return True
        if keys & _API_KEYS:
            form = "the API form of GetPipelineDefinition, which is not read yet"
            advice = "Fetch it with `aws datapipeline get-pipeline-definition --pipeline-id df-…`"
        elif "Resources" in keys or "AWSTemplateFormatVersion" in keys:
            form = "a CloudFormation template, which is not read yet"
            advice = "Fetch the pipeline with `aws datapipeline get-pipeline-definition`"
        elif "id" in keys or "type" in keys:
            form = "a single object, not a definition"
            advice = 'Wrap it: {"objects": [ … ]}'
        else:
            form = "no definition: the key 'objects' is missing"
            advice = next(
                (f"Rename {key!r} to 'objects'" for key in sorted(keys) if "object" in key.lower()),
                "Give the file that `aws datapipeline get-pipeline-definition` writes",
            )
        self.error(f"This is {form}", document.position, advice)
        return False

    def _list(self, document: JsonObject, key: str) -> list[JsonValue]:
        items: list[JsonValue] = []
        for container in document.values(key):
            if isinstance(container, JsonArray):
                self.trailing_commas(container)
                items.extend(container.items)
            else:
                self.error(
                    f"{key!r} must be a list", container.position, "Write [ … ] around its entries"
                )
        return items

    def _object(self, item: JsonValue) -> PipelineObject | None:
        if not isinstance(item, JsonObject):
            self.error("An entry of 'objects' is not an object", item.position, "Write { … }")
            return None
        self.trailing_commas(item)
        object_id = self.identity(item, "id", "An object")
        if object_id is None:
            return None
        names = item.values("name")
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
        return PipelineObject(
            id=object_id,
            name=name or object_id,
            type=None if object_id == "Default" and type_name == "Default" else type_name,
            fields=fields,
            position=item.position,
        )

    def _parameter(self, item: JsonValue) -> Parameter | None:
        if not isinstance(item, JsonObject):
            self.error("An entry of 'parameters' is not an object", item.position, "Write { … }")
            return None
        self.trailing_commas(item)
        parameter_id = self.identity(item, "id", "A parameter")
        if parameter_id is None:
            return None
        attributes = self.fields(
            [member for member in item.members if member.key != "id"], parameter_id
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

        An id that is repeated gives one parameter with several values.
        """
        if isinstance(container, JsonObject):
            self.trailing_commas(container)
            pairs = [(member.key, member.position, member.value) for member in container.members]
        elif isinstance(container, JsonArray):
            self.trailing_commas(container)
            pairs = []
            for item in container.items:
                identity = (
                    self.identity(item, "id", "A parameter value")
                    if isinstance(item, JsonObject)
                    else None
                )
                if isinstance(item, JsonObject) and identity is not None:
                    pairs.extend(
                        (identity, item.position, value) for value in item.values("stringValue")
                    )
        else:
            self.error(
                "Parameter values must be an object",
                container.position,
                'Write {"myParameter": "value"}',
            )
            return []
        collected: dict[str, tuple[Position, list[str]]] = {}
        for name, position, value in pairs:
            texts = [one.text for one in self.values(value, name, "value") if isinstance(one, Text)]
            collected.setdefault(name, (position, []))[1].extend(texts)
        return [
            ParameterValue(id=name, values=tuple(texts), position=position, source=self.source)
            for name, (position, texts) in collected.items()
        ]
