r"""Rows whose columns have a separator between them: the CSV and TSV of AWS Data Pipeline.

Data Pipeline reads and writes what its guide calls the Unix variant of CSV: columns end with a
comma, records with a line feed, nothing is ever quoted, and a backslash takes its meaning from the
character that follows. A double quote is a character like any other. TSV and Custom differ in the
separators.

Python's :mod:`csv` comes near and is not the same: its reader takes a carriage return for the end
of a record whatever it is told, and neither side tells NULL from an empty text.

.. seealso::
    https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-copyactivity.html
    https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-csv.html
    https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-tsv.html
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from updraft.errors import ArgumentError
from updraft.text_formats.row_format import Record, RowError, Value

NULL_TEXTS = (r"\n", r"\N")
r"""Texts of NULL: the guide names ``\n`` for exports of PostgreSQL, its own COPY writes ``\N``."""

MOST_CHARACTERS = 64 * 1024**2
"""Longest record; a file with other separators than those expected must not fill the memory."""

_SHOWN = 60


@dataclass(frozen=True)
class DelimitedFormat:
    r"""A format with separators.

    :param column_separator: the character between two columns.
    :param record_separator: the character after each record; the last one may lack it.
    :param escape_character: takes its meaning from the character that follows; empty for none, then
        a text with a separator in it can't be written.
    :param null_texts: what stands for NULL when it is all there is between two separators; the
        first one is written, all are read. If it is the empty text, empty texts become NULL.
    """

    column_separator: str = ","
    record_separator: str = "\n"
    escape_character: str = "\\"
    null_texts: tuple[str, ...] = NULL_TEXTS
    _escapes: dict[int, str] = field(init=False, repr=False, compare=False)
    _pieces: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._check()
        escape = self.escape_character
        special = {self.column_separator, self.record_separator, escape} if escape else set()
        object.__setattr__(self, "_escapes", {ord(one): escape + one for one in special})
        names = map(re.escape, (self.column_separator, escape))
        plain = "[^{}{}]".format(*names)
        pieces = rf"(?:{plain}|{re.escape(escape)}.)*+" if escape else f"{plain}*+"
        object.__setattr__(self, "_pieces", re.compile(pieces, re.DOTALL))

    def read(self, texts: Iterable[str]) -> Iterator[Record]:
        """Read rows.

        :param texts: pieces of a text, cut anywhere.
        :returns: its rows.
        :raises RowError: when a record ends with an escape character, or has no end.
        """
        for number, record in enumerate(self.records(texts), start=1):
            yield Record(number, tuple(map(self._value, self._columns(record))))

    def write(self, rows: Iterable[Sequence[Value]]) -> Iterator[str]:
        """Write rows.

        :param rows: the rows, of at least one column each.
        :returns: for each row its text, with the separator after it.
        :raises RowError: when the format has no text for a value, or a row has no columns.
        """
        for number, row in enumerate(rows, start=1):
            if not row:
                raise RowError(f"row {number:,} has no columns")
            columns = [
                self._text(value, number, column) for column, value in enumerate(row, start=1)
            ]
            yield self.column_separator.join(columns) + self.record_separator

    def _check(self) -> None:
        signs = {
            "column_separator": self.column_separator,
            "record_separator": self.record_separator,
        }
        if self.escape_character:
            signs["escape_character"] = self.escape_character
        for name, sign in signs.items():
            if not isinstance(sign, str) or len(sign) != 1:
                raise ArgumentError(
                    f"{name}: {sign!r} is not a single character, which is all that Data Pipeline "
                    "supports"
                )
        if len(set(signs.values())) < len(signs):
            shown = ", ".join(f"{name} {sign!r}" for name, sign in signs.items())
            raise ArgumentError(f"two of these are the same character: {shown}")
        if not isinstance(self.null_texts, tuple) or not self.null_texts:
            raise ArgumentError(f"null_texts: {self.null_texts!r} is no tuple of texts")
        for text in self.null_texts:
            if self.column_separator in text or self.record_separator in text:
                raise ArgumentError(f"null_texts: {text!r} has a separator in it")
            escape = self.escape_character
            if escape and (
                self._ends_escaped([text]) or (text and escape + text in self.null_texts)
            ):
                raise ArgumentError(
                    f"null_texts: {text!r} can't be told from a text with {escape!r} as the escape "
                    "character"
                )

    def records(self, texts: Iterable[str]) -> Iterator[str]:
        """Cut at each record separator that has no escape character before it.

        :param texts: pieces of a text, cut anywhere.
        :returns: the records, with all that is escaped in them.
        :raises RowError: when a record ends with an escape character, or has no end.
        """
        kept: list[str] = []  # of the record that has not ended yet
        length = 0
        count = 1
        for text in texts:
            first, *others = text.split(self.record_separator)
            kept.append(first)
            length += len(first)
            for piece in others:
                if self._ends_escaped(kept):
                    kept += [self.record_separator, piece]
                    length += 1 + len(piece)
                else:
                    yield "".join(kept)
                    count += 1
                    kept = [piece]
                    length = len(piece)
            if length > MOST_CHARACTERS:
                raise RowError(
                    f"record {count:,} has more than {MOST_CHARACTERS:,} characters; is the record "
                    f"separator really {self.record_separator!r}?"
                )
        last = "".join(kept)
        if self._ends_escaped(kept):
            raise RowError(
                f"record {count:,}, the last one, ends with the escape character "
                f"{self.escape_character!r} and nothing after it: {_shown(last)}"
            )
        if last:
            yield last

    def _ends_escaped(self, pieces: Sequence[str]) -> bool:
        """Tell whether the next character has an escape character before it.

        An escape character that is escaped itself is none, so it is their number that counts.
        """
        escape = self.escape_character
        if not escape:
            return False
        number = 0
        for piece in reversed(pieces):
            trailing = len(piece) - len(piece.rstrip(escape))
            number += trailing
            if trailing < len(piece):
                break
        return number % 2 == 1

    def _columns(self, record: str) -> list[str]:
        """Cut at each separator that counts; what is escaped stays so."""
        if not self.escape_character or self.escape_character not in record:
            return record.split(self.column_separator)
        columns, at = [], 0
        while True:
            found = self._pieces.match(record, at)
            assert found is not None  # noqa: S101 - it matches nothing as well
            columns.append(found[0])
            at = found.end() + 1
            if at > len(record):
                return columns

    def _value(self, text: str) -> Value:
        if text in self.null_texts:
            return None
        escape = self.escape_character
        if not escape or escape not in text:
            return text
        return re.sub(rf"{re.escape(escape)}(.)", r"\1", text, flags=re.DOTALL)

    def _text(self, value: Value, row: int, column: int) -> str:
        if value is None:
            return self.null_texts[0]
        if self.escape_character:
            text = value.translate(self._escapes)
            if text in self.null_texts and text:
                return self.escape_character + text
            return text
        for sign in (self.column_separator, self.record_separator):
            if sign in value:
                raise RowError(
                    f"column {column} of row {row:,} has the separator {sign!r} in it, and the "
                    f"format has no escape character: {_shown(value)}"
                )
        if value in self.null_texts and value:
            raise RowError(
                f"column {column} of row {row:,} is the text {value!r}, which would be read as "
                "NULL; choose another null_text or an escape character"
            )
        return value


CSV = DelimitedFormat()
"""CSV as Data Pipeline has it."""

TSV = DelimitedFormat(column_separator="\t")
"""TSV as Data Pipeline has it."""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")
