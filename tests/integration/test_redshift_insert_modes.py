"""The four insert modes on random tables, against a model of what Data Pipeline did.

Each load is submitted twice under one token, as a retry does.
"""

import uuid

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.integration.redshift_warehouse import ROLE, new_warehouse
from updraft.operators.redshift_tables import table_facts
from updraft.redshift.copy_statement import FileOptions, copy_sql, s3_source
from updraft.redshift.credentials import iam_role_clause
from updraft.redshift.identifiers import parse_table
from updraft.redshift.insert_modes import InsertMode, Load, load_statements

pytestmark = pytest.mark.integration

TABLES = {
    "with_key": "(a int, b varchar(9), c varchar(9), primary key (a, b))",
    "with_design": "(a int, b varchar(9), c varchar(9)) distkey (b) sortkey (a)",
    "bare": "(a int, b varchar(9), c varchar(9))",
    "overridden": "(a int, b varchar(9), c varchar(9) primary key)",
}
TEXTS = st.sampled_from(["", "x", "it's", "ä"])
ROWS = st.lists(
    st.tuples(st.none() | st.integers(0, 2), st.none() | TEXTS, st.none() | TEXTS), max_size=5
)
DOUBLES = [(1, "x", "n"), (1, "x", "m"), (None, "x", "n"), (None, "x", "n"), (0, None, "n")]
OLD = [(1, "x", "o"), (1, "x", "p"), (None, "x", "o"), (0, None, "o"), (2, "", "o")]


def keyed(row):
    """Give the key, by which a row with NULL in it has no equal."""
    return None if None in row[:2] else row[:2]


def model(mode, old, new):
    """Do to lists what the service did to tables."""
    if mode is InsertMode.APPEND:
        return old + new
    if mode is InsertMode.TRUNCATE:
        return new
    if mode is InsertMode.KEEP_EXISTING:
        taken = {keyed(row) for row in old} - {None}
        return old + [row for row in new if keyed(row) not in taken]
    replaced = {keyed(row) for row in new} - {None}
    return [row for row in old if keyed(row) not in replaced] + new


@pytest.fixture(scope="module")
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    for name, definition in TABLES.items():
        warehouse.run(f"create table {name} {definition}")

    def rows(sql, parameters):
        done = warehouse.run(sql, {name: str(value) for name, value in parameters.items()})
        page = warehouse.data.get_statement_result(Id=done["Id"])
        names = [column["name"] for column in page["ColumnMetadata"]]
        found = warehouse.result(done["Id"])
        return [dict(zip(names, row, strict=True)) for row in found]

    warehouse.facts = {name: table_facts(rows, parse_table("table", name)) for name in TABLES}
    return warehouse


def without_nulls(name, rows):
    """Leave no NULL in a primary key, which is NOT NULL."""
    if name == "with_key":
        return [(a or 0, b or "", c) for a, b, c in rows]
    return [(a, b, c or "") for a, b, c in rows] if name == "overridden" else rows


def literal(value):
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def field(value):
    return "\\N" if value is None else str(value)


@pytest.mark.parametrize("mode", InsertMode)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(sorted(TABLES)), rows=st.tuples(ROWS, ROWS), transformed=st.booleans())
@example(name="with_key", rows=(OLD, DOUBLES), transformed=False)
@example(name="bare", rows=(OLD, DOUBLES), transformed=False)
@example(name="with_design", rows=(OLD, DOUBLES), transformed=True)
def test_a_load_does_what_the_model_does(warehouse, mode, name, rows, transformed):
    old, new = (without_nulls(name, one) for one in rows)
    body = "".join("|".join(map(field, row)) + "\n" for row in new)
    source = s3_source("s3_uri", warehouse.put("in/rows", body.encode()))
    table = parse_table("table", name)
    load = Load(
        table,
        mode,
        primary_keys=("a", "b") if name in {"bare", "overridden"} else (),
        transformation="SELECT a, b, c || '!' FROM staging" if transformed else None,
    )
    role = iam_role_clause("iam_role", ROLE)
    fill = copy_sql('"staging"', (), source, role, FileOptions().options())
    values = ", ".join(f"({', '.join(map(literal, row))})" for row in old)
    before = [f"delete from {name}", *([f"insert into {name} values {values}"] if old else [])]
    token = str(uuid.uuid4())
    sqls = [*before, *load_statements(load, warehouse.facts[name], fill)]
    call = {"Sqls": sqls, "ClientToken": token}
    ids = {warehouse.data.batch_execute_statement(**call, **warehouse.place)["Id"]}
    done = warehouse.finish(*ids)
    assert done["Status"] == "FINISHED", done
    ids.add(warehouse.data.batch_execute_statement(**call, **warehouse.place)["Id"])
    assert len(ids) == 1

    if transformed:
        new = [(a, b, None if c is None else f"{c}!") for a, b, c in new]
    found = [tuple(row) for row in warehouse.rows(f"select a, b, c from {name}")]
    assert sorted(found, key=repr) == sorted(model(mode, old, new), key=repr)


def test_which_keys_the_catalog_gives(warehouse):
    facts = warehouse.facts
    assert facts["with_key"].primary_key == ("a", "b")
    assert (facts["with_design"].distribution_key, facts["with_design"].sort_key) == (
        ("b",),
        ("a",),
    )
    assert not any((facts["bare"].primary_key, facts["bare"].sort_key))
