"""The arguments by which the operators for CopyActivity are told the format of a file."""

import json
from collections.abc import Mapping
from typing import Any

from updraft.choices import choose, unknown_choice
from updraft.errors import ArgumentError
from updraft.operators.template_arguments import given
from updraft.text_formats.delimited import CSV, NULL_TEXTS, TSV, DelimitedFormat
from updraft.text_formats.regular_expression import RegexFormat
from updraft.text_formats.row_format import RowFormat

_SEPARATORS = {r"\t": "\t", r"\n": "\n", r"\r": "\r"}
_OPTIONS = {
    "csv": ("escape_char", "null_text"),
    "tsv": ("column_separator", "escape_char", "null_text", "record_separator"),
    "custom": ("column_separator", "escape_char", "null_text", "record_separator"),
    "regex": ("input_regex", "output_format"),
}
"""Options by format: those of Data Pipeline's objects, and ``null_text``."""


def row_format(argument: str, name: str, options: Mapping[str, Any] | str | None) -> RowFormat:
    r"""Make a format.

    :param argument: name of the argument with the format, for error messages; that of the options
        is the same with ``_options``.
    :param name: ``csv``, ``tsv``, ``custom`` or ``regex``.
    :param options: options of the format, or their JSON: ``column_separator``,
        ``record_separator``, ``escape_char``, ``null_text``, ``input_regex``, ``output_format``.
        ``\t``, ``\n`` and ``\r`` may be written as two characters.
    :returns: the format.
    :raises ArgumentError: when there is no such format or option, or a value is wrong.
    """
    if isinstance(name, str):
        name = name.lower()
    known = choose(argument, name, _OPTIONS)
    values = _mapping(f"{argument}_options", options)
    for option, value in values.items():
        if option not in known:
            raise unknown_choice(f"{argument}_options of {name}", option, known)
        if not isinstance(value, str):
            raise ArgumentError(f"{argument}_options: {option} {value!r} is no text")
    if name == "regex":
        return RegexFormat(values.get("input_regex", ""), values.get("output_format", ""))
    if name == "custom" and "column_separator" not in values:
        raise ArgumentError(f"{argument}_options: the format custom needs column_separator")
    base = CSV if name == "csv" else TSV
    null = values.get("null_text")
    return DelimitedFormat(
        column_separator=_sign(values, "column_separator", base.column_separator),
        record_separator=_sign(values, "record_separator", base.record_separator),
        escape_character=values.get("escape_char", base.escape_character),
        null_texts=NULL_TEXTS if null is None else (null,),
    )


def is_gzip(argument: str, value: str | None) -> bool:
    """Read an argument that says how a file is compressed.

    :param argument: name of the argument, for the error message.
    :param value: ``none`` or ``gzip``; none if it was not given.
    :returns: whether it is compressed.
    :raises ArgumentError: when it is something else.
    """
    return choose(argument, (given(value) or "none").lower(), {"none": False, "gzip": True})


def _sign(values: Mapping[str, str], option: str, default: str) -> str:
    value = values.get(option, default)
    return _SEPARATORS.get(value, value)


def _mapping(argument: str, value: Mapping[str, Any] | str | None) -> Mapping[str, Any]:
    if isinstance(value, str):
        try:
            value = json.loads(given(value) or "{}")
        except ValueError:
            raise ArgumentError(f"{argument}: {value!r} is no JSON object") from None
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ArgumentError(f"{argument}: {value!r} is no mapping such as {{'null_text': ''}}")
    return value
