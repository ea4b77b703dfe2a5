"""Writes COPY statements.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from updraft.choices import choose, require_choice
from updraft.errors import UpdraftError
from updraft.redshift.copy_options import Option, check_options, option_sql
from updraft.redshift.identifiers import quoted
from updraft.redshift.literals import literal
from updraft.s3_uri import parse_s3_uri

COMPRESSIONS = ("gzip", "bzip2", "zstd", "lzop")
FORMATS = {
    "csv": "CSV",
    "tsv": "",
    "text": "",
    "json": "JSON",
    "avro": "AVRO",
    "parquet": "PARQUET",
    "orc": "ORC",
}
"""Formats of files; what stands in a statement for each."""

_DYNAMODB_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-\d+", re.ASCII)
_ESCAPED = re.compile(r"\\(?:t|[0-7]{1,3})")
_LARGEST_RATIO = 200


@dataclass(frozen=True, slots=True)
class FileOptions:
    r"""What files look like.

    :param file_format: one of :data:`FORMATS`; ``None`` for delimited text without an option.
    :param compression: one of :data:`COMPRESSIONS`, ``None`` for none.
    :param delimiter: the character between two fields; also as ``\t`` or ``\001``.
    :param ignore_header: number of lines to leave out at the beginning of each file.
    :param null_as: text that stands for NULL.
    :param json_paths: for JSON and Avro: URI of a file with the paths, ``auto`` or
        ``auto ignorecase``; by default ``auto``.
    :param max_error: number of lines that may fail; 0 for none.
    :param date_format: how dates are written, such as ``MM/DD/YYYY`` or ``auto``.
    :param time_format: how times are written, likewise.
    :param manifest: whether the source is a manifest, a list of files.
    :param region: region of the bucket or table, if it is not that of the cluster.
    """

    file_format: str | None = None
    compression: str | None = None
    delimiter: str | None = None
    ignore_header: int = 0
    null_as: str | None = None
    json_paths: str | None = None
    max_error: int = 0
    date_format: str | None = None
    time_format: str | None = None
    manifest: bool = False
    region: str | None = None

    def options(self) -> list[Option]:
        """Write the options.

        :returns: them.
        :raises UpdraftError: when one has a value that it can't have.
        """
        given: list[Option | None] = [
            *self._format(),
            _compression(self.compression),
            _text("DELIMITER AS", character("delimiter", self.delimiter)),
            _number("IGNOREHEADER", "ignore_header", self.ignore_header),
            _text("NULL AS", self.null_as),
            _number("MAXERROR", "max_error", self.max_error),
            _text("DATEFORMAT AS", self.date_format),
            _text("TIMEFORMAT AS", self.time_format),
            Option("MANIFEST", "MANIFEST") if self.manifest else None,
            region_option("region", self.region),
        ]
        return [option for option in given if option is not None]

    def _format(self) -> list[Option]:
        if self.file_format is None:
            if self.json_paths is not None:
                raise UpdraftError("json_paths: needs file_format json or avro")
            return []
        name = choose("file_format", self.file_format, FORMATS)
        if name in {"JSON", "AVRO"}:
            paths = self.json_paths or "auto"
            if paths not in {"auto", "auto ignorecase", "noshred"}:
                parse_s3_uri(paths)
            return [Option(name, f"FORMAT AS {name} {literal(paths)}")]
        if self.json_paths is not None:
            raise UpdraftError("json_paths: needs file_format json or avro")
        if self.file_format == "tsv" and self.delimiter is None:
            return [Option("DELIMITER", f"DELIMITER AS {literal(chr(9))}")]
        return [Option(name, f"FORMAT AS {name}")] if name else []


def s3_source(argument: str, uri: object) -> str:
    """Check where files are.

    :param argument: name of the argument, for the error message.
    :param uri: the URI.
    :returns: it, with ``s3://`` for ``s3a://``.
    :raises UpdraftError: when it is none, or names a whole bucket.
    """
    try:
        bucket, key = parse_s3_uri(str(uri))
    except UpdraftError as error:
        raise UpdraftError(f"{argument}: {error}") from None
    if not key:
        raise UpdraftError(f"{argument}: {uri!r} names a whole bucket; give a file or a prefix")
    return f"s3://{bucket}/{key}"


def dynamodb_source(argument: str, table: object) -> str:
    """Name a table of DynamoDB as COPY does.

    :param argument: name of the argument, for the error message.
    :param table: its name.
    :returns: ``dynamodb://<table>``.
    :raises UpdraftError: when it is none.
    """
    if not isinstance(table, str) or not _DYNAMODB_NAME.fullmatch(table):
        raise UpdraftError(
            f"{argument}: {table!r} is no name of a table of DynamoDB; it has 3 to 255 letters, "
            "digits, _, - and ."
        )
    return f"dynamodb://{table}"


def read_ratio(argument: str, percent: object) -> Option:
    """Write how much of a DynamoDB table's capacity may be used.

    :param argument: name of the argument, for the error message.
    :param percent: 1 to 200 per cent of the provisioned capacity.
    :returns: the option.
    :raises UpdraftError: when it is no such number.
    """
    number = whole_number(argument, percent)
    if not 1 <= number <= _LARGEST_RATIO:
        raise UpdraftError(f"{argument}: {percent!r} is not from 1 to {_LARGEST_RATIO} per cent")
    return Option("READRATIO", f"READRATIO {number}")


def copy_sql(
    table: str, columns: Sequence[str], source: str, role: str, options: Iterable[Option]
) -> str:
    """Write a COPY.

    :param table: name of the table, quoted.
    :param columns: the columns to load, as they stand in the catalog; none for all.
    :param source: where the data is, as :func:`s3_source` or :func:`dynamodb_source` checked it.
    :param role: the role as SQL.
    :param options: the options.
    :returns: the statement.
    :raises UpdraftError: when options don't go together.
    """
    given = list(options)
    check_options(given, from_dynamodb=source.startswith("dynamodb://"))
    listed = f" ({', '.join(map(quoted, columns))})" if columns else ""
    return f"COPY {table}{listed} FROM {literal(source)} {role} {option_sql(given)}".rstrip()


def character(argument: str, text: str | None) -> str | None:
    r"""Read the notation of a character.

    :param argument: name of the argument, for the error message.
    :param text: the character, ``\t`` or an octal number such as ``\001``.
    :returns: the character.
    :raises UpdraftError: when it is none of ASCII.
    """
    if text is None:
        return None
    if _ESCAPED.fullmatch(text):
        text = "\t" if text == "\\t" else chr(int(text[1:], 8))
    if len(text) != 1 or not text.isascii() or text == "\0":
        raise UpdraftError(f"{argument}: {text!r} is not a single ASCII character")
    return text


def whole_number(argument: str, value: object) -> int:
    """Read a whole number, as an argument or a template gives it.

    :param argument: name of the argument, for the error message.
    :param value: the number or its digits.
    :returns: the number.
    :raises UpdraftError: when it is none, or below 0.
    """
    text = str(value).strip()
    if isinstance(value, bool) or not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise UpdraftError(f"{argument}: {value!r} is no whole number of at least 0")
    return int(text)


def region_option(argument: str, region: str | None) -> Option | None:
    """Write the region of a bucket or table.

    :param argument: name of the argument, for the error message.
    :param region: the region, ``None`` for that of the cluster.
    :returns: the option, ``None`` for none.
    :raises UpdraftError: when it is no region.
    """
    if not region:
        return None
    if not _REGION.fullmatch(region):
        raise UpdraftError(f"{argument}: {region!r} is no region; it looks like eu-west-1")
    return Option("REGION", f"REGION {literal(region)}")


def _compression(name: str | None) -> Option | None:
    if name is None:
        return None
    require_choice("compression", name, COMPRESSIONS)
    return Option(name.upper(), name.upper())


def _text(words: str, value: str | None) -> Option | None:
    return (
        None if value is None else Option(words.split(maxsplit=1)[0], f"{words} {literal(value)}")
    )


def _number(name: str, argument: str, value: object) -> Option | None:
    number = whole_number(argument, value or 0)
    return Option(name, f"{name} {number}") if number else None
