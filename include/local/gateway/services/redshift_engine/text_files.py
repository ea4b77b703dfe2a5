"""Reads the lines of text files as COPY does: delimited, CSV and of fixed width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.local.gateway.services.redshift_engine.field_values import FieldError
from include.local.gateway.services.redshift_engine.load_options import Parameters
from include.local.gateway.services.redshift_engine.tokens import SqlError


@dataclass
class Line:
    """A line of a file, or what stands for one.

    :param number: its number, from 1.
    :param text: as it stands in the file.
    :param fields: its fields; None for a null that the format itself marks.
    :param error: why it can't be taken apart.
    :param typed: whether the format itself says what is null.
    """

    number: int
    text: str
    fields: Sequence[str | None] = ()
    error: FieldError | None = None
    typed: bool = False


def read_text(body: bytes, parameters: Parameters) -> Iterator[Line]:
    """Take a text file apart.

    :param body: its content, unpacked.
    :param parameters: say how it is written.
    :returns: its lines, those of the header left out.
    """
    text = body.decode(errors="surrogateescape")
    text = text.removeprefix("\ufeff")
    if parameters.has("csv"):
        lines = _csv(text, parameters)
    elif parameters.has("fixedwidth"):
        lines = _fixed(text, parameters)
    else:
        lines = _delimited(text, parameters)
    header = parameters.count("ignoreheader", 0)
    for line in lines:
        if line.number <= header:
            continue
        if not line.text.strip() and parameters.has("ignoreblanklines"):
            continue
        yield line


def _csv(text: str, parameters: Parameters) -> Iterator[Line]:
    """Read RFC 4180, with any delimiter and quotation mark."""
    delimiter, quote = parameters.text("delimiter", ","), parameters.text("quote", '"')
    position, number = 0, 1
    while position < len(text):
        begin, first = position, number
        fields: list[str | None] = []
        error: FieldError | None = None
        while True:
            if text.startswith(quote, position):
                field, position, error = _quoted(text, position, delimiter, quote)
            else:
                end = _end_of_field(text, position, delimiter)
                field, position = text[position:end], end
            fields.append(field)
            if error is not None:
                position = _end_of_line(text, position)
            if position < len(text) and text[position] == delimiter and error is None:
                position += 1
                continue
            break
        raw = text[begin:position]
        position = _behind_newline(text, position)
        number += text.count("\n", begin, position)
        yield Line(first, raw, fields, error)


def _quoted(
    text: str, position: int, delimiter: str, quote: str
) -> tuple[str, int, FieldError | None]:
    begin = position
    position += 1
    parts: list[str] = []
    while True:
        end = text.find(quote, position)
        if end < 0:
            reason = "Invalid quote formatting for CSV. Unterminated quote"
            return text[begin:], len(text), FieldError(1214, reason, None, text[begin:])
        parts.append(text[position:end])
        if text.startswith(quote, end + 1):
            parts.append(quote)
            position = end + 2
            continue
        position = end + 1
        break
    follows = text[position : position + 2]
    if follows and follows[0] not in {delimiter, "\n"} and follows != "\r\n":
        reason = "Invalid quote formatting for CSV"
        return "", position, FieldError(1214, reason, None, text[begin:position], position - begin)
    return "".join(parts), position, None


def _end_of_field(text: str, position: int, delimiter: str) -> int:
    ends = [at for mark in (delimiter, "\n") if (at := text.find(mark, position)) >= 0]
    end = min(ends, default=len(text))
    if end < len(text) and text[end] == "\n" and end > position and text[end - 1] == "\r":
        return end - 1
    return end


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _behind_newline(text: str, position: int) -> int:
    if text.startswith("\r\n", position):
        return position + 2
    return position + 1 if position < len(text) else position


def _delimited(text: str, parameters: Parameters) -> Iterator[Line]:
    delimiter = parameters.text("delimiter", "|")
    escapes, quotes = parameters.has("escape"), parameters.has("removequotes")
    if not escapes and not quotes:
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        for number, line in enumerate(lines, start=1):
            whole = line.removesuffix("\r")
            yield Line(number, whole, whole.split(delimiter))
        return
    position, number = 0, 1
    while position < len(text):
        found, position = _escaped_line(text, position, number, delimiter, escapes, quotes)
        number += 1 + found.text.count("\n")
        yield found


def _escaped_line(  # noqa: PLR0917 - where it is, and how the file is written
    text: str, position: int, number: int, delimiter: str, escapes: bool, quotes: bool
) -> tuple[Line, int]:
    begin = position
    fields: list[str | None] = []
    field: list[str] = []
    escaped_null = False
    opened = ""
    returned = 0  # characters of the end of the line before its \n
    while position < len(text):
        mark = text[position]
        if escapes and mark == "\\" and position + 1 < len(text):
            # \N is the usual mark of a null, and no escaped letter.
            escaped_null = text[position + 1] == "N" and not field
            field.append("\\N" if escaped_null else text[position + 1])
            returned = 0
            position += 2
            continue
        if quotes and not opened and not field and mark in "'\"":
            opened = mark
        elif opened and mark == opened:
            opened = ""
        elif mark == delimiter and not opened:
            fields.append("".join(field))
            field = []
        elif mark == "\n":
            break
        else:
            field.append(mark)
        returned = int(mark == "\r" and not opened)
        position += 1
    last = "".join(field)
    fields.append(last[: len(last) - returned])
    raw = text[begin : position - returned]
    error = None
    if opened:
        error = FieldError(1214, "Delimited value missing end quote", None, last)
    return Line(number, raw, fields, error), position + 1


def _fixed(text: str, parameters: Parameters) -> Iterator[Line]:
    widths: list[int] = []
    for part in parameters.text("fixedwidth", "").split(","):
        _, _, width = part.rpartition(":")
        if not width.strip().isdigit():
            raise SqlError(f"FIXEDWIDTH {part!r} is not a label and a width, such as name:10")
        widths.append(int(width))
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    for number, line in enumerate(lines, start=1):
        raw = line.removesuffix("\r").encode(errors="surrogateescape")
        fields: list[str | None] = []
        begin = 0
        for size in widths:
            piece = raw[begin : begin + size]
            fields.append(piece.decode(errors="surrogateescape").rstrip(" "))
            begin += size
        yield Line(number, line, fields)
