"""Turns the fields of files into values of columns, with the errors that COPY reports.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_Load_Error_Reference.html
"""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation

from include.local.gateway.services.redshift_engine.load_options import Parameters


class FieldError(Exception):
    """A field that can't be loaded.

    :param code: COPY's number of the error.
    :param reason: COPY's words.
    :param column: the column, None when it concerns the whole line.
    :param value: the field.
    :param position: where in the field the error is.
    """

    def __init__(
        self,
        code: int,
        reason: str,
        column: "TargetColumn | None" = None,
        value: str = "",
        position: int = 0,
    ) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.column = column
        self.value = value
        self.position = position


@dataclass(frozen=True, slots=True)
class TargetColumn:
    """A column that is loaded.

    :param name: its name.
    :param kind: PostgreSQL's name of its type, such as ``int4``.
    :param length: of characters, or digits of a number.
    :param scale: digits behind the point.
    :param required: whether it takes no null.
    """

    name: str
    kind: str
    length: int | None = None
    scale: int = 0
    required: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it holds characters."""
        return self.kind in {"varchar", "bpchar", "text"}


_WHOLE = {
    "int2": (2**15, "Short"),
    "int4": (2**31, "Integer"),
    "int8": (2**63, "Long"),
}
_TRUE = {"t", "true", "y", "yes", "1"}
_FALSE = {"f", "false", "n", "no", "0"}
_DATE_PATTERNS = (
    "YYYY-MM-DD",
    "YYYY/MM/DD",
    "MM/DD/YYYY",
    "MM-DD-YYYY",
    "YYYYMMDD",
    "YYYY.MM.DD",
    "MON DD YYYY",
    "DD MON YYYY",
    "DD-MON-YYYY",
    "MM/DD/YY",
    "MM.DD.YYYY",
)
_TIME_PATTERNS = (" HH24:MI:SS", "THH24:MI:SS", " HH12:MI:SS AM", " HH24:MI", "THH24:MI", "")


class FieldReader:
    """Converts fields as the parameters of a COPY ask for.

    :param parameters: the parameters.
    """

    def __init__(self, parameters: Parameters) -> None:
        self._parameters = parameters
        self._null = _null_mark(parameters.text("null", "\\N"))
        self._dates = self._patterns("dateformat", ("YYYY-MM-DD",), _DATE_PATTERNS)
        times = tuple(date + time for date in _DATE_PATTERNS for time in _TIME_PATTERNS)
        self._moment = parameters.text("timeformat", "")
        plain = ("YYYY-MM-DD HH24:MI:SS", "YYYY-MM-DDTHH24:MI:SS", "YYYY-MM-DD")
        self._times = self._patterns("timeformat", plain, times)

    def _patterns(
        self, name: str, default: tuple[str, ...], automatic: tuple[str, ...]
    ) -> list[re.Pattern[str]]:
        given = self._parameters.text(name, "")
        if given.lower() == "auto":
            chosen = automatic
        elif given.lower() in {"epochsecs", "epochmillisecs", ""}:
            chosen = default
        else:
            chosen = (given,)
        return [_pattern(one) for one in chosen]

    def value(self, column: TargetColumn, field: str | None, *, typed: bool = False) -> str | None:
        """Convert a field.

        :param column: where it goes.
        :param field: its text; None for a null.
        :param typed: whether the file says by itself what is null, as JSON does.
        :returns: the value as PostgreSQL reads it, None for a null.
        :raises FieldError: when it doesn't fit.
        """
        if field is not None:
            field = valid_text(field, self._parameters, column)
        if field is not None and not typed and field == self._null:
            field = None
        if field is not None and column.is_text:
            field = self._blanks(field)
        elif field is not None and not field.strip():
            field = None
        if field is None:
            if column.required:
                raise FieldError(1213, "Missing data for not-null field", column)
            return None
        try:
            return self._converted(column, field)
        except FieldError as error:
            if self._parameters.has("acceptanydate") and error.code in {1205, 1206}:
                return None
            raise

    def _blanks(self, field: str) -> str | None:
        if self._parameters.has("emptyasnull") and field == "":
            return None
        if self._parameters.has("blanksasnull") and field and not field.strip():
            return None
        return field.rstrip(" ") if self._parameters.has("trimblanks") else field

    def _converted(  # noqa: PLR0911 - one type after the other
        self, column: TargetColumn, field: str
    ) -> str:
        kind = column.kind
        if kind in _WHOLE:
            return _whole(column, field)
        if kind == "numeric":
            return self._number(column, field)
        if kind in {"float4", "float8"}:
            return _floating(column, field)
        if kind == "bool":
            return _truth(column, field)
        if kind == "date":
            return self._date(column, field)
        if kind in {"timestamp", "timestamptz"}:
            return self._timestamp(column, field)
        if kind == "jsonb":
            return _structured(column, field)
        if kind == "bytea":
            if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})*", field):
                raise FieldError(1216, "Invalid hexadecimal digits", column, field)
            return f"\\x{field}"
        return self._characters(column, field)

    def _characters(self, column: TargetColumn, field: str) -> str:
        most = column.length
        if "\0" in field:
            reason = "Invalid null byte - field longer than 1 byte"
            raise FieldError(1218, reason, column, field, field.index("\0"))
        if column.kind == "bpchar" and not field.isascii():
            reason = "Multibyte character not supported for CHAR (Hint: try using VARCHAR)."
            raise FieldError(1220, reason, column, field)
        if most is not None and len(field.encode()) > most:
            if column.kind == "bpchar" and len(field.rstrip(" ")) <= most:
                return field.rstrip(" ")
            if not self._parameters.has("truncatecolumns"):
                raise FieldError(1204, "String length exceeds DDL length", column, field, most)
            return field.encode()[:most].decode(errors="ignore")
        return field

    def _number(self, column: TargetColumn, field: str) -> str:
        try:
            number = Decimal(field.strip())
        except InvalidOperation:
            bad = next((at for at, mark in enumerate(field) if mark not in "0123456789.+-eE "), 0)
            reason = f"Invalid digit, Value '{field[bad : bad + 1]}', Pos {bad}, Type: Decimal"
            raise FieldError(1207, reason, column, field, bad) from None
        if not number.is_finite():
            raise FieldError(1207, "Invalid digit, Type: Decimal", column, field)
        rounding = ROUND_HALF_UP if self._parameters.has("roundec") else ROUND_DOWN
        if column.length is None:
            return format(number, "f")
        whole = number.adjusted() + 1 if number else 0
        if whole > column.length - column.scale:
            reason = f"Overflow for NUMERIC({column.length},{column.scale})"
            raise FieldError(1204, reason, column, field)
        step = Decimal(1).scaleb(-column.scale)
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > column.scale:
            number = number.quantize(step, rounding=rounding)
        return format(number, "f")

    def _date(self, column: TargetColumn, field: str) -> str:
        found = _moment(self._dates, field)
        if found is None:
            reason = "Invalid Date Format - length must be 10 or more"
            if len(field) >= 10:  # noqa: PLR2004 - what the words say
                wanted = self._parameters.text("dateformat", "YYYY-MM-DD")
                reason = f"Invalid Date Format or value [{wanted}]"
            raise FieldError(1205, reason, column, field)
        return found[0].date().isoformat()

    def _timestamp(self, column: TargetColumn, field: str) -> str:
        unit = {"epochsecs": 1, "epochmillisecs": 1000}.get(self._moment.lower())
        if unit is not None:
            if not re.fullmatch(r"\s*-?\d+(?:\.\d+)?\s*", field):
                raise FieldError(
                    1206, f"Invalid timestamp format or value [{self._moment}]", column
                )
            seconds = Decimal(field.strip()) / unit
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
                microseconds=int(seconds * 1_000_000)
            )
            return moment.replace(tzinfo=None).isoformat(" ")
        found = _moment(self._times, field)
        if found is None:
            wanted = self._moment or "YYYY-MM-DD HH24:MI:SS"
            reason = f"Invalid timestamp format or value [{wanted}]"
            raise FieldError(1206, reason, column, field)
        moment, zone = found
        offset = zone or ("+00" if column.kind == "timestamptz" else "")
        return moment.isoformat(" ") + offset


def valid_text(field: str, parameters: Parameters, column: TargetColumn | None = None) -> str:
    """Deal with bytes that are no UTF-8.

    :param field: text with such bytes as lone surrogates.
    :param parameters: say what becomes of them.
    :param column: where the text goes.
    :returns: the text without them.
    :raises FieldError: when they are not to be replaced.
    """
    bad = next((at for at, mark in enumerate(field) if "\udc80" <= mark <= "\udcff"), None)
    if bad is None:
        return field
    if parameters.has("acceptinvchars"):
        mark = parameters.text("acceptinvchars", "?")
        return "".join(
            mark if "\udc80" <= character <= "\udcff" else character for character in field
        )
    shown = field[bad].encode(errors="surrogateescape").hex()
    reason = (
        f"String contains invalid or unsupported UTF8 codepoints. Bad UTF8 hex sequence: {shown}"
    )
    raise FieldError(1220, reason, column, field, bad)


def _null_mark(text: str) -> str:
    return {"\\0": "\0", "\\000": "\0", "\\t": "\t", "\\n": "\n"}.get(text, text)


def _whole(column: TargetColumn, field: str) -> str:
    limit, name = _WHOLE[column.kind]
    text = field.strip()
    if not re.fullmatch(r"[+-]?[0-9]+", text):
        bad = next(
            (
                at
                for at, mark in enumerate(field)
                if not (mark in "0123456789" or (mark in "+-" and at == 0))
            ),
            0,
        )
        reason = f"Invalid digit, Value '{field[bad : bad + 1]}', Pos {bad}, Type: {name}"
        raise FieldError(1207, reason, column, field, bad)
    number = int(text)
    if not -limit <= number < limit:
        raise FieldError(1204, f"Overflow, Type: {name}", column, field)
    return str(number)


def _floating(column: TargetColumn, field: str) -> str:
    text = field.strip()
    try:
        float(text)
    except ValueError:
        reason = f"Invalid digit, Value '{field[:1]}', Pos 0, Type: Float"
        raise FieldError(1208, reason, column, field) from None
    if "_" in text:
        raise FieldError(1208, "Invalid digit, Value '_', Type: Float", column, field)
    return text


def _truth(column: TargetColumn, field: str) -> str:
    text = field.strip().lower()
    if text in _TRUE:
        return "t"
    if text in _FALSE:
        return "f"
    raise FieldError(1210, "Unknown boolean format", column, field)


def _structured(column: TargetColumn, field: str) -> str:
    try:
        json.loads(field)
    except ValueError:
        raise FieldError(1224, "Invalid JSON value for SUPER", column, field) from None
    return field


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_PIECES = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<short>\d{2})",
    "MONTH": r"(?P<name>[A-Za-z]{3})[A-Za-z]*",
    "MON": r"(?P<name>[A-Za-z]{3})[A-Za-z]*",
    "MM": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{1,2})",
    "HH24": r"(?P<hour>\d{1,2})",
    "HH12": r"(?P<hour>\d{1,2})",
    "HH": r"(?P<hour>\d{1,2})",
    "MI": r"(?P<minute>\d{1,2})",
    "SS": r"(?P<second>\d{1,2})(?:\.(?P<fraction>\d{1,6})\d*)?",
    "AM": r"(?P<half>[AaPp][Mm])",
    "PM": r"(?P<half>[AaPp][Mm])",
    "OF": r"(?P<zone>[+-]\d{1,2}(?::?\d{2})?|[zZ])",
    "TZ": r"(?P<zone>[A-Za-z]+)",
}
_PIECE = re.compile("|".join(sorted(_PIECES, key=len, reverse=True)), re.IGNORECASE)


def _pattern(text: str) -> re.Pattern[str]:
    result, last = "", 0
    for piece in _PIECE.finditer(text):
        result += re.escape(text[last : piece.start()]) + _PIECES[piece[0].upper()]
        last = piece.end()
    result += re.escape(text[last:])
    if "(?P<zone>" not in result and "(?P<second>" in result:
        result += r"(?:\s?(?P<zone>[+-]\d{1,2}(?::?\d{2})?|[zZ]|UTC))?"
    return re.compile(result)


def _moment(patterns: list[re.Pattern[str]], field: str) -> tuple[datetime, str] | None:
    for pattern in patterns:
        match = pattern.fullmatch(field.strip())
        if match is None:
            continue
        found = match.groupdict()
        try:
            moment = datetime(  # noqa: DTZ001 - the zone is kept beside it
                _year(found),
                _month(found),
                int(found.get("day") or 1),
                _hour(found),
                int(found.get("minute") or 0),
                int(found.get("second") or 0),
                int((found.get("fraction") or "0").ljust(6, "0")),
            )
        except ValueError:
            continue
        return moment, found.get("zone") or ""
    return None


def _year(found: dict[str, str | None]) -> int:
    if found.get("short"):
        short = int(found["short"] or 0)
        return 1900 + short if short >= 70 else 2000 + short  # noqa: PLR2004 - as PostgreSQL
    return int(found.get("year") or 1)


def _month(found: dict[str, str | None]) -> int:
    if found.get("name"):
        return _MONTHS.index((found["name"] or "").lower()) + 1
    return int(found.get("month") or 1)


def _hour(found: dict[str, str | None]) -> int:
    hour = int(found.get("hour") or 0)
    half = (found.get("half") or "").lower()
    if half:
        return hour % 12 + (12 if half == "pm" else 0)
    return hour
