"""Clauses of SELECT that PostgreSQL lacks: TOP, QUALIFY and the unnesting of SUPER in FROM."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from include.local.gateway.services.redshift_engine.expressions import is_reference
from include.local.gateway.services.redshift_engine.tokens import (
    WORD,
    Group,
    Node,
    Token,
    UnsupportedSqlError,
    is_name,
    is_parenthesis,
    is_symbol,
    is_word,
    name_of,
    next_significant,
    quote,
    render,
    significant,
    split,
    sql,
    strip,
)

_SET_OPERATORS = ("union", "intersect", "except", "minus")
_CLAUSES = ("into", "from", "where", "group", "having", "qualify", "window", "order", "limit")
_JOINS = ("join", "inner", "left", "right", "full", "cross", "natural")


@dataclass
class Select:
    """A SELECT and where its parts are among the nodes of its level.

    :param begin: position of the word SELECT.
    :param end: position after its last node.
    :param clauses: position of the word that each clause begins with.
    """

    begin: int
    end: int
    clauses: dict[str, int]

    def clause(self, nodes: Sequence[Node], name: str) -> list[Node]:
        """Give a clause.

        :param nodes: the nodes of the level.
        :param name: its first word; ``select`` is the list of what is selected.
        :returns: its nodes, with its first word except for the list; empty when it has none.
        """
        if name == "select":
            begin = self.begin + 1
        elif name in self.clauses:
            begin = self.clauses[name]
        else:
            return []
        later = [at for at in self.clauses.values() if at >= begin and at != self.clauses.get(name)]
        return list(nodes[begin : min([*later, self.end])])


def find_selects(nodes: Sequence[Node]) -> Iterator[Select]:
    """Find the SELECTs of one level of brackets.

    :param nodes: the nodes of the level.
    :returns: the SELECTs, first to last.
    """
    starts = [at for at, node in enumerate(nodes) if is_word(node, "select")]
    for number, begin in enumerate(starts):
        limit = starts[number + 1] if number + 1 < len(starts) else len(nodes)
        end = next(
            (
                at
                for at in range(begin + 1, limit)
                if is_word(nodes[at], *_SET_OPERATORS) or is_symbol(nodes[at], ";")
            ),
            limit,
        )
        clauses: dict[str, int] = {}
        for at in range(begin + 1, end):
            node = nodes[at]
            if is_word(node, *_CLAUSES) and not _is_qualified(nodes, at):
                assert isinstance(node, Token)  # noqa: S101 - it is a word
                clauses.setdefault(node.text.lower(), at)
        yield Select(begin, end, clauses)


def _is_qualified(nodes: Sequence[Node], at: int) -> bool:
    return at > 0 and (is_symbol(nodes[at - 1], ".") or is_word(nodes[at - 1], "as"))


def translate_selects(nodes: Sequence[Node]) -> list[Node]:
    """Translate the SELECTs of all levels.

    :param nodes: nodes of Redshift's SQL.
    :returns: nodes of PostgreSQL's.
    :raises UnsupportedSqlError: for a QUALIFY that can't be written otherwise.
    """
    result: list[Node] = [
        Group(node.opener, translate_selects(node.nodes), node.start)
        if isinstance(node, Group)
        else node
        for node in nodes
    ]
    # From the last to the first, so that positions of the others stay what they are.
    for select in reversed(list(find_selects(result))):
        result[select.begin : select.end] = _translate(result, select)
    return result


def _translate(nodes: Sequence[Node], select: Select) -> list[Node]:
    text = list(nodes[select.begin : select.end])
    text = _with_unnesting(text)
    text = _with_limit(text)
    [found] = list(find_selects(text))[:1]
    if "qualify" in found.clauses:
        text = _without_qualify(text, found)
    return text


def _with_limit(text: list[Node]) -> list[Node]:
    """Write TOP n as LIMIT n."""
    at = next_significant(text, 1)
    if is_word(text[at] if at < len(text) else None, "distinct", "all"):
        at = next_significant(text, at + 1)
    if not is_word(text[at] if at < len(text) else None, "top"):
        return text
    number = next_significant(text, at + 1)
    count = render([text[number]]) if number < len(text) else ""
    if not count.strip("()").isdigit():
        return text
    tail = strip([*text[:at], *text[number + 1 :]])
    return [*tail, *sql(f" LIMIT {count.strip('()')} ")]


def _with_unnesting(text: list[Node]) -> list[Node]:
    [select] = list(find_selects(text))[:1]
    clause = select.clause(text, "from")
    if not clause:
        return text
    known: set[str] = set()
    items: list[list[Node]] = []
    changed = False
    for item in split(clause[1:]):
        new = _unnested(item, known)
        changed |= new is not item
        items.append(new)
        known |= set(aliases_of([Token(WORD, "FROM"), Token("space", " "), *item]))
    if not changed:
        return text
    written = sql("FROM ")
    for number, item in enumerate(items):
        written += [*(sql(", ") if number else []), *item]
    begin = select.clauses["from"]
    return [*text[:begin], *written, *sql(" "), *text[begin + len(clause) :]]


def _unnested(item: list[Node], known: set[str]) -> list[Node]:
    nodes = significant(item)
    if len(nodes) < 3 or not is_name(nodes[0]) or name_of(nodes[0]) not in known:  # noqa: PLR2004
        return item
    length = 1
    while length < len(nodes) and (
        is_symbol(nodes[length], ".")
        or (isinstance(nodes[length], Group) and nodes[length].opener == "[")  # type: ignore[union-attr]
        or (is_name(nodes[length]) and is_symbol(nodes[length - 1], "."))
    ):
        length += 1
    path, rest = nodes[:length], nodes[length:]
    if length == 1:
        return item
    if is_word(rest[0] if rest else None, "as"):
        rest = rest[1:]
    if not rest or not is_name(rest[0]):
        return item
    alias = quote(name_of(rest[0]))
    value = path_call(path, columns=1)
    if len(rest) == 3 and is_word(rest[1], "at"):  # noqa: PLR2004 - alias AT index
        place = quote(name_of(rest[2]))
        source = f"jsonb_array_elements({value}) WITH ORDINALITY AS found(item, place)"
        chosen = f"SELECT item AS {alias}, place - 1 AS {place} FROM {source}"  # noqa: S608 - quoted
        return sql(f"LATERAL ({chosen}) AS rs_at")
    return sql(f"LATERAL rs_elements({value}) AS {alias}({alias})")


def path_call(path: Sequence[Node], columns: int) -> str:
    """Write the navigation into a SUPER value as a call.

    :param path: names, points and groups in square brackets.
    :param columns: how many names come before that of the column.
    :returns: such as ``rs_path(t."data", 'a', '0')``.
    """
    steps: list[str] = []
    column: list[str] = []
    for node in path:
        if isinstance(node, Group):
            steps.append(f"({render(node.nodes)})::text")
        elif is_name(node):
            if len(column) <= columns:
                column.append(quote(name_of(node)))
            else:
                steps.append("'" + name_of(node).replace("'", "''") + "'")
    name = ".".join(column)
    return f"rs_path({', '.join([name, *steps])})" if steps else name


def aliases_of(clause: Sequence[Node]) -> list[str]:
    """List the names under which a FROM clause makes rows known.

    :param clause: the clause, with its first word.
    :returns: the names.
    """
    names: list[str] = []
    nodes = significant(clause)[1:]
    expects = True
    position = 0
    while position < len(nodes):
        node = nodes[position]
        if is_symbol(node, ",") or is_word(node, "join"):
            expects = True
        elif expects and is_word(node, "lateral", "only", *_JOINS):
            pass
        elif expects and (is_name(node) or is_parenthesis(node)):
            last = node
            while position + 2 < len(nodes) and is_symbol(nodes[position + 1], "."):
                position += 2
                last = nodes[position]
            if is_name(last) and is_parenthesis(_at(nodes, position + 1)):
                position += 1
            if is_word(_at(nodes, position + 1), "as"):
                position += 1
            following = _at(nodes, position + 1)
            if is_name(following) and not is_word(
                following, "on", "using", "where", "at", "tablesample", *_JOINS, *_CLAUSES
            ):
                assert following is not None  # noqa: S101 - it is a name
                last = following
                position += 1
            if is_name(last):
                names.append(name_of(last))
            expects = False
        position += 1
    return names


def _at(nodes: Sequence[Node], position: int) -> Node | None:
    return nodes[position] if position < len(nodes) else None


def split_list(nodes: Sequence[Node]) -> tuple[list[Node], list[tuple[list[Node], str]]]:
    """Take the list of a SELECT apart.

    :param nodes: what stands between SELECT and FROM.
    :returns: DISTINCT and its like, and value and name of each item; a star has the name ``*``.
    """
    nodes = strip(nodes)
    head: list[Node] = []
    if nodes and is_word(nodes[0], "distinct", "all"):
        head, nodes = [nodes[0]], strip(nodes[1:])
    return head, [_item(part) for part in split(nodes)]


def _item(part: list[Node]) -> tuple[list[Node], str]:
    found = significant(part)
    last = found[-1]
    if is_symbol(last, "*") and (len(found) == 1 or is_symbol(found[-2], ".")):
        return part, "*"
    if is_name(last) and len(found) > 1:
        before = found[-2]
        cut = part.index(last)
        if is_word(before, "as"):
            return strip(part[: part.index(before)]), name_of(last)
        operand = is_name(before) or isinstance(before, Group)
        operand = operand or (isinstance(before, Token) and before.kind in {"number", "string"})
        operand = operand and not is_word(
            before, "and", "or", "not", "is", "then", "else", "distinct"
        )
        if operand and not is_word(last, "end", "null", "true", "false", "unknown"):
            return strip(part[:cut]), name_of(last)
    if is_name(last):
        return part, name_of(last) if not is_word(last, "end") else "case"
    if is_parenthesis(last) and len(found) > 1 and is_name(found[0]):
        return part, name_of(found[0])
    return part, "?column?"


def _without_qualify(text: list[Node], select: Select) -> list[Node]:
    head, items = split_list(select.clause(text, "select"))
    condition = strip(select.clause(text, "qualify")[1:])
    named = {name: value for value, name in items if name not in {"*", "?column?"}}
    condition = _substituted(condition, named)
    inner: list[str] = []
    outer: list[str] = []
    for number, (value, name) in enumerate(items):
        if name == "*":
            for alias in _starred(value, select.clause(text, "from")):
                place = f"rs_row_{len(inner)}"
                inner.append(f"{quote(alias)} AS {place}")
                outer.append(f"(rs_kept.{place}).*")
        else:
            inner.append(f"{render(value)} AS rs_value_{number}")
            outer.append(f"rs_kept.rs_value_{number} AS {quote(name)}")
    source = "".join(
        f" {render(strip(select.clause(text, name)))}"
        for name in ("from", "where", "group", "having", "window")
        if name in select.clauses
    )
    into = render(strip(select.clause(text, "into")))
    rest = "".join(
        f" {render(strip(select.clause(text, name)))}"
        for name in ("order", "limit")
        if name in select.clauses
    )
    # The SQL is the caller's own, in another order.
    kept = f"SELECT {', '.join(inner)}, ({render(condition)}) AS rs_keep{source}"
    chosen = f"SELECT {render(head)} {', '.join(outer)} {into} FROM ({kept}) AS rs_kept"  # noqa: S608
    return sql(f"{chosen} WHERE rs_kept.rs_keep{rest} ")


def _starred(value: list[Node], clause: list[Node]) -> list[str]:
    found = significant(value)
    if len(found) > 1:
        return [name_of(found[-3])]
    if any(is_word(node, "using", "natural") for node in clause):
        raise UnsupportedSqlError("SELECT * with QUALIFY over a join with USING")
    return aliases_of(clause)


def _substituted(nodes: Sequence[Node], named: dict[str, list[Node]]) -> list[Node]:
    result: list[Node] = []
    for position, node in enumerate(nodes):
        if isinstance(node, Group):
            result.append(Group(node.opener, _substituted(node.nodes, named), node.start))
        elif is_reference(nodes, position) and name_of(node) in named:
            value = named[name_of(node)]
            simple = len(significant(value)) == 1
            result += value if simple else [Group("(", value)]
        else:
            result.append(node)
    return result
