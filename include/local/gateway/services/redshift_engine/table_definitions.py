"""CREATE TABLE and ALTER TABLE: attributes that PostgreSQL doesn't have are taken out and noted."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from include.local.gateway.services.redshift_engine.data_types import length_of_type, translate_type
from include.local.gateway.services.redshift_engine.expressions import translate_expressions
from include.local.gateway.services.redshift_engine.tokens import (
    Group,
    Node,
    SqlError,
    UnsupportedSqlError,
    is_name,
    is_parenthesis,
    is_word,
    literal,
    name_of,
    quote,
    render,
    significant,
    split,
)

_COLUMN_WORDS = (
    *("default", "identity", "generated", "encode", "distkey", "sortkey", "collate", "not"),
    *("null", "unique", "primary", "references"),
)
_STYLES = ("auto", "even", "key", "all")
_ENCODINGS = {
    *("raw", "az64", "bytedict", "delta", "delta32k", "lzo", "mostly8", "mostly16", "mostly32"),
    *("runlength", "text255", "text32k", "zstd", "auto"),
}


@dataclass
class TableDesign:
    """How a table is distributed, sorted and compressed; it changes no result.

    :param style: its distribution style.
    :param distkey: the column that it is distributed by.
    :param sortkeys: the columns that it is sorted by.
    :param encodings: compression by column.
    """

    style: str | None = None
    distkey: str | None = None
    sortkeys: list[str] = field(default_factory=list)
    encodings: dict[str, str] = field(default_factory=dict)

    def note(self, table: str) -> str:
        """Write the statement that keeps it.

        :param table: name of the table, as SQL.
        :returns: SQL for PostgreSQL.
        """
        style = literal(self.style) if self.style else "NULL"
        key = literal(self.distkey) if self.distkey else "NULL"
        keys = ", ".join(literal(name) for name in self.sortkeys)
        return (  # every value in it is a literal
            "INSERT INTO pg_catalog.rs_design "  # noqa: S608 - see above
            "(relid, diststyle, distkey, sortkeys, encodings) "
            f"VALUES ({literal(table)}::regclass, {style}, {key}, "
            f"{f'ARRAY[{keys}]' if keys else 'NULL'}, {literal(json.dumps(self.encodings))}) "
            "ON CONFLICT (relid) DO UPDATE SET "
            "diststyle = coalesce(excluded.diststyle, rs_design.diststyle), "
            "distkey = coalesce(excluded.distkey, rs_design.distkey), "
            "sortkeys = coalesce(excluded.sortkeys, rs_design.sortkeys), "
            "encodings = rs_design.encodings || excluded.encodings"
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was said."""
        return self == TableDesign()


def translate_columns(group: Group, design: TableDesign) -> str:
    """Translate the definitions in the parentheses of CREATE TABLE.

    :param group: the parentheses.
    :param design: takes what is not PostgreSQL's.
    :returns: the definitions for PostgreSQL, without the parentheses.
    """
    written = [_definition(significant(part), design) for part in split(group.nodes)]
    return ", ".join(text for text in written if text)


def _definition(nodes: list[Node], design: TableDesign) -> str:
    if is_word(nodes[0], "foreign"):
        return ""
    if is_word(nodes[0], "constraint"):
        return "" if is_word(_at(nodes, 2), "foreign") else _constraint(nodes)
    if is_word(nodes[0], "like"):
        rest = " ".join(render([node]) for node in translate_expressions(nodes))
        return rest.replace(" . ", ".") + " INCLUDING STORAGE"
    if is_word(nodes[0], "primary", "unique") and is_parenthesis(nodes[-1]):
        return _constraint(nodes)
    return translate_column(nodes, design)


def _constraint(nodes: list[Node]) -> str:
    return " ".join(render([node]) for node in translate_expressions(nodes))


def translate_column(nodes: list[Node], design: TableDesign) -> str:
    """Translate the definition of a column.

    :param nodes: its nodes, without spaces.
    :param design: takes what is not PostgreSQL's.
    :returns: the definition for PostgreSQL.
    :raises SqlError: when something in it is not known.
    """
    if not is_name(nodes[0]) or len(nodes) < 2:  # noqa: PLR2004 - a name and a type
        raise SqlError(f'syntax error at or near "{render(nodes[:1])}"')
    name = name_of(nodes[0])
    count = length_of_type(nodes[1:])
    written = [quote(name), render(translate_type(nodes[1 : 1 + count]))]
    position = 1 + count
    while position < len(nodes):
        position = _attribute(nodes, position, name, design, written)
    return " ".join(written)


def _attribute(  # noqa: C901, PLR0911, PLR0912 - one attribute after the other
    nodes: list[Node], position: int, name: str, design: TableDesign, written: list[str]
) -> int:
    node = nodes[position]
    if is_word(node, "distkey"):
        design.style, design.distkey = "key", name
        return position + 1
    if is_word(node, "sortkey"):
        design.sortkeys.append(name)
        return position + 1
    if is_word(node, "encode"):
        design.encodings[name] = encoding(_at(nodes, position + 1))
        return position + 2
    if is_word(node, "collate"):
        value = name_of(nodes[position + 1]) if len(nodes) > position + 1 else ""
        if value not in {"case_sensitive", "cs"}:
            raise UnsupportedSqlError(f"COLLATE {value.upper()}")
        return position + 2
    if is_word(node, "identity"):
        written.append(_identity("ALWAYS", _at(nodes, position + 1)))
        return position + 2
    if is_word(node, "generated"):
        at = next(i for i in range(position, len(nodes)) if is_word(nodes[i], "identity"))
        written.append(_identity("BY DEFAULT", _at(nodes, at + 1)))
        return at + 2
    if is_word(node, "references"):
        at = position + 2
        while at < len(nodes) and not is_word(nodes[at], *_COLUMN_WORDS):
            at += 1
        return at
    if is_word(node, "default") and is_word(_at(nodes, position + 1), "identity"):
        written.append(_identity("BY DEFAULT", _at(nodes, position + 2)))
        return position + 3
    if is_word(node, "default"):
        at = position + 1
        while at < len(nodes) and (at == position + 1 or not is_word(nodes[at], *_COLUMN_WORDS)):
            at += 1
        default = translate_expressions(nodes[position + 1 : at])
        written.append(f"DEFAULT {' '.join(render([one]) for one in default)}".replace(" (", "("))
        return at
    if is_word(node, "not") or is_word(node, "primary"):
        if not is_word(_at(nodes, position + 1), "null", "key"):
            raise SqlError(f'syntax error at or near "{render([node])}"')
        written.append(render([node]) + " " + render([nodes[position + 1]]))
        return position + 2
    if is_word(node, "null", "unique"):
        written.append(render([node]))
        return position + 1
    raise SqlError(f'syntax error at or near "{render([node])}"')


def _identity(kind: str, group: Node | None) -> str:
    numbers = [render(part) for part in split(group.nodes)] if isinstance(group, Group) else []
    if len(numbers) != 2:  # noqa: PLR2004 - seed and step
        raise SqlError("IDENTITY takes a seed and a step")
    seed, step = numbers
    bounds = " MINVALUE 0" if seed == "0" else ""
    return f"GENERATED {kind} AS IDENTITY (START WITH {seed} INCREMENT BY {step}{bounds})"


def encoding(node: Node | None) -> str:
    """Read a compression encoding.

    :param node: what stands behind ENCODE.
    :returns: its name.
    :raises SqlError: when there is none of that name.
    """
    name = name_of(node) if node is not None and is_name(node) else ""
    if name not in _ENCODINGS:
        raise SqlError(f'invalid encoding type specified "{name}"')
    return name


def read_table_attributes(nodes: Sequence[Node], design: TableDesign) -> None:
    """Read the attributes behind the parentheses of CREATE TABLE.

    :param nodes: the attributes, without spaces.
    :param design: takes them.
    :raises SqlError: when something is not an attribute.
    """
    position = 0
    while position < len(nodes):
        node, then = nodes[position], _at(nodes, position + 1)
        if is_word(node, "compound", "interleaved"):
            position += 1
        elif is_word(node, "backup", "encode") and is_name(then):
            position += 2
        elif is_word(node, "auto") and is_word(then, "refresh"):
            position += 3
        elif is_word(node, "diststyle") and is_word(then, *_STYLES):
            assert then is not None  # noqa: S101 - it is a word
            design.style = name_of(then)
            position += 2
        elif is_word(node, "distkey") and isinstance(then, Group):
            design.style, design.distkey = "key", name_of(significant(then.nodes)[0])
            position += 2
        elif is_word(node, "sortkey") and isinstance(then, Group):
            design.sortkeys = [name_of(part[0]) for part in split(then.nodes)]
            position += 2
        elif is_word(node, "sortkey") and is_word(then, "auto", "none"):
            position += 2
        else:
            raise SqlError(f'syntax error at or near "{render([node])}"')


def _at(nodes: Sequence[Node], position: int) -> Node | None:
    return nodes[position] if position < len(nodes) else None
