"""A file as positioned values, whatever it is written in: JSON, YAML or HCL."""

import codecs
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
from updraft.datapipeline.loose_json import (
    looks_like_json,
    parse_loose_json,
    statement_of_template,
)
from updraft.datapipeline.yaml_text import parse_yaml

# The marks of UTF-32 come first: that of UTF-16 is a part of one of them.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
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
        return _decoded(path.read_bytes(), collector)
    except OSError as error:
        reason = error.strerror or str(error)
        collector.error(f"The file can't be read: {reason}", None, "Check path and permissions")
    except ValueError:
        collector.error("The file can't be read: its name is no path", None, "Check the path")
    return None


def encoding_of(content: bytes) -> str | None:
    """Tell how a file is encoded.

    :param content: its bytes.
    :returns: an encoding of Unicode by the mark in front, or by where the zeros of the first
        character stand; none for a file without either.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    if content[:1] and content[1:2] == b"\0" and content[2:3] != b"\0":
        return "utf-16-le"
    return "utf-16-be" if content[:1] == b"\0" and content[1:2] not in {b"", b"\0"} else None


def _decoded(content: bytes, collector: FindingCollector) -> str | None:
    encoding = encoding_of(content)
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError as error:
        message = (
            f"The file is not {(encoding or 'utf-8').upper()}: byte {error.start} can't be read"
        )
        # Text that Windows wrote before it knew Unicode has no zeros; data mostly has.
        if encoding is not None or b"\0" in content:
            collector.error(message, None, "Save it as UTF-8 text")
            return None
        collector.warn(f"{message}; it is read as Windows-1252", None, "Save it as UTF-8 text")
        return content.decode("cp1252", "replace")
    if encoding is not None and encoding != "utf-8-sig":
        collector.warn(
            f"The file is {encoding.upper()}; the AWS CLI reads UTF-8",
            None,
            "Save it as UTF-8 text",
        )
    return text


def parse_documents(text: str, collector: FindingCollector) -> tuple[JsonValue, ...]:
    """Read a text; what it is written in shows in the text itself.

    :param text: JSON, YAML or HCL.
    :param collector: takes what is wrong with it.
    :returns: its documents, none when it can't be read; only YAML has several.
    """
    try:
        documents = _documents(text)
    except JsonSyntaxError as error:
        # YAML in brackets looks like JSON, too.
        loose = looks_like_json(text.removeprefix("\ufeff"))
        documents = (parse_loose_json(text) or _template_with_scripts(text)) if loose else ()
        if not documents:
            collector.error(error.message, error.position, error.advice)
            return ()
        collector.warn(
            f"{error.message}; it is read as it is plainly meant", error.position, error.advice
        )
        statement = statement_of_template(text)
        if statement is not None:
            collector.error(
                "The file is a template whose statements are not executed: what they repeat or "
                "choose stands once",
                statement,
                "Give the file that the template makes",
            )
    for document in documents:
        _report_trailing_commas(document, collector)
    return documents


def _documents(text: str) -> tuple[JsonValue, ...]:
    content = text.removeprefix("\ufeff").strip()
    if not content or content[0] in '{["' or looks_like_json(content):
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
