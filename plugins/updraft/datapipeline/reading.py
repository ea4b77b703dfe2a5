"""Reading files of definitions in every form they come in.

The forms are that of the AWS CLI (``put-pipeline-definition``), the output of the API
(``GetPipelineDefinition``), CloudFormation templates and Terraform configurations. Which one a
file is shows in its content.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from updraft.datapipeline.cloudformation import (
    KEYS_OF_TEMPLATES,
    is_template,
    pipelines_of_template,
)
from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.definition_reading import DefinitionReader
from updraft.datapipeline.documents import parse_documents, read_bytes
from updraft.datapipeline.findings import Finding, has_errors
from updraft.datapipeline.json_text import JsonArray, JsonMember, JsonObject, JsonValue
from updraft.datapipeline.model import Definition, Parameter, ParameterValue
from updraft.datapipeline.numbered_parts import completed_by_parts, is_part, parts_beside
from updraft.datapipeline.placeholders import open_placeholders
from updraft.datapipeline.positioned_values import renamed
from updraft.datapipeline.serverless import template_of_service
from updraft.datapipeline.sources import PipelineSource
from updraft.datapipeline.terraform import is_configuration, pipelines_of_configuration
from updraft.datapipeline.terraform_modules import module_of
from updraft.datapipeline.terraform_state import is_state, pipelines_of_state
from updraft.datapipeline.wrapped_documents import template_body, unwrapped

Given = Mapping[str, tuple[str, ...]]
_API_NAMES = {
    "pipelineObjects": "objects",
    "parameterObjects": "parameters",
    "PipelineObjects": "objects",
    "ParameterObjects": "parameters",
    "ParameterValues": "parameterValues",
}


class ReadResult:
    """What came out of reading one file.

    :param pipelines: its pipelines, as far as they can be read; a file with several may have one
        without any object.
    :param findings: everything found on the way, in the order of the file.
    """

    def __init__(self, pipelines: tuple[Definition, ...], findings: tuple[Finding, ...]) -> None:
        self.pipelines = pipelines
        self.findings = findings

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """The pipelines that have objects."""
        return tuple(one for one in self.pipelines if one.objects)

    @property
    def definition(self) -> Definition | None:
        """The definition of a file that has one and no error."""
        if has_errors(self.findings) or len(self.definitions) != 1:
            return None
        return self.definitions[0]

    def about(self, pipeline: Definition, *, with_others: bool = False) -> tuple[Finding, ...]:
        """Pick what was found about a pipeline.

        :param pipeline: one of the file's.
        :param with_others: whether to take along what is about none of its pipelines.
        :returns: the findings.
        """
        own = _names(pipeline)
        every = {name for one in self.pipelines for name in _names(one)}
        return tuple(
            one
            for one in self.findings
            if one.object_id in own or (with_others and one.object_id not in every)
        )


def _names(pipeline: Definition) -> set[str]:
    """List what findings call a pipeline and its parts."""
    declared = {one.id for one in pipeline.parameters} | {one.id for one in pipeline.values}
    key = pipeline.pipeline.key
    return declared | {one.id for one in pipeline.objects} | ({key} if key is not None else set())


def read_file(path: Path, source: str | None = None, given: Given | None = None) -> ReadResult:
    """Read a file; problems become findings, never a traceback.

    :param path: file in UTF-8.
    :param source: how to call the file in findings, the path when none.
    :param given: values for what a template leaves open, by name.
    :returns: definitions and findings.
    """
    collector = FindingCollector(source or str(path))
    text = read_bytes(path, collector)
    if text is None:
        return ReadResult((), tuple(collector.findings))
    result = read_text(text, collector.source, given, module_of(path))
    pipelines, found = result.pipelines, (*collector.findings, *result.findings)
    if len(pipelines) == 1 and is_part(pipelines[0]):
        completed, added = completed_by_parts(pipelines[0], parts_beside(path), _read_part)
        pipelines, found = (completed,), (*found, *added)
    return ReadResult(pipelines, found)


def _read_part(path: Path) -> tuple[Definition, ...]:
    text = read_bytes(path, FindingCollector(str(path)))
    definitions = read_text(text, str(path)).definitions if text is not None else ()
    return definitions if all(map(is_part, definitions)) else ()


def read_text(
    text: str, source: str, given: Given | None = None, others: Sequence[Path] = ()
) -> ReadResult:
    """Read definitions from their text.

    :param text: JSON, YAML or HCL.
    :param source: how to call it in findings.
    :param given: values for what a template leaves open, by name.
    :param others: the other files of a Terraform module.
    :returns: definitions and findings.
    """
    reader = DefinitionReader(source)
    sources: list[PipelineSource] = []
    documents = parse_documents(text, reader)
    for document in documents:
        for part in _parts(document):
            sources += _sources(part, given or {}, reader, others)
    definitions = tuple(reader.definition(one) for one in sources)
    findings = sorted(reader.findings, key=_by_place)
    # What has neither objects nor a name of its own is no pipeline, but a file that is none.
    kept = tuple(one for one in definitions if one.objects or one.pipeline.key is not None)
    return ReadResult(kept, tuple(findings))


def read_values(path: Path) -> tuple[tuple[ParameterValue, ...], tuple[Finding, ...]]:
    """Read a file of parameter values, ``{"values": {…}}`` or just ``{…}``.

    :param path: file in JSON, YAML or HCL (``terraform.tfvars``).
    :returns: the values, and what was found wrong.
    """
    reader = DefinitionReader(str(path))
    values: list[ParameterValue] = []
    text = read_bytes(path, reader)
    for document in parse_documents(text, reader) if text is not None else ():
        nested: tuple[JsonValue, ...] = ()
        if isinstance(document, JsonObject):
            nested = document.values("values") + document.values("parameterValues")
            nested += document.values("Parameters")
        elif not isinstance(document, JsonArray):
            reader.error("Parameter values must be a JSON object", document.position)
            continue
        for container in nested or (document,):
            values.extend(reader.parameter_values(container))
    return tuple(values), tuple(reader.findings)


def read_parameters(path: Path) -> tuple[tuple[Parameter, ...], tuple[Finding, ...]]:
    """Read a file that declares parameters, ``{"parameters": [ … ]}``, as the CLI takes it.

    :param path: file in JSON or YAML.
    :returns: the parameters, and what was found wrong.
    """
    reader = DefinitionReader(str(path))
    parameters: list[Parameter] = []
    text = read_bytes(path, reader)
    for document in parse_documents(text, reader) if text is not None else ():
        form = renamed(document, _API_NAMES)
        if isinstance(form, JsonObject) and form.values("parameters"):
            parameters += reader.parameters(form, "parameters")
        else:
            reader.error(
                "The file declares no parameters: the key 'parameters' is missing",
                document.position,
                'Write {"parameters": [ … ]}',
            )
    return tuple(parameters), tuple(reader.findings)


def _by_place(finding: Finding) -> tuple[int, int]:
    return (finding.position.line, finding.position.column) if finding.position else (0, 0)


def _parts(document: JsonValue) -> tuple[JsonValue, ...]:
    """Take a list of whole definitions apart."""
    if isinstance(document, JsonArray) and document.items:
        keys = {"objects", "pipelineObjects", "Resources"}
        if all(
            isinstance(item, JsonObject) and keys & {member.key for member in item.members}
            for item in document.items
        ):
            return document.items
    return (document,)


def _sources(
    document: JsonValue, given: Given, reader: DefinitionReader, others: Sequence[Path]
) -> list[PipelineSource]:
    if isinstance(document, JsonArray) and document.items:
        wrapped = () if any(map(_has_id, document.items)) else unwrapped(document, reader)
        if wrapped:
            return [one for part in wrapped for one in _plain_sources(part, given, reader)]
        reader.warn(
            "This is a list of objects, not a definition; it is read as one",
            document.position,
            'Write {"objects": [ … ]} around it',
        )
        return [PipelineSource(_wrapped(document))]
    if not isinstance(document, JsonObject):
        reader.error(
            "A definition is a JSON object with the key 'objects'",
            document.position,
            "Give the file that `aws datapipeline get-pipeline-definition` writes",
        )
        return []
    document = template_of_service(document, given, reader) or template_body(document) or document
    if is_state(document):
        sources = pipelines_of_state(document, reader)
    elif is_template(document):
        sources = pipelines_of_template(document, given, reader)
    elif is_configuration(document):
        sources = pipelines_of_configuration(document, _read_others(others), given, reader)
    else:
        wrapped = unwrapped(document, reader) or (document,)
        sources = [one for part in wrapped for one in _plain_sources(part, given, reader)]
    return sources


def _has_id(value: JsonValue) -> bool:
    return isinstance(value, JsonObject) and bool(value.values("id") or value.values("type"))


def _read_others(paths: Sequence[Path]) -> list[JsonObject]:
    """Read files for what they declare; what is wrong with them is no finding about this one."""
    documents: list[JsonObject] = []
    for path in paths:
        collector = FindingCollector(str(path))
        text = read_bytes(path, collector)
        parsed = parse_documents(text, collector) if text is not None else ()
        documents += [one for one in parsed if isinstance(one, JsonObject)]
    return documents


def _plain_sources(
    document: JsonObject, given: Given, reader: DefinitionReader
) -> list[PipelineSource]:
    keys = {member.key for member in document.members}
    document, names = open_placeholders(document, given, reader)
    if "objects" in keys:
        return [PipelineSource(document, template_names=names)]
    if "PipelineObjects" in keys:
        # Code of languages that write names with a capital puts out its own form.
        document = JsonObject(
            tuple(
                JsonMember(one.key, renamed(one.value, KEYS_OF_TEMPLATES), one.position)
                for one in document.members
            ),
            document.position,
            document.depth,
        )
    lowered = renamed(document, _API_NAMES)
    if keys & {"pipelineObjects", "PipelineObjects"} and isinstance(lowered, JsonObject):
        return [PipelineSource(lowered, template_names=names)]
    if keys & {"id", "type"}:
        reader.warn(
            "This is a single object, not a definition; it is read as one",
            document.position,
            'Write {"objects": [ … ]} around it',
        )
        alone = JsonArray((document,), document.position, 1)
        return [PipelineSource(_wrapped(alone))]
    if keys & {"parameters", "parameterObjects", "values", "parameterValues"}:
        form = "a file of parameters or values, not a definition"
        advice = "Give it by --parameters or --values, and the definition with it"
    else:
        form = "no definition: the key 'objects' is missing"
        advice = next(
            (f"Rename {key!r} to 'objects'" for key in sorted(keys) if "object" in key.lower()),
            "Give the file that `aws datapipeline get-pipeline-definition` writes",
        )
    reader.error(f"This is {form}", document.position, advice)
    return []


def _wrapped(objects: JsonArray) -> JsonObject:
    member = JsonMember("objects", objects, objects.position)
    return JsonObject((member,), objects.position, objects.depth + 1)
