"""The parameters of COPY and UNLOAD.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/r_COPY.html,
    https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from include.local.gateway.services.redshift_engine.tokens import (
    BODY,
    NUMBER,
    STRING,
    Group,
    Node,
    SqlError,
    Token,
    UnsupportedSqlError,
    is_name,
    is_word,
    name_of,
    render,
    significant,
    split,
    string_value,
)

FLAG, TEXT, COUNT, OPTIONAL_TEXT, SWITCH, ROLE = (
    "flag",
    "text",
    "count",
    "optional",
    "switch",
    "role",
)

_AUTHORIZATION = {
    "iam_role": ROLE,
    "credentials": TEXT,
    "access_key_id": TEXT,
    "secret_access_key": TEXT,
    "session_token": TEXT,
    "region": TEXT,
}
COPY_PARAMETERS = {
    **_AUTHORIZATION,
    **dict.fromkeys(("gzip", "bzip2", "zstd", "lzop", "manifest", "encrypted", "escape"), FLAG),
    **dict.fromkeys(("removequotes", "explicit_ids", "fillrecord", "ignoreblanklines"), FLAG),
    **dict.fromkeys(("blanksasnull", "emptyasnull", "trimblanks", "truncatecolumns"), FLAG),
    **dict.fromkeys(("acceptanydate", "roundec", "noload", "ignoreallerrors"), FLAG),
    **dict.fromkeys(("csv", "parquet", "orc", "ssh", "shapefile"), FLAG),
    "acceptinvchars": OPTIONAL_TEXT,
    "avro": OPTIONAL_TEXT,
    "compupdate": SWITCH,
    "comprows": COUNT,
    "dateformat": TEXT,
    "delimiter": TEXT,
    "encoding": TEXT,
    "fixedwidth": TEXT,
    "ignoreheader": COUNT,
    "json": OPTIONAL_TEXT,
    "maxerror": COUNT,
    "null": TEXT,
    "quote": TEXT,
    "readratio": COUNT,
    "statupdate": SWITCH,
    "timeformat": TEXT,
    "master_symmetric_key": TEXT,
}
UNLOAD_PARAMETERS = {
    **_AUTHORIZATION,
    **dict.fromkeys(("gzip", "bzip2", "zstd", "encrypted", "escape", "addquotes", "header"), FLAG),
    **dict.fromkeys(("allowoverwrite", "cleanpath", "csv", "parquet", "json"), FLAG),
    "delimiter": TEXT,
    "extension": TEXT,
    "fixedwidth": TEXT,
    "kms_key_id": TEXT,
    "manifest": SWITCH,
    "maxfilesize": COUNT,
    "null": TEXT,
    "parallel": SWITCH,
    "partition": FLAG,
    "rowgroupsize": COUNT,
}
_FORMATS = ("csv", "parquet", "orc", "json", "avro", "text", "shapefile", "fixedwidth")
_SWITCH_VALUES = ("on", "off", "true", "false", "preset", "verbose")


@dataclass
class Parameters:
    """Parameters of a command.

    :param given: value by name, in lower case; ``True`` for one without value.
    :param columns: columns of PARTITION BY.
    :param include: whether they stay in the data.
    """

    given: dict[str, Any] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    include: bool = False

    def has(self, name: str) -> bool:
        """Tell whether a parameter was given."""
        return name in self.given

    def text(self, name: str, default: str) -> str:
        """Give the text of a parameter."""
        value = self.given.get(name, default)
        return default if value is True else str(value)

    def count(self, name: str, default: int) -> int:
        """Give the number of a parameter."""
        return int(self.given.get(name, default))

    @property
    def roles(self) -> str | None:
        """The roles that it names, ``default`` included."""
        if "iam_role" in self.given:
            return str(self.given["iam_role"])
        for part in self.text("credentials", "").split(";"):
            name, _, value = part.partition("=")
            if name.strip() == "aws_iam_role":
                return value.strip()
        return None

    @property
    def keys(self) -> bool:
        """Whether it names an access key and its secret."""
        if self.has("access_key_id") and self.has("secret_access_key"):
            return True
        names = {part.partition("=")[0].strip() for part in self.text("credentials", "").split(";")}
        return {"aws_access_key_id", "aws_secret_access_key"} <= names


@dataclass
class CopyCommand:
    """A COPY.

    :param table: name of the table, as SQL.
    :param columns: its column list, None for none.
    :param source: where the data is.
    :param parameters: everything else.
    """

    table: str
    columns: list[str] | None
    source: str
    parameters: Parameters


@dataclass
class UnloadCommand:
    """An UNLOAD.

    :param query: the query.
    :param target: prefix of the files.
    :param parameters: everything else.
    """

    query: str
    target: str
    parameters: Parameters


def read_copy(nodes: Sequence[Node], read_name: Any) -> CopyCommand:
    """Read a COPY.

    :param nodes: its nodes.
    :param read_name: reads the name of a table from nodes.
    :returns: the command.
    :raises SqlError: when it is none.
    """
    words = significant(nodes)
    table, at = read_name(words, 1)
    columns = None
    if at < len(words) and isinstance(words[at], Group):
        group = words[at]
        assert isinstance(group, Group)  # noqa: S101 - just looked
        columns = [name_of(part[0]) for part in split(group.nodes)]
        at += 1
    if not is_word(words[at] if at < len(words) else None, "from"):
        raise SqlError(f'syntax error at or near "{_near(words, at)}"')
    source = _string(words, at + 1)
    return CopyCommand(table, columns, source, _parameters(words, at + 2, COPY_PARAMETERS))


def read_unload(nodes: Sequence[Node]) -> UnloadCommand:
    """Read an UNLOAD.

    :param nodes: its nodes.
    :returns: the command.
    :raises SqlError: when it is none.
    """
    words = significant(nodes)
    group = words[1] if len(words) > 1 else None
    inner = significant(group.nodes) if isinstance(group, Group) else []
    if len(inner) != 1 or not isinstance(inner[0], Token) or inner[0].kind not in {STRING, BODY}:
        raise SqlError(f'syntax error at or near "{_near(words, 1)}"')
    query = _string(inner, 0)
    if not is_word(words[2] if len(words) > 2 else None, "to"):  # noqa: PLR2004 - after the query
        raise SqlError(f'syntax error at or near "{_near(words, 2)}"')
    return UnloadCommand(query, _string(words, 3), _parameters(words, 4, UNLOAD_PARAMETERS))


def _parameters(words: Sequence[Node], at: int, known: dict[str, str]) -> Parameters:
    result = Parameters()
    while at < len(words):
        word = words[at]
        name = name_of(word) if is_name(word) else ""
        if name in {"with", "format", "as"}:
            at += 1
            continue
        if name == "text" or (name == "by" and result.has("partition")):
            at += 1
            continue
        kind = known.get(name)
        if kind is None:
            raise SqlError(f'syntax error at or near "{_near(words, at)}"')
        if name in result.given and name not in {"csv", "parquet", "json"}:
            raise SqlError(f"conflicting or redundant options: {name.upper()}")
        at = _value(words, at, kind, name, result)
        if name == "partition":
            at = _partition(words, at, result)
    _check(result)
    return result


def _value(  # noqa: PLR0911 - one kind after the other
    words: Sequence[Node], at: int, kind: str, name: str, result: Parameters
) -> int:
    follows = at + 1
    while is_word(_at(words, follows), "as"):
        follows += 1
    value = _at(words, follows)
    result.given[name] = True
    if kind == ROLE and is_word(value, "default"):
        result.given[name] = "default"
        return follows + 1
    if kind in {TEXT, ROLE}:
        if name == "encoding" and is_name(value):
            assert value is not None  # noqa: S101 - it is a name
            result.given[name] = name_of(value)
            return follows + 1
        result.given[name] = _string(words, follows)
        return follows + 1
    if kind == OPTIONAL_TEXT:
        if isinstance(value, Token) and value.kind == STRING:
            result.given[name] = string_value(value)
            return follows + 1
        return at + 1
    if kind == COUNT:
        return _count(words, follows, name, result)
    if kind == SWITCH and is_word(value, *_SWITCH_VALUES):
        assert value is not None  # noqa: S101 - it is a word
        result.given[name] = name_of(value)
        return follows + 1
    return at + 1


def _count(words: Sequence[Node], at: int, name: str, result: Parameters) -> int:
    node = _at(words, at)
    if not isinstance(node, Token) or node.kind != NUMBER:
        raise SqlError(f'syntax error at or near "{_near(words, at)}"')
    unit = _at(words, at + 1)
    factor = 1
    if name in {"maxfilesize", "rowgroupsize"}:
        factor = 2**30 if is_word(unit, "gb") else 2**20
    result.given[name] = int(float(node.text) * factor)
    return at + 2 if is_word(unit, "mb", "gb") and factor > 1 else at + 1


def _partition(words: Sequence[Node], at: int, result: Parameters) -> int:
    if is_word(_at(words, at), "by"):
        at += 1
    group = _at(words, at)
    if not isinstance(group, Group):
        raise SqlError(f'syntax error at or near "{_near(words, at)}"')
    result.columns = [name_of(part[0]) for part in split(group.nodes)]
    if is_word(_at(words, at + 1), "include"):
        result.include = True
        at += 1
    return at + 1


def _check(parameters: Parameters) -> None:  # noqa: C901 - one rule after the other
    formats = [name for name in _FORMATS if parameters.has(name)]
    if len(formats) > 1:
        raise SqlError(f"{formats[0].upper()} and {formats[1].upper()} can't be used together")
    for name in ("ssh", "shapefile", "lzop", "encrypted", "master_symmetric_key"):
        if parameters.has(name):
            raise UnsupportedSqlError(f"the parameter {name.upper()} of COPY and UNLOAD")
    compressions = [name for name in ("gzip", "bzip2", "zstd") if parameters.has(name)]
    if len(compressions) > 1:
        raise SqlError("conflicting or redundant options: compression")
    for name in ("delimiter", "quote"):
        if parameters.has(name):
            value = decode_escapes(parameters.text(name, ""))
            if len(value) != 1 or ord(value) > 0x7F:  # noqa: PLR2004 - the last of ASCII
                raise SqlError(f"COPY {name} must be a single ASCII character")
            parameters.given[name] = value
    if parameters.has("maxerror") and parameters.count("maxerror", 0) > 100_000:  # noqa: PLR2004
        raise SqlError("MAXERROR must be between 0 and 100000")
    if parameters.has("encoding") and parameters.text("encoding", "").lower() not in {
        "utf8",
        "utf-8",
    }:
        raise UnsupportedSqlError(f"ENCODING {parameters.text('encoding', '').upper()}")
    if parameters.has("csv") and any(
        parameters.has(name) for name in ("escape", "removequotes", "fixedwidth", "addquotes")
    ):
        raise SqlError("CSV is not supported with ESCAPE, REMOVEQUOTES, ADDQUOTES or FIXEDWIDTH")


def decode_escapes(text: str) -> str:
    r"""Read the notations of a character that COPY knows.

    :param text: such as ``\t``, ``\001`` or the character itself.
    :returns: the character.
    """
    if text == "\\t":
        return "\t"
    octal = re.fullmatch(r"\\([0-7]{1,3})", text)
    return chr(int(octal[1], 8)) if octal else text


def _string(words: Sequence[Node], at: int) -> str:
    node = _at(words, at)
    if isinstance(node, Token) and node.kind == STRING:
        return string_value(node)
    if isinstance(node, Token) and node.kind == BODY:
        mark = node.text[: node.text.index("$", 1) + 1]
        return node.text[len(mark) : -len(mark)]
    raise SqlError(f'syntax error at or near "{_near(words, at)}"')


def _at(words: Sequence[Node], at: int) -> Node | None:
    return words[at] if at < len(words) else None


def _near(words: Sequence[Node], at: int) -> str:
    return render(words[at : at + 1]) or "end of input"
