"""The formats of Data Pipeline's objects by their names."""

from collections.abc import Mapping
from typing import Any

from updraft.choices import choose, unknown_choice
from updraft.errors import ArgumentError
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


def named_format(argument: str, name: str, options: Mapping[str, Any]) -> RowFormat:
    r"""Make a format.

    :param argument: name of the argument with the format, for error messages; that of the options
        is the same with ``_options``.
    :param name: ``csv``, ``tsv``, ``custom`` or ``regex``.
    :param options: options of the format: ``column_separator``, ``record_separator``,
        ``escape_char``, ``null_text``, ``input_regex``, ``output_format``. ``\t``, ``\n`` and
        ``\r`` may be written as two characters.
    :returns: the format.
    :raises ArgumentError: when there is no such format or option, or a value is wrong.
    """
    if isinstance(name, str):
        name = name.lower()
    known = choose(argument, name, _OPTIONS)
    for option, value in options.items():
        if option not in known:
            raise unknown_choice(f"{argument}_options of {name}", option, known)
        if not isinstance(value, str):
            raise ArgumentError(f"{argument}_options: {option} {value!r} is no text")
    if name == "regex":
        return RegexFormat(options.get("input_regex", ""), options.get("output_format", ""))
    if name == "custom" and "column_separator" not in options:
        raise ArgumentError(f"{argument}_options: the format custom needs column_separator")
    base = CSV if name == "csv" else TSV
    null = options.get("null_text")
    return DelimitedFormat(
        column_separator=_sign(options, "column_separator", base.column_separator),
        record_separator=_sign(options, "record_separator", base.record_separator),
        escape_character=options.get("escape_char", base.escape_character),
        null_texts=NULL_TEXTS if null is None else (null,),
    )


def _sign(options: Mapping[str, str], option: str, default: str) -> str:
    value = options.get(option, default)
    return _SEPARATORS.get(value, value)
