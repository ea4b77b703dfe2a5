"""Data types: what Redshift's are in PostgreSQL.

.. seealso:: https://docs.aws.amazon.com/redshift/latest/dg/c_Supported_data_types.html
"""

from collections.abc import Sequence

from include.local.gateway.services.redshift_engine.tokens import (
    Group,
    Node,
    SqlError,
    UnsupportedSqlError,
    is_parenthesis,
    is_word,
    name_of,
    render,
    significant,
    sql,
)

MOST_VARCHAR = 65535
_MOST_CHAR = 4096
_SINGLE_DIGITS = 24  # binary digits of a float that fit into four bytes
_UNSUPPORTED = {"geometry", "geography", "hllsketch"}
_SAME = {
    "bigint": "bigint",
    "bool": "boolean",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamp",
    "float4": "real",
    "float8": "double precision",
    "int": "integer",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "integer": "integer",
    "real": "real",
    "smallint": "smallint",
    "super": "super",
    "timestamptz": "timestamptz",
    "timetz": "timetz",
    "varbinary": "bytea",
    "varbyte": "bytea",
}


def length_of_type(nodes: Sequence[Node]) -> int:
    """Count the nodes of the type that some nodes begin with.

    :param nodes: nodes without spaces.
    :returns: how many belong to the type; 0 when they begin with none that is known.
    """
    if not nodes or not isinstance(nodes[0], object) or isinstance(nodes[0], Group):
        return 0
    words = [name_of(node) if not isinstance(node, Group) else "" for node in nodes[:5]]
    first = words[0]
    count = 1
    if first in {"double", "character", "char", "nchar", "bit", "binary"} and words[1:2] in (
        ["precision"],
        ["varying"],
    ):
        count = 2
    if is_parenthesis(nodes[count] if len(nodes) > count else None):
        count += 1
    if first in {"timestamp", "time"} and words[count : count + 1] in (["with"], ["without"]):
        count += 3
    return count


def translate_type(  # noqa: PLR0911 - a family of types after the other
    nodes: Sequence[Node], *, cast: bool = False
) -> list[Node]:
    """Translate a type.

    :param nodes: its nodes without spaces.
    :param cast: whether a value is cast to it, rather than a column declared with it.
    :returns: PostgreSQL's type.
    :raises SqlError: when its size is out of range.
    :raises UnsupportedSqlError: for types that are left out.
    """
    nodes = significant(nodes)
    group = next((node for node in nodes if isinstance(node, Group)), None)
    size = render(group.nodes).strip().lower() if group is not None else ""
    words = " ".join(name_of(node) for node in nodes if not isinstance(node, Group))
    if words in _UNSUPPORTED:
        raise UnsupportedSqlError(f"the type {words.upper()}")
    if words in _SAME:
        return sql(_SAME[words])
    if words in {"float", "double precision"}:
        single = words == "float" and size.isdigit() and int(size) <= _SINGLE_DIGITS
        return sql("real" if single else "double precision")
    if words in {"decimal", "numeric"}:
        return sql(f"numeric({size or '18,0'})")
    if words in {"varchar", "character varying", "nvarchar", "text"}:
        if words == "text" or not size:
            size = "" if cast else "256"
        return sql(_sized("varchar", size, MOST_VARCHAR))
    if words in {"char", "character", "nchar"}:
        return sql(_sized("char", size or "1", _MOST_CHAR))
    if words == "bpchar":
        return sql("char(256)" if not cast else "bpchar")
    return list(sql(" ".join(render([node]) for node in nodes)))


def _sized(name: str, size: str, most: int) -> str:
    if size == "max":
        size = str(most)
    if size.isdigit() and int(size) > most:
        kind = "character varying" if name == "varchar" else "character"
        raise SqlError(f"length for type {kind} cannot exceed {most}")
    return f"{name}({size})" if size else name


def is_type(nodes: Sequence[Node]) -> bool:
    """Tell whether nodes begin with a type that has to be translated in a cast."""
    return is_word(
        nodes[0] if nodes else None,
        *_SAME,
        *_UNSUPPORTED,
        *("float", "double", "decimal", "numeric", "varchar", "character", "nvarchar", "text"),
        *("char", "nchar", "bpchar"),
    )
