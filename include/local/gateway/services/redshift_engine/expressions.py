"""Functions and operators of Redshift that PostgreSQL writes in another way."""

from collections.abc import Callable, Sequence

from include.local.gateway.services.redshift_engine.data_types import (
    is_type,
    length_of_type,
    translate_type,
)
from include.local.gateway.services.redshift_engine.date_parts import DATE_PARTS
from include.local.gateway.services.redshift_engine.tokens import (
    PARAMETER,
    QUOTED,
    STRING,
    WORD,
    Group,
    Node,
    SqlError,
    Token,
    UnsupportedSqlError,
    is_name,
    is_parenthesis,
    is_space,
    is_symbol,
    is_word,
    literal,
    name_of,
    next_significant,
    quote,
    render,
    significant,
    split,
    sql,
    string_value,
    strip,
)

Arguments = list[list[Node]]


def translate_expressions(nodes: Sequence[Node]) -> list[Node]:
    """Translate what can stand in any expression.

    :param nodes: nodes of Redshift's SQL.
    :returns: nodes of PostgreSQL's.
    :raises UnsupportedSqlError: for constructs that are left out.
    """
    result: list[Node] = []
    position = 0
    while position < len(nodes):
        node = nodes[position]
        if isinstance(node, Group):
            result.append(Group(node.opener, translate_expressions(node.nodes)))
            position += 1
        elif node.kind == QUOTED:
            result.append(Token(QUOTED, quote(name_of(node))))
            position += 1
        elif is_symbol(node, "::"):
            position = _cast(nodes, position, result)
        elif node.kind == WORD:
            position = _word(nodes, position, result)
        else:
            result.append(node)
            position += 1
    return result


def _cast(nodes: Sequence[Node], position: int, result: list[Node]) -> int:
    result.append(nodes[position])
    rest = significant(nodes[position + 1 : position + 12])
    if not is_type(rest):
        return position + 1
    count = length_of_type(rest)
    result += translate_type(rest[:count], cast=True)
    last = rest[count - 1]
    return next(at for at in range(position + 1, len(nodes)) if nodes[at] is last) + 1


def _word(  # noqa: C901, PLR0911 - one word after the other
    nodes: Sequence[Node], position: int, result: list[Node]
) -> int:
    node = nodes[position]
    following = next_significant(nodes, position + 1)
    then = nodes[following] if following < len(nodes) else None
    previous = next((one for one in reversed(result) if not is_space(one)), None)
    name = name_of(node)
    if is_symbol(previous, "."):
        result.append(node)
        return position + 1
    if isinstance(then, Group) and then.opener == "(":
        function = _FUNCTIONS.get(name)
        if function is not None and not is_word(previous, "into", "table", "function", "join"):
            result += function(split(then.nodes))
            return following + 1
        if name in {"pivot", "unpivot"}:
            raise UnsupportedSqlError(name.upper())
        if name == "listagg":
            return _listagg(nodes, following, result)
        if name == "ratio_to_report":
            value = render(translate_expressions(then.nodes))
            over = next_significant(nodes, following + 1)
            window = next_significant(nodes, over + 1)
            if not is_word(nodes[over] if over < len(nodes) else None, "over"):
                raise SqlError("RATIO_TO_REPORT needs an OVER clause")
            text = render(translate_expressions(nodes[over : window + 1]))
            result += sql(f"(({value})::double precision / nullif(sum({value}) {text}, 0))")
            return window + 1
    elif name == "sysdate":
        result += sql("rs_sysdate()")
        return position + 1
    elif name == "approximate" and is_word(then, "count", "percentile_disc"):
        return following
    elif name == "minus" and (is_word(then, "select", "all") or is_parenthesis(then)):
        result.append(Token(WORD, "EXCEPT"))
        return position + 1
    elif name == "ignore" and is_word(then, "nulls"):
        raise UnsupportedSqlError("IGNORE NULLS of window functions")
    elif name == "connect" and is_word(then, "by"):
        raise UnsupportedSqlError("CONNECT BY")
    result.append(node)
    return position + 1


def _listagg(nodes: Sequence[Node], position: int, result: list[Node]) -> int:
    group = nodes[position]
    assert isinstance(group, Group)  # noqa: S101 - the caller has looked
    parts = split(group.nodes)
    distinct = bool(parts) and is_word(parts[0][0], "distinct")
    value = render(translate_expressions(parts[0][1:] if distinct else parts[0]))
    delimiter = render(translate_expressions(parts[1])) if len(parts) > 1 else "''"
    position += 1
    order = ""
    within = next_significant(nodes, position)
    words = significant(nodes[within : within + 6])
    if is_word(words[0] if words else None, "within"):
        ordering = next(node for node in words if isinstance(node, Group))
        order = " " + render(translate_expressions(ordering.nodes))
        position = next(i for i in range(within, len(nodes)) if nodes[i] is ordering) + 1
        if distinct:
            ordered = render(significant(split(ordering.nodes)[0])).lower()
            if f"by{render(significant(parts[0][1:]))}".lower() in ordered.replace("order", ""):
                order = order.replace(value.strip(), f"({value.strip()})::text", 1)
    following = next_significant(nodes, position)
    if order and is_word(nodes[following] if following < len(nodes) else None, "over"):
        raise UnsupportedSqlError("LISTAGG … WITHIN GROUP (ORDER BY …) as a window function")
    what = f"{'DISTINCT ' if distinct else ''}({value})::text, {delimiter}{order}"
    result += sql(f"string_agg({what})")
    return position


def _each(arguments: Arguments) -> list[str]:
    return [render(translate_expressions(argument)) for argument in arguments]


def _call(name: str) -> Callable[[Arguments], list[Node]]:
    return lambda arguments: sql(f"{name}({', '.join(_each(arguments))})")


def _part(argument: list[Node]) -> str:
    found = significant(argument)
    node = found[0] if len(found) == 1 else None
    if isinstance(node, Token) and node.kind in {WORD, QUOTED, STRING}:
        name = string_value(node).lower() if node.kind == STRING else name_of(node)
        if name in DATE_PARTS:
            return f"'{DATE_PARTS[name]}'"
        raise SqlError(f'timestamp units "{name}" not recognized')
    return render(translate_expressions(argument))


def _moment(argument: list[Node]) -> str:
    """Write a date: a bare string or parameter is a timestamp to Redshift's date functions."""
    found = significant(argument)
    node = found[0] if len(found) == 1 else None
    text = render(translate_expressions(argument))
    if isinstance(node, Token) and node.kind in {STRING, PARAMETER}:
        return f"{text}::timestamp"
    return text


def _dateadd(arguments: Arguments) -> list[Node]:
    _require("dateadd", arguments, 3)
    number = render(translate_expressions(arguments[1]))
    return sql(f"dateadd({_part(arguments[0])}, ({number})::bigint, {_moment(arguments[2])})")


def _datediff(arguments: Arguments) -> list[Node]:
    _require("datediff", arguments, 3)
    first, second = _moment(arguments[1]), _moment(arguments[2])
    return sql(f"datediff({_part(arguments[0])}, {first}, {second})")


def _date_part(arguments: Arguments) -> list[Node]:
    _require("date_part", arguments, 2)
    return sql(f"date_part({_part(arguments[0])}, {_moment(arguments[1])})")


def _date_trunc(arguments: Arguments) -> list[Node]:
    _require("date_trunc", arguments, 2)
    return sql(f"date_trunc({_part(arguments[0])}, {_moment(arguments[1])})")


def _extract(arguments: Arguments) -> list[Node]:
    words = significant(arguments[0]) if arguments else []
    if len(words) < 3 or not is_word(words[1], "from"):  # noqa: PLR2004 - part, FROM, value
        raise SqlError('syntax error at or near "EXTRACT"')
    value = arguments[0][arguments[0].index(words[1]) + 1 :]
    return sql(f"rs_extract({_part([words[0]])}, {_moment(strip(value))})")


def _moments(name: str, *positions: int) -> Callable[[Arguments], list[Node]]:
    def write(arguments: Arguments) -> list[Node]:
        count = len(arguments)
        wanted = {position % count for position in positions} if count else set()
        texts = [
            _moment(argument) if at in wanted else render(translate_expressions(argument))
            for at, argument in enumerate(arguments)
        ]
        return sql(f"{name}({', '.join(texts)})")

    return write


def _nvl2(arguments: Arguments) -> list[Node]:
    _require("nvl2", arguments, 3)
    value, there, absent = _each(arguments)
    return sql(f"(CASE WHEN ({value}) IS NOT NULL THEN {there} ELSE {absent} END)")


def _decode(arguments: Arguments) -> list[Node]:
    if len(arguments) < 3:  # noqa: PLR2004 - DECODE(value, search, result, …)
        raise SqlError("function decode needs at least three arguments")
    value, *rest = _each(arguments)
    cases = "".join(
        f" WHEN ({value}) IS NOT DISTINCT FROM ({search}) THEN {found}"
        for search, found in zip(rest[::2], rest[1::2], strict=False)
    )
    other = f" ELSE {rest[-1]}" if len(rest) % 2 else ""
    return sql(f"(CASE{cases}{other} END)")


def _concat(arguments: Arguments) -> list[Node]:
    _require("concat", arguments, 2)
    first, second = _each(arguments)
    return sql(f"(({first}) || ({second}))")


def _convert(arguments: Arguments) -> list[Node]:
    _require("convert", arguments, 2)
    kind = render(translate_type(significant(arguments[0]), cast=True))
    return sql(f"CAST({render(translate_expressions(arguments[1]))} AS {kind})")


def _cast_call(arguments: Arguments) -> list[Node]:
    nodes = arguments[0] if len(arguments) == 1 else []
    marks = [at for at, node in enumerate(nodes) if is_word(node, "as")]
    if not marks:
        raise SqlError('syntax error at or near "CAST"')
    kind = significant(nodes[marks[-1] + 1 :])
    value = render(translate_expressions(nodes[: marks[-1]])).strip()
    name = render(translate_type(kind, cast=True) if is_type(kind) else translate_expressions(kind))
    return sql(f"CAST({value} AS {name})")


def _median(arguments: Arguments) -> list[Node]:
    _require("median", arguments, 1)
    value = render(translate_expressions(arguments[0]))
    return sql(f"percentile_cont(0.5) WITHIN GROUP (ORDER BY {value})")


def _array(arguments: Arguments) -> list[Node]:
    if len(arguments) == 1 and is_word(arguments[0][0], "select", "with"):
        raise UnsupportedSqlError("ARRAY(SELECT …)")
    return _call("jsonb_build_array")(arguments)


def _extract_path(arguments: Arguments) -> list[Node]:
    forgiving = "false"
    if arguments and is_word(arguments[-1][0], "true", "false") and len(arguments[-1]) == 1:
        forgiving = render(arguments.pop())
    path = [f"({text})::text" for text in _each(arguments[1:])]
    value = render(translate_expressions(arguments[0])) if arguments else "''"
    if not path:
        raise SqlError("function json_extract_path_text needs a path")
    return sql(f"rs_json_extract_path_text({forgiving}, {value}, {', '.join(path)})")


def _trim_json(name: str) -> Callable[[Arguments], list[Node]]:
    """Give a string of JSON as text, since PostgreSQL would take a literal for its own type."""

    def write(arguments: Arguments) -> list[Node]:
        first, *rest = _each(arguments)
        return sql(f"{name}({', '.join([f'({first})::text', *rest])})")

    return write


def _require(name: str, arguments: Arguments, count: int) -> None:
    if len(arguments) != count:
        raise SqlError(f"function {name} takes {count} arguments, got {len(arguments)}")


def _not_executed(name: str) -> Callable[[Arguments], list[Node]]:
    def refuse(arguments: Arguments) -> list[Node]:
        del arguments
        raise UnsupportedSqlError(f"the function {name.upper()}")

    return refuse


_VERSION = (
    "PostgreSQL 8.0.2 on i686-pc-linux-gnu, compiled by GCC gcc (GCC) 3.4.2, Redshift 1.0.0 "
    "(Updraft's local stack)"
)

_FUNCTIONS: dict[str, Callable[[Arguments], list[Node]]] = {
    "add_months": _moments("add_months", 0),
    "array": _array,
    "cast": _cast_call,
    "concat": _concat,
    "convert": _convert,
    "convert_timezone": _moments("convert_timezone", -1),
    "crc32": _call("rs_crc32"),
    "date_part": _date_part,
    "pgdate_part": _date_part,
    "date_trunc": _date_trunc,
    "dateadd": _dateadd,
    "date_add": _dateadd,
    "datediff": _datediff,
    "date_diff": _datediff,
    "decode": _decode,
    "extract": _extract,
    "isnull": _call("coalesce"),
    "json_serialize": _call("rs_json_serialize"),
    "json_array_length": _trim_json("json_array_length"),
    "json_extract_array_element_text": _trim_json("json_extract_array_element_text"),
    "json_extract_path_text": _extract_path,
    "last_day": _moments("last_day", 0),
    "median": _median,
    "months_between": _moments("months_between", 0, 1),
    "next_day": _moments("next_day", 0),
    "nvl": _call("coalesce"),
    "nvl2": _nvl2,
    "object": _call("jsonb_build_object"),
    "regexp_replace": _call("rs_regexp_replace"),
    "regexp_substr": _call("rs_regexp_substr"),
    "version": lambda _: sql(literal(_VERSION)),
    **{
        name: _not_executed(name)
        for name in (
            *("fnv_hash", "func_sha1", "sha", "sha1", "farmhash64", "murmur3_32_hash", "hll"),
            *("bpcharcmp", "object_transform", "array_flatten", "subarray", "split_to_array"),
            *("st_makepoint", "st_astext", "explode_json_array"),
        )
    },
}


def is_reference(nodes: Sequence[Node], position: int) -> bool:
    """Tell whether a name stands for a column: no function, no part of a longer name.

    :param nodes: the nodes.
    :param position: position of the name.
    """
    if not is_name(nodes[position]):
        return False
    following = next_significant(nodes, position + 1)
    then = nodes[following] if following < len(nodes) else None
    before = position - 1
    while before >= 0 and is_space(nodes[before]):
        before -= 1
    previous = nodes[before] if before >= 0 else None
    return not (
        is_symbol(then, ".")
        or is_parenthesis(then)
        or is_symbol(previous, ".")
        or is_symbol(previous, "::")
        or is_word(previous, "as")
    )
