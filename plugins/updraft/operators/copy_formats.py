"""The arguments by which the operators for CopyActivity are told the format of a file."""

import json
from collections.abc import Mapping
from typing import Any

from updraft.choices import choose
from updraft.errors import ArgumentError
from updraft.operators.template_arguments import given
from updraft.text_formats.named_formats import named_format
from updraft.text_formats.row_format import RowFormat


def row_format(argument: str, name: str, options: Mapping[str, Any] | str | None) -> RowFormat:
    """Make a format.

    :param argument: name of the argument with the format, for error messages; that of the options
        is the same with ``_options``.
    :param name: ``csv``, ``tsv``, ``custom`` or ``regex``.
    :param options: options of the format, or their JSON; see
        :func:`updraft.text_formats.named_formats.named_format`.
    :returns: the format.
    :raises ArgumentError: when there is no such format or option, or a value is wrong.
    """
    return named_format(argument, name, _mapping(f"{argument}_options", options))


def is_gzip(argument: str, value: str | None) -> bool:
    """Read an argument that says how a file is compressed.

    :param argument: name of the argument, for the error message.
    :param value: ``none`` or ``gzip``; none if it was not given.
    :returns: whether it is compressed.
    :raises ArgumentError: when it is something else.
    """
    return choose(argument, (given(value) or "none").lower(), {"none": False, "gzip": True})


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
