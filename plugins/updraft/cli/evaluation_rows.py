"""Files for `updraft evaluate --from`: a line is an expression, said by its function."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from updraft.errors import UpdraftError

_COLUMNS = ("kind", "argument", "instant")
_WHOLE_EXPRESSIONS = ("expression", "text")
_FORMATTED = "+format"
_FORMAT = "'yyyy-MM-dd HH:mm:ss'"
# Their argument is a text; that of other functions is written as it stands in the expression.
_OF_TEXTS = {"format", "inTimeZone", "plusPeriod"}
_NO_DATES = {"format", "year", "month", "day", "dayOfYear", "hour", "minute"}


@dataclass(frozen=True, slots=True)
class EvaluationRow:
    """A line of a file.

    :param number: of the line, from 1.
    :param cells: its cells by column; those that it lacks are missing.
    """

    number: int
    cells: Mapping[str, str]

    @property
    def instant(self) -> str:
        """The instant, as written."""
        return self._cell("instant")

    @property
    def text(self) -> str:
        """The text to evaluate.

        :raises UpdraftError: when a column is missing, or no function has the name of its kind.
        """
        kind, argument, _ = (self._cell(name) for name in _COLUMNS)
        kind = kind.strip()
        if kind in _WHOLE_EXPRESSIONS:
            return argument if "#{" in argument else f"#{{{argument}}}"
        function = kind.removesuffix(_FORMATTED)
        call = _call(function, argument)
        if kind != function:
            return f"#{{format({call}, {_FORMAT})}}"
        # A date prints without its zone, which is UTC but for what asks for another.
        in_utc = kind not in _NO_DATES and kind != "inTimeZone"
        return f"#{{{call}}}" + ("Z" if in_utc else "")

    def _cell(self, name: str) -> str:
        if len(self.cells) < len(_COLUMNS):
            raise UpdraftError("it needs the columns kind, argument and instant")
        return self.cells[name]


def read_rows(path: Path) -> Iterator[EvaluationRow]:
    """Read a file with the columns kind, argument and instant, separated by tabs.

    A first line with the names of the columns gives their order. Empty lines and lines that begin
    with ``#`` are left out.

    :param path: the file.
    :returns: its rows.
    :raises UpdraftError: when it can't be read.
    """
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UpdraftError(f"{path} can't be read: {reason}") from None
    columns: dict[str, int] | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = line.split("\t")
        if columns is None:
            named = _named_columns(cells)
            columns = named or {name: index for index, name in enumerate(_COLUMNS)}
            if named:
                continue
        given = {name: cells[index] for name, index in columns.items() if index < len(cells)}
        yield EvaluationRow(number, given)


def _named_columns(cells: Sequence[str]) -> dict[str, int]:
    """Find the columns by their names, empty when the cells are no names."""
    names = [cell.strip().casefold() for cell in cells]
    if "kind" not in names:
        return {}
    return {
        name: names.index(name) if name in names else index for index, name in enumerate(_COLUMNS)
    }


def _call(function: str, argument: str) -> str:
    from updraft.datapipeline.findings import did_you_mean  # noqa: PLC0415 keeps start fast
    from updraft.datapipeline.functions import FUNCTIONS  # noqa: PLC0415 likewise

    count = FUNCTIONS.get(function)
    if count is None:
        kinds = (*FUNCTIONS, *_WHOLE_EXPRESSIONS)
        otherwise = "Functions are kinds, and 'expression' is one"
        raise UpdraftError(
            f"{function!r} is no function. {did_you_mean(function, kinds, otherwise)}"
        )
    if count > 2:  # noqa: PLR2004 - what makes a date takes no other
        return f"{function}({argument})"
    if count == 1:
        return f"{function}(@scheduledStartTime)"
    given = _literal(argument) if function in _OF_TEXTS else argument
    return f"{function}(@scheduledStartTime, {given})"


def _literal(text: str) -> str:
    """Quote a text; one with both quotes is put together."""
    if "'" not in text:
        return f"'{text}'"
    if '"' not in text:
        return f'"{text}"'
    # Each piece has one kind of quotes at most.
    return " + ".join(_literal(piece) for piece in re.findall(r"\"+|[^\"]+", text))
