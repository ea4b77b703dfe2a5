"""Scripts of tables that come and go, against a plain model of what each of them holds."""

from hypothesis import given, settings
from hypothesis import strategies as st

from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Session
from updraft.sql_lineage.schemas import parse_schemas

BASES = ("s", "u")
SCHEMAS = parse_schemas({name: ["a", "b"] for name in (*BASES, "goal")}, Session())
NAMES = ("w1", "w2", "w3", "w4")


class Model:
    """What the tables hold: sources by column."""

    def __init__(self):
        self.lines = []
        self.held = {}
        self.goal = {"a": set(), "b": set()}
        self.kept = None

    def sources(self, table, column):
        if table in BASES:
            return {f"dev.public.{table}.{column}"}
        return set(self.held[table][column])

    def readable(self):
        return [*BASES, *sorted(self.held)]

    def values(self, source, turned):
        first, second = ("b", "a") if turned else ("a", "b")
        sql = f"select upper({first}) as a, {second} as b from {source}"
        return sql, {"a": self.sources(source, first), "b": self.sources(source, second)}

    def copy(self):
        return (
            {name: {c: set(found) for c, found in one.items()} for name, one in self.held.items()},
            {c: set(found) for c, found in self.goal.items()},
        )

    def make(self, kind, name, sql, values):
        self.lines.append(f"create {kind} {name} as {sql}")
        self.held[name] = values

    def fill(self, name, sql, values):
        self.lines.append(f"insert into {name} {sql}")
        table = self.goal if name == "goal" else self.held[name]
        for column, found in values.items():
            table[column] |= found

    def empty(self, name):
        self.lines.append(f"delete from {name}")
        self.held[name] = {"a": set(), "b": set()}

    def drop(self, name):
        self.lines.append(f"drop table {name}")
        del self.held[name]

    def rename(self, name, other):
        if other not in self.held:
            self.lines.append(f"alter table {name} rename to {other}")
            self.held[other] = self.held.pop(name)

    def transaction(self, end):
        if self.kept is None:
            self.lines.append("begin")
            self.kept = self.copy()
            return
        self.lines.append(end)
        if end == "rollback":
            self.held, self.goal = self.kept
        self.kept = None


def act(model, draw):
    """Add a statement to the script, and do the same to the model."""
    name, other = draw(st.sampled_from(NAMES)), draw(st.sampled_from(NAMES))
    query = model.values(draw(st.sampled_from(model.readable())), draw(st.booleans()))
    kind = draw(st.integers(0, 9))
    if kind == 0:
        model.transaction(draw(st.sampled_from(["commit", "rollback"])))
    elif kind <= 2:
        model.fill("goal", *query)
    elif name not in model.held:
        model.make(draw(st.sampled_from(["temp table", "table"])), name, *query)
    elif kind <= 6:
        model.fill(name, *query)
    else:
        {7: model.empty, 8: model.drop, 9: lambda one: model.rename(one, other)}[kind](name)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_gets_into_the_table_that_stays(data):
    model = Model()
    for _ in range(data.draw(st.integers(1, 18))):
        act(model, data.draw)
    if model.kept is not None:
        model.lines.append("commit")
    model.lines += [f"drop table {name}" for name in sorted(model.held)]
    script = ";\n".join(model.lines)
    lineage = analyze(script, SCHEMAS)
    assert not lineage.errors, script
    assert not lineage.unresolved, script
    assert lineage.columns == {
        f"dev.public.goal.{column}": sorted(found) for column, found in model.goal.items() if found
    }, script
    assert {str(one.dataset) for one in lineage.outputs} <= {"dev.public.goal"}, script
    assert {str(one) for one in lineage.inputs} <= {f"dev.public.{name}" for name in BASES}, script
