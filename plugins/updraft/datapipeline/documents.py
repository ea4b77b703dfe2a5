"""A file as positioned values, whatever it is written in: JSON, YAML or HCL."""

import re
from pathlib import Path

from updraft.datapipeline.collecting import FindingCollector
from updraft.datapipeline.findings import Position
from updraft.datapipeline.hcl_text import parse_hcl
from updraft.datapipeline.json_text import (
    JsonArray,
    JsonObject,
    JsonScalar,
    JsonSyntaxError,
    JsonValue,
    parse_json,
)
from updraft.datapipeline.yaml_text import parse_yaml

_HCL_BLOCK = re.compile(
    r"^[ \t]*(?:resource|variable|locals|terraform|provider|module|data|output)\b[^:\n=]*\{",
    re.MULTILINE,
)
# A file of values for variables has neither blocks nor anything that YAML would know.
_HCL_VALUES = re.compile(r"(?:\s*(?:#|//)[^\n]*\n)*\s*[A-Za-z_][\w-]*[ \t]*=[^=>]")


def read_bytes(path: Path, collector: FindingCollector) -> str | None:
    """Read a file as text.

    :param path: the file.
    :param collector: takes what is wrong with it.
    :returns: its text, none when it can't be read.
    """
    try:
        # Opening a pipe would wait for somebody to write into it, maybe for ever.
        if path.exists() and not path.is_file():
            collector.error("This is not a regular file", None, "Give a file with a definition")
            return None
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"The file is not UTF-8: byte {error.start} can't be read"
        collector.error(message, None, "Save it as UTF-8 text")
    except OSError as error:
        reason = error.strerror or str(error)
        collector.error(f"The file can't be read: {reason}", None, "Check path and permissions")
    except ValueError:
        collector.error("The file can't be read: its name is no path", None, "Check the path")
    return None


def parse_documents(text: str, collector: FindingCollector) -> tuple[JsonValue, ...]:
    """Read a text; what it is written in shows in the text itself.

    :param text: JSON, YAML or HCL.
    :param collector: takes what is wrong with it.
    :returns: its documents, none when it can't be read; only YAML has several.
    """
    try:
        documents = _documents(text)
    except JsonSyntaxError as error:
        collector.error(error.message, error.position, error.advice)
        return ()
    for document in documents:
        _report_trailing_commas(document, collector)
    return documents


def _documents(text: str) -> tuple[JsonValue, ...]:
    content = text.removeprefix("\ufeff").strip()
    if not content or content[0] in '{["':
        return (parse_json(text),)
    if _HCL_BLOCK.search(text) or _HCL_VALUES.match(content):
        try:
            return (parse_hcl(text),)
        except JsonSyntaxError:
            # A script inside of a template may look like HCL.
            template = _template_with_scripts(text)
            if not template:
                raise
            return template
    documents = parse_yaml(text)
    if not any(isinstance(one, JsonObject | JsonArray) for one in documents):
        raise JsonSyntaxError(
            "The file is neither JSON nor YAML nor HCL",
            Position(line=1, column=1),
            "Give a pipeline definition, a CloudFormation template or a Terraform configuration",
        )
    return documents


def _template_with_scripts(text: str) -> tuple[JsonValue, ...]:
    try:
        documents = parse_yaml(text)
    except JsonSyntaxError:
        return ()
    return documents if any(isinstance(one, JsonObject) for one in documents) else ()


def _report_trailing_commas(value: JsonValue, collector: FindingCollector) -> None:
    if isinstance(value, JsonScalar):
        return
    for position in value.trailing_commas:
        collector.warn(
            "A comma stands before a closing bracket, which JSON does not allow",
            position,
            "Remove the comma",
        )
    inner = value.items if isinstance(value, JsonArray) else [one.value for one in value.members]
    for one in inner:
        _report_trailing_commas(one, collector)
