"""Checks the options of a file format."""

from collections.abc import Mapping
from typing import Any

from updraft.choices import choose, unknown_choice
from updraft.errors import ArgumentError


def check_options(format_name: str, options: Mapping[str, Any], known: frozenset[str]) -> None:
    """Refuse options that a format does not have.

    :param format_name: name of the format, for the error message.
    :param options: what was given.
    :param known: names of the format's options.
    :raises UpdraftError: at the first one that is not among them.
    """
    for name in options:
        if name not in known:
            raise unknown_choice(f"option of the format {format_name}", name, known)


def compression_option(
    options: Mapping[str, Any], default: str, suffixes: Mapping[str, str]
) -> str:
    """Read the option ``compression``.

    :param options: options of the format.
    :param default: what it is when nothing was given.
    :param suffixes: what each known compression adds to the names of files.
    :returns: its name, such as ``GZIP``.
    :raises UpdraftError: when there is no such compression.
    """
    name = options.get("compression", default)
    choose("compression", name, suffixes)
    return str(name)


def names_option(options: Mapping[str, Any], option: str) -> tuple[str, ...] | None:
    """Read an option that lists attribute names.

    :param options: options of the format.
    :param option: name of the option.
    :returns: the names in their order; ``None`` when nothing was given.
    :raises UpdraftError: when it is no list of different names.
    """
    value = options.get(option)
    if value is None:
        return None
    if (
        not isinstance(value, list | tuple)
        or not value
        or not all(isinstance(name, str) and name for name in value)
        or len(set(value)) < len(value)
    ):
        raise ArgumentError(
            f"{option}: {value!r} is not a list of attribute names, each of them once"
        )
    return tuple(value)


def texts_option(options: Mapping[str, Any], option: str) -> dict[str, str]:
    """Read an option that maps attribute names to texts.

    :param options: options of the format.
    :param option: name of the option.
    :returns: the texts by attribute name, in their order; empty when nothing was given.
    :raises UpdraftError: when it is no such mapping.
    """
    value = options.get(option)
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(
        isinstance(part, str) and part for pair in value.items() for part in pair
    ):
        raise ArgumentError(f"{option}: {value!r} is not a mapping of attribute names to types")
    return dict(value)
