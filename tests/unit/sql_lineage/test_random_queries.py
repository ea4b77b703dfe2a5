"""Queries whose lineage is known because of how they were made."""

from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Session
from updraft.sql_lineage.schemas import parse_schemas

TABLES = {"t": ["a", "b", "c"], "u": ["a", "d"], "v": ["b", "d", "e"]}
SCHEMAS = parse_schemas(TABLES, Session())
FORMS = ("{0}", "upper({0})", "max({0}) over (partition by {1})", "coalesce({0}, {1})", "{0} + {1}")
VALUES = {FORMS[0]: 1, FORMS[1]: 1, FORMS[2]: 1, FORMS[3]: 2, FORMS[4]: 2}
"""How many of the arguments are values; the others only steer."""
CASE = "case when {2} > 0 then {0} else {1} end"


@dataclass
class Query:
    """A query: its columns with their sources, and how to write it."""

    columns: list[tuple[str, frozenset[str]]]
    kind: str
    parts: list["Query"] = field(default_factory=list)
    chosen: Any = None


def table(name):
    columns = [(column, frozenset([f"dev.public.{name}.{column}"])) for column in TABLES[name]]
    return Query(columns, "table", chosen=name)


@st.composite
def selections(draw, inner):
    """Choose expressions over the columns of one or two queries."""
    parts = [draw(inner) for _ in range(draw(st.integers(1, 2)))]
    available = [
        (side, name, sources) for side, part in enumerate(parts) for name, sources in part.columns
    ]
    columns, chosen = [], []
    for place in range(draw(st.integers(1, 4))):
        form = draw(st.sampled_from([*FORMS, CASE]))
        picked = [draw(st.sampled_from(available)) for _ in range(3)]
        values = picked[: VALUES.get(form, 2)]
        columns.append((f"k{place}", frozenset().union(*(sources for _, _, sources in values))))
        chosen.append((form, [(side, name) for side, name, _ in picked]))
    return Query(columns, "select", parts, chosen)


@st.composite
def stars(draw, inner):
    part = draw(inner)
    return Query(part.columns, "star", [part])


@st.composite
def unions(draw, inner):
    left, right = draw(inner), draw(inner)
    width = min(len(left.columns), len(right.columns))
    operator = draw(st.sampled_from(["union all", "union", "except"]))
    columns = [
        (name, sources if operator == "except" else sources | other)
        for (name, sources), (_, other) in zip(left.columns, right.columns, strict=False)
    ]
    return Query(columns[:width], operator, [left, right], width)


queries = st.recursive(
    st.sampled_from(sorted(TABLES)).map(table),
    lambda inner: st.one_of(selections(inner), stars(inner), unions(inner)),
    max_leaves=8,
)


class Writer:
    """Writes a query down, with one kind of aliases or another, as subqueries or as CTEs."""

    def __init__(self, prefix, *, common):
        self.prefix, self.common, self.count, self.ctes = prefix, common, 0, []

    def alias(self):
        self.count += 1
        return f"{self.prefix}{self.count}"

    def statement(self, query):
        body = self.select(query)
        ctes = f"with {', '.join(self.ctes)} " if self.ctes else ""
        return f"create table made as {ctes}{body}"

    def source(self, query, alias):
        if query.kind == "table":
            return f"{query.chosen} {alias}"
        if self.common:
            name = self.alias()
            body = self.select(query)
            self.ctes.append(f"{name} as ({body})")
            return f"{name} as {alias}"
        return f"({self.select(query)}) as {alias}"

    def select(self, query):
        if query.kind == "table":
            return f"select * from {query.chosen}"
        if query.kind == "star":
            return f"select * from {self.source(query.parts[0], self.alias())}"
        if query.kind == "select":
            aliases = [self.alias() for _ in query.parts]
            sources = [self.source(*one) for one in zip(query.parts, aliases, strict=True)]
            items = [
                form.format(*(f"{aliases[side]}.{name}" for side, name in arguments)) + f" as k{at}"
                for at, (form, arguments) in enumerate(query.chosen)
            ]
            return f"select {', '.join(items)} from {' cross join '.join(sources)}"
        sides = []
        for part in query.parts:
            alias = self.alias()
            names = ", ".join(f"{alias}.{name}" for name, _ in part.columns[: query.chosen])
            sides.append(f"select {names} from {self.source(part, alias)}")
        return f" {query.kind} ".join(f"({side})" for side in sides)


def expected(query):
    return {
        f"dev.public.made.{name}": sorted(sources) for name, sources in query.columns if sources
    }


@settings(max_examples=250, deadline=None)
@given(queries, st.booleans())
def test_the_lineage_is_the_one_it_was_made_with(query, common):
    sql = Writer("q", common=common).statement(query)
    lineage = analyze(sql, SCHEMAS)
    assert not lineage.errors, sql
    assert not lineage.unresolved, sql
    assert lineage.columns == expected(query), sql


@settings(max_examples=100, deadline=None)
@given(queries, st.booleans())
def test_other_aliases_change_nothing(query, common):
    one, other = (
        analyze(Writer(prefix, common=common).statement(query), SCHEMAS)
        for prefix in ("q", "another_")
    )
    assert one.as_json() == other.as_json()
    assert [set(output.influences) for output in one.outputs] == [
        set(output.influences) for output in other.outputs
    ]


@settings(max_examples=100, deadline=None)
@given(queries, st.booleans())
def test_without_schemas_there_are_fewer_edges_and_no_others(query, common):
    sql = Writer("q", common=common).statement(query)
    truth = expected(query)
    lineage = analyze(sql)
    assert not lineage.errors
    for column, sources in lineage.columns.items():
        assert set(sources) <= set(truth.get(column, ())), sql
    if lineage.columns != truth:
        assert lineage.unresolved, sql


@settings(max_examples=100, deadline=None)
@given(queries, st.booleans())
def test_a_detour_through_a_temporary_table_changes_nothing(query, common):
    sql = Writer("q", common=common).statement(query)
    detour = sql.replace("create table made", "create temp table made")
    lineage = analyze(f"{detour}; create table final as select * from made", SCHEMAS)
    assert lineage.columns == {
        name.replace(".made.", ".final."): sources for name, sources in expected(query).items()
    }
    assert lineage.inputs == analyze(sql, SCHEMAS).inputs
