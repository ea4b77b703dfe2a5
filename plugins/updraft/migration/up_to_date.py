"""Whether DAG files are what their definitions give today; nothing is written."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from updraft.migration.conversion import Conversion
from updraft.migration.output_files import EditedFileError, current_text
from updraft.migration.rendering import is_untouched

_LINES_AROUND = 1
_HASH = "# Updraft sha256:"


class FileState(StrEnum):
    """How a DAG file stands to what would be written."""

    UP_TO_DATE = "up to date"
    WOULD_CHANGE = "would change"
    EDITED = "edited by hand"
    MISSING = "missing"
    NO_DAG = "no DAG, nothing in it runs"
    NOT_CONVERTED = "not converted"


FINE = frozenset({FileState.UP_TO_DATE, FileState.NO_DAG})
"""The states in which there is nothing to do."""


@dataclass(frozen=True)
class ComparedFile:
    """A DAG file beside what would be written.

    :param conversion: the conversion.
    :param dag_file: the file.
    :param state: how the two stand to each other.
    :param difference: the lines of a unified diff from the file to what would be written.
    """

    conversion: Conversion
    dag_file: Path
    state: FileState
    difference: tuple[str, ...] = ()


def compare_all(conversions: Iterable[Conversion], output: Path) -> list[ComparedFile]:
    """Compare DAG files with what would be written.

    :param conversions: the conversions.
    :param output: folder of the DAG files.
    :returns: for each conversion how its file stands.
    """
    return [_compare(one, output / f"{one.dag_id}.py") for one in conversions]


def _compare(conversion: Conversion, dag_file: Path) -> ComparedFile:
    if conversion.failed:
        return ComparedFile(conversion, dag_file, FileState.NOT_CONVERTED)
    if conversion.dag_source is None:
        return ComparedFile(conversion, dag_file, FileState.NO_DAG)
    try:
        current = current_text(dag_file)
    except EditedFileError as error:
        return ComparedFile(conversion, dag_file, FileState.EDITED, (str(error),))
    if current is None:
        return ComparedFile(conversion, dag_file, FileState.MISSING)
    if current == conversion.dag_source:
        return ComparedFile(conversion, dag_file, FileState.UP_TO_DATE)
    state = FileState.WOULD_CHANGE if is_untouched(current) else FileState.EDITED
    lines = difflib.unified_diff(
        _lines(current),
        _lines(conversion.dag_source),
        str(dag_file),
        "as converted now",
        n=_LINES_AROUND,
        lineterm="",
    )
    return ComparedFile(conversion, dag_file, state, tuple(lines))


def _lines(text: str) -> list[str]:
    """Split a file into lines, without the hash, which differs wherever anything does."""
    lines = text.splitlines()
    return lines[1:] if lines and lines[0].startswith(_HASH) else lines
