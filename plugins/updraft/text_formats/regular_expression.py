r"""Rows that a regular expression finds in lines: the RegEx format of AWS Data Pipeline.

.. seealso:: https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-regex.html
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from updraft.errors import ArgumentError
from updraft.text_formats.delimited import DelimitedFormat
from updraft.text_formats.row_format import Record, RowError, Value

_LINES = DelimitedFormat(column_separator="\0", escape_character="", null_texts=("\x01",))
_JAVA_NAME = re.compile(r"(?<!\\)((?:\\\\)*)\(\?<(?=[A-Za-z])")
_PLACE = re.compile(r"%(?:(\d+)\$s|(s)|(%)|(.?))", re.DOTALL)
_SHOWN = 100


@dataclass(frozen=True)
class RegexFormat:
    r"""Lines, each of which an expression takes apart, or a format puts together.

    :param input_regex: regular expression of a whole line, as in Java; its groups are the columns.
        A group that takes no part in a match is NULL. Empty if nothing is to be read.
    :param output_format: ``%1$s %2$s`` and so on for the columns of a line, as in Java; empty if
        nothing is to be written. NULL is written as nothing.
    """

    input_regex: str = ""
    output_format: str = ""
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)
    _parts: tuple[str | int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            regex = re.compile(_JAVA_NAME.sub(r"\1(?P<", self.input_regex))
        except re.error as error:
            raise ArgumentError(
                f"input_regex: {self.input_regex!r} is no regular expression: {error}"
            ) from None
        if self.input_regex and not regex.groups:
            raise ArgumentError(f"input_regex: {self.input_regex!r} has no groups, so no columns")
        object.__setattr__(self, "_regex", regex)
        object.__setattr__(self, "_parts", tuple(_parts(self.output_format)))

    def read(self, texts: Iterable[str]) -> Iterator[Record]:
        """Read rows.

        :param texts: pieces of a text, cut anywhere.
        :returns: its rows.
        :raises RowError: when a line does not match.
        :raises ArgumentError: when there is no expression.
        """
        if not self.input_regex:
            raise ArgumentError("input_regex: is needed to read the format regex")
        for number, line in enumerate(_LINES.records(texts), start=1):
            found = self._regex.fullmatch(line)
            if found is None:
                raise RowError(
                    f"line {number:,} does not match input_regex {self.input_regex!r}: "
                    f"{line[:_SHOWN]!r}"
                )
            yield Record(number, found.groups())

    def write(self, rows: Iterable[Sequence[Value]]) -> Iterator[str]:
        """Write rows.

        :param rows: the rows.
        :returns: for each row its line.
        :raises RowError: when a row has other columns than the format, or a line feed in one.
        :raises ArgumentError: when there is no format.
        """
        if not self.output_format:
            raise ArgumentError("output_format: is needed to write the format regex")
        columns = max((part for part in self._parts if isinstance(part, int)), default=-1) + 1
        for number, row in enumerate(rows, start=1):
            if len(row) != columns:
                raise RowError(
                    f"row {number:,} has {len(row)} columns and output_format "
                    f"{self.output_format!r} has {columns}"
                )
            line = "".join(
                (row[part] or "") if isinstance(part, int) else part for part in self._parts
            )
            if "\n" in line:
                raise RowError(f"row {number:,} has a line feed in it: {line[:_SHOWN]!r}")
            yield f"{line}\n"


def _parts(output_format: str) -> Iterator[str | int]:
    """Take a format apart into texts and indexes of columns."""
    at = ordinary = 0
    for found in _PLACE.finditer(output_format):
        yield output_format[at : found.start()]
        at = found.end()
        explicit, next_one, percent, _ = found.groups()
        if percent:
            yield "%"
        elif next_one:
            yield ordinary
            ordinary += 1
        elif explicit and int(explicit):
            yield int(explicit) - 1
        else:
            raise ArgumentError(
                f"output_format: {output_format!r} has {found[0]!r}, which is none of %1$s, %s "
                "and %%"
            )
    yield output_format[at:]
