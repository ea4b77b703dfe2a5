"""Scripts that are long in one way or another."""

from collections.abc import Callable

from updraft.sql_lineage.names import Session
from updraft.sql_lineage.schemas import Schemas, parse_schemas

_COLUMNS = [f"c{number}" for number in range(500)]


def _schemas() -> Schemas:
    return parse_schemas({"public.base": _COLUMNS}, Session())


def many_statements() -> tuple[str, Schemas]:
    """Write forty statements of twenty-five lines.

    :returns: the script and its schemas.
    """
    statement = (
        "create temp table stage{number} as\nselect\n"
        + ",\n".join(f"  nvl(a.c{at}, b.c{at}) as c{at}" for at in range(18))
        + "\nfrom base a\njoin other{number} b\n  on a.c1 = b.c1\nwhere a.c2 > 10;\n"
        + "insert into total select * from stage{number};"
    )
    script = "\n".join(statement.format(number=number) for number in range(40))
    return (
        f"create table total ({', '.join(f'{c} int' for c in _COLUMNS[:18])});\n{script}",
        _schemas(),
    )


def one_statement() -> tuple[str, Schemas]:
    """Write one statement of a thousand lines.

    :returns: the script and its schemas.
    """
    first = ",\n".join(
        f"case when a.c{at} > {at} then upper(a.c{at}) else b.k{at} end as c{at}"
        for at in range(498)
    )
    second = ",\n".join(f"max(k{at}) as k{at}" for at in range(498))
    return (
        f"create table total as\nselect {first}\nfrom base a\n"
        f"join (select {second} from other group by g) b\non a.c0 = b.k0",
        _schemas(),
    )


def many_columns() -> tuple[str, Schemas]:
    """Write a query of thirty CTEs with five hundred columns each.

    :returns: the script and its schemas.
    """
    parts, before = [], "base"
    for number in range(30):
        columns = ", ".join(
            f"nvl({name}, c0) as {name}" if at % 50 == 0 else name
            for at, name in enumerate(_COLUMNS)
        )
        parts.append(f"x{number} as (select {columns} from {before})")
        before = f"x{number}"
    parts_text = ",\n".join(parts)
    return f"create table total as\nwith {parts_text}\nselect * from {before}", _schemas()


def many_unions() -> tuple[str, Schemas]:
    """Write five hundred queries joined by ``UNION ALL``.

    :returns: the script and its schemas.
    """
    queries = "\nunion all\n".join(f"select {name} as a, c1 as b from base" for name in _COLUMNS)
    return f"create table total as\n{queries}", _schemas()


LONG_SCRIPTS: dict[str, Callable[[], tuple[str, Schemas]]] = {
    "many statements": many_statements,
    "one statement": one_statement,
    "30 CTEs of 500 columns": many_columns,
    "500 UNION ALL": many_unions,
}
