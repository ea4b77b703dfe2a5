"""Options of COPY: the legacy ``commandOptions`` and typed ones, checked one by one.

Nothing gets into a statement that is not an option known here with a value of its kind, so that no
other target and no second statement can.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY-parameters.html
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from updraft.choices import unknown_choice
from updraft.errors import UpdraftError
from updraft.redshift.identifiers import text_list


class Value(Enum):
    """What follows the name of an option."""

    NOTHING = "nothing"
    TEXT = "a text in quotes"
    SOME_TEXTS = "a text in quotes or nothing"
    NUMBER = "a whole number"
    SWITCH = "ON, OFF, TRUE, FALSE or PRESET"
    ENCODING = "the name of an encoding"


class Option(NamedTuple):
    """An option as it goes into a statement.

    :param name: its name in capitals.
    :param sql: all of it.
    """

    name: str
    sql: str


_FLAGS = (
    *("ACCEPTANYDATE", "BLANKSASNULL", "BZIP2", "EMPTYASNULL", "ESCAPE", "EXPLICIT_IDS"),
    *("FILLRECORD", "GZIP", "IGNOREALLERRORS", "IGNOREBLANKLINES", "LZOP", "MANIFEST", "ORC"),
    *("REMOVEQUOTES", "ROUNDEC", "SSH", "TRIMBLANKS", "TRUNCATECOLUMNS", "ZSTD"),
    *("CSV", "PARQUET"),
)
KINDS: Mapping[str, Value] = {
    **dict.fromkeys(_FLAGS, Value.NOTHING),
    **dict.fromkeys(
        ("DATEFORMAT", "DELIMITER", "FIXEDWIDTH", "NULL", "QUOTE", "REGION", "TIMEFORMAT"),
        Value.TEXT,
    ),
    **dict.fromkeys(("ACCEPTINVCHARS", "AVRO", "JSON"), Value.SOME_TEXTS),
    **dict.fromkeys(("COMPROWS", "IGNOREHEADER", "MAXERROR", "READRATIO"), Value.NUMBER),
    **dict.fromkeys(("COMPUPDATE", "STATUPDATE"), Value.SWITCH),
    "ENCODING": Value.ENCODING,
}
"""What each option that can be given takes."""

_REFUSED = {
    **dict.fromkeys(
        ("IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"),
        "the role is given as iam_role, and keys can't be given: they would stand in the log",
    ),
    **dict.fromkeys(
        ("ENCRYPTED", "MASTER_SYMMETRIC_KEY"),
        "the key would stand in the log of the database; load files that S3 encrypts",
    ),
    "NOLOAD": "it only checks the files, and the target would be changed nevertheless",
    "SHAPEFILE": "it is not supported here; load it with a COPY of your own",
}
_NOISE = frozenset({"AS", "FORMAT", "WITH"})
_TO_JSON = "SERIALIZETOJSON"  # nested data as SUPER
_WITHOUT_AS = frozenset({"FIXEDWIDTH", "REGION"})
_SWITCHES = frozenset({"ON", "OFF", "TRUE", "FALSE", "PRESET"})
_ENCODING = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,30}")

# In a text, a backslash must not stand before its end or a quote: readers that take it for the
# beginning of an escape and readers that don't would see the text end at different places.
_WORD = re.compile(
    r"""\s+
    |(?P<text>'(?:[^'\\\0]|''|\\[^'\0])*'(?!'))
    |(?P<number>\d+(?![\w.]))
    |(?P<word>[A-Za-z_][A-Za-z0-9_-]*)""",
    re.VERBOSE | re.DOTALL,
)
_LARGEST = {"READRATIO": 200, "MAXERROR": 100_000}

# https://docs.aws.amazon.com/redshift/latest/dg/copy-usage_notes-copy-from-columnar.html and
# https://docs.aws.amazon.com/redshift/latest/dg/copy-parameters-data-source-dynamodb.html
_COLUMNAR = frozenset({"ORC", "PARQUET"})
_FORMATS = frozenset({"AVRO", "CSV", "FIXEDWIDTH", "JSON", *_COLUMNAR})
_COMPRESSIONS = frozenset({"BZIP2", "GZIP", "LZOP", "ZSTD"})
_WITH_COLUMNAR = frozenset(
    {*_COLUMNAR, "ACCEPTINVCHARS", "FILLRECORD", "MANIFEST", "REGION", "STATUPDATE"}
)
_WITH_DYNAMODB = frozenset(
    {
        *("ACCEPTANYDATE", "BLANKSASNULL", "COMPROWS", "COMPUPDATE", "DATEFORMAT", "EMPTYASNULL"),
        *("EXPLICIT_IDS", "MAXERROR", "READRATIO", "REGION", "ROUNDEC", "STATUPDATE"),
        *("TIMEFORMAT", "TRIMBLANKS", "TRUNCATECOLUMNS"),
    }
)
_NOT_WITH_CSV = frozenset({"ESCAPE", "FIXEDWIDTH", "REMOVEQUOTES"})


def parse_command_options(argument: str, value: Sequence[str] | str | None) -> list[Option]:
    r"""Read options as they are written behind COPY.

    :param argument: name of the argument, for the error message.
    :param value: the texts, such as ``["GZIP", "DELIMITER '\\t'", "IGNOREHEADER 1"]``, their JSON,
        or one text with all of them.
    :returns: the options, each text in them exactly as it was written.
    :raises UpdraftError: when something is no option, or has no value of its kind.
    """
    is_list = not isinstance(value, str) or value.strip().startswith("[")
    texts = text_list(argument, value) if is_list else [str(value)]
    return [option for text in texts for option in _Reader(argument, text).options()]


def check_options(options: Iterable[Option], *, from_dynamodb: bool) -> None:
    """Check that options go together.

    :param options: all options of a COPY.
    :param from_dynamodb: whether it reads a table of DynamoDB.
    :raises UpdraftError: when one comes twice, or some exclude each other.
    """
    names = [option.name for option in options]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UpdraftError(f"{twice[0]} is given twice")
    for group, what in ((_FORMATS, "formats"), (_COMPRESSIONS, "compressions")):
        several = sorted(group & set(names))
        if len(several) > 1:
            raise UpdraftError(f"{' and '.join(several)} are {len(several)} {what}")
    if from_dynamodb:
        _refuse(set(names) - _WITH_DYNAMODB, "a table of DynamoDB")
    elif "READRATIO" in names:
        raise UpdraftError("READRATIO is for tables of DynamoDB only")
    columnar = sorted(_COLUMNAR & set(names))
    if columnar:
        _refuse(set(names) - _WITH_COLUMNAR, columnar[0])
    if "CSV" in names:
        _refuse(_NOT_WITH_CSV & set(names), "CSV")
    elif "QUOTE" in names:
        raise UpdraftError("QUOTE needs CSV")


def option_sql(options: Iterable[Option]) -> str:
    """Write options behind a COPY.

    :param options: the options.
    :returns: them with spaces between.
    """
    return " ".join(option.sql for option in options)


def _refuse(names: Collection[str], what: str) -> None:
    if names:
        raise UpdraftError(f"{', '.join(sorted(names))} can't be used with {what}")


class _Reader:
    """Reads one text with options."""

    def __init__(self, argument: str, text: str) -> None:
        self._argument = argument
        self._text = text
        self._words = list(self._split())
        self._at = 0

    def options(self) -> Iterable[Option]:
        while self._at < len(self._words):
            kind, word = self._words[self._at]
            self._at += 1
            name = word.upper()
            if kind != "word":
                raise self._error(f"{word} stands where the name of an option is expected")
            if name in _NOISE and self._at < len(self._words):
                continue
            if name in _REFUSED:
                raise self._error(f"{name} is refused: {_REFUSED[name]}")
            if name not in KINDS:
                raise unknown_choice(self._argument, word, KINDS)
            yield self._option(name, KINDS[name])

    def _option(self, name: str, kind: Value) -> Option:
        if kind is Value.NOTHING:
            return Option(name, f"{name}{self._suffix(name)}")
        at = self._at
        if self._next_word() == "AS":
            self._at += 1
        if kind is Value.SOME_TEXTS:
            texts = self._texts()
            if not texts:
                self._at = at
            return Option(name, " ".join([name, *texts]))
        found_kind, word = self._words[self._at] if self._at < len(self._words) else ("", "")
        if not _fits(kind, found_kind, word):
            if kind is Value.SWITCH:
                self._at = at
                return Option(name, name)
            raise self._error(f"{name} takes {kind.value}, not {word or 'nothing'}")
        self._at += 1
        if kind is Value.NUMBER and int(word) > _LARGEST.get(name, 2**31 - 1):
            raise self._error(f"{name} {word} is above {_LARGEST.get(name, 2**31 - 1)}")
        between = " " if kind is not Value.TEXT or name in _WITHOUT_AS else " AS "
        return Option(name, f"{name}{between}{word}")

    def _suffix(self, name: str) -> str:
        if name != "PARQUET" or self._next_word() != _TO_JSON:
            return ""
        self._at += 1
        return f" {_TO_JSON}"

    def _texts(self) -> list[str]:
        found = []
        while self._at < len(self._words) and self._words[self._at][0] == "text":
            found.append(self._words[self._at][1])
            self._at += 1
        return found

    def _next_word(self) -> str:
        return self._words[self._at][1].upper() if self._at < len(self._words) else ""

    def _split(self) -> Iterable[tuple[str, str]]:
        at = 0
        while at < len(self._text):
            match = _WORD.match(self._text, at)
            if match is None:
                raise self._error(
                    f"{self._text[at : at + 30]!r} is no part of an option; texts stand in single "
                    "quotes, with a quote doubled and no backslash before it"
                )
            at = match.end()
            if match.lastgroup:
                yield match.lastgroup, match[0]

    def _error(self, what: str) -> UpdraftError:
        return UpdraftError(f"{self._argument}: {self._text!r}: {what}")


def _fits(kind: Value, found: str, word: str) -> bool:
    if kind is Value.TEXT:
        return found == "text"
    if kind is Value.NUMBER:
        return found == "number"
    if kind is Value.SWITCH:
        return word.upper() in _SWITCHES
    return found == "word" and _ENCODING.fullmatch(word) is not None
