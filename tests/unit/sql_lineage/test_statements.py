"""Lineage of single statements, with answers written by hand."""

import pytest

from benchmarks.sql_lineage.corpus import cases
from benchmarks.sql_lineage.corpus import schemas as corpus_schemas
from updraft.sql_lineage import parsing
from updraft.sql_lineage.analysis import analyze
from updraft.sql_lineage.names import Session
from updraft.sql_lineage.schemas import parse_schemas

SCHEMAS = parse_schemas(
    {
        "orders": ["id", "customer_id", "amount"],
        "stage": {"id": "bigint", "customer_id": "bigint", "amount": "numeric"},
        "market.sales": ["id", "name"],
        "customers": ["id", "name", "addr"],
    },
    Session(),
)
ORDERS, STAGE, CUSTOMERS = "dev.public.orders", "dev.public.stage", "dev.public.customers"


def found(sql, schemas=SCHEMAS):
    lineage = analyze(sql, schemas)
    assert not lineage.errors, lineage.errors
    printed = lineage.as_json()
    return printed["inputs"], printed["outputs"], printed["columns"]


def unresolved(sql, schemas=None):
    return [(one.what, one.reason) for one in analyze(sql, schemas).unresolved]


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_benchmark_has_it_right(case):
    lineage = analyze(case.sql, parse_schemas(corpus_schemas(), Session()))
    printed = lineage.as_json()
    assert set(printed["inputs"]) == case.truth.inputs
    assert set(printed["outputs"]) == case.truth.outputs
    columns = list(printed["columns"].items())
    for result in printed["results"]:
        columns += result["columns"].items()
    assert {(name, one) for name, sources in columns for one in sources} == case.truth.edges
    assert bool(lineage.errors) == case.truth.failed


@pytest.mark.parametrize(
    ("sql", "inputs", "outputs", "columns"),
    [
        pytest.param(
            "create table market.s as select id, name from a union all select id, name from b",
            ["dev.public.a", "dev.public.b"],
            ["dev.market.s"],
            {
                "dev.market.s.id": ["dev.public.a.id", "dev.public.b.id"],
                "dev.market.s.name": ["dev.public.a.name", "dev.public.b.name"],
            },
            id="CTAS of UNION ALL",
        ),
        pytest.param(
            "insert into market.sales (name, id) select upper(name), id from customers",
            [CUSTOMERS],
            ["dev.market.sales"],
            {
                "dev.market.sales.name": [f"{CUSTOMERS}.name"],
                "dev.market.sales.id": [f"{CUSTOMERS}.id"],
            },
            id="INSERT with a list: the names of the target, not of the query",
        ),
        pytest.param(
            "insert into market.sales select customer_id, upper('x') from orders",
            [ORDERS],
            ["dev.market.sales"],
            {"dev.market.sales.id": [f"{ORDERS}.customer_id"]},
            id="INSERT without a list: by place",
        ),
        pytest.param(
            "with c as (select id from orders) select id into market.x from c",
            [ORDERS],
            ["dev.market.x"],
            {"dev.market.x.id": [f"{ORDERS}.id"]},
            id="CTE keeps its inputs with a default schema",
        ),
        pytest.param(
            "create table x as with recursive r (id, up) as (select id, parent from emp union all"
            " select e.id, r.up from emp e join r on e.parent = r.id) select * from r",
            ["dev.public.emp"],
            ["dev.public.x"],
            {
                "dev.public.x.id": ["dev.public.emp.id"],
                "dev.public.x.up": ["dev.public.emp.parent"],
            },
            id="recursive CTE",
        ),
        pytest.param(
            "create table x as select o.*, c.name from orders o join customers c on c.id = o.id",
            [CUSTOMERS, ORDERS],
            ["dev.public.x"],
            {
                "dev.public.x.id": [f"{ORDERS}.id"],
                "dev.public.x.customer_id": [f"{ORDERS}.customer_id"],
                "dev.public.x.amount": [f"{ORDERS}.amount"],
                "dev.public.x.name": [f"{CUSTOMERS}.name"],
            },
            id="star of a join",
        ),
        pytest.param(
            "merge into orders using stage s on orders.id = s.id when matched then update set"
            " amount = s.amount when not matched then insert (id) values (s.id)",
            [STAGE],
            [ORDERS],
            {f"{ORDERS}.amount": [f"{STAGE}.amount"], f"{ORDERS}.id": [f"{STAGE}.id"]},
            id="MERGE",
        ),
        pytest.param(
            "merge into orders using stage on orders.id = stage.id remove duplicates;",
            [STAGE],
            [ORDERS],
            {f"{ORDERS}.{name}": [f"{STAGE}.{name}"] for name in ("id", "customer_id", "amount")},
            id="MERGE REMOVE DUPLICATES",
        ),
        pytest.param(
            "copy orders from 's3://lake/in/' iam_role default csv", ["s3://lake/in"], [ORDERS], {},
            id="COPY from S3",
        ),
        pytest.param(
            "copy orders from 'dynamodb://T' iam_role default readratio 50",
            ["dynamodb:T"], [ORDERS], {},
            id="COPY from DynamoDB",
        ),
        pytest.param(
            r"unload ('select id, \'x\' as k from orders') to 's3://lake/out/part' parquet",
            [ORDERS],
            ["s3://lake/out/part"],
            {"s3://lake/out/part.id": [f"{ORDERS}.id"]},
            id="UNLOAD",
        ),
        pytest.param(
            "update orders set amount = s.amount from stage s where s.id = orders.id",
            [STAGE], [ORDERS], {f"{ORDERS}.amount": [f"{STAGE}.amount"]},
            id="UPDATE FROM",
        ),
        pytest.param(
            "delete from orders using stage where stage.id = orders.id", [STAGE], [ORDERS], {},
            id="DELETE USING",
        ),
        pytest.param(
            "delete orders using stage where stage.id = orders.id", [STAGE], [ORDERS], {},
            id="DELETE without FROM",
        ),
        pytest.param(
            "select id as k into market.x from orders",
            [ORDERS], ["dev.market.x"], {"dev.market.x.k": [f"{ORDERS}.id"]},
            id="SELECT INTO",
        ),
        pytest.param(
            "create materialized view mv auto refresh yes as select amount from orders",
            [ORDERS], ["dev.public.mv"], {"dev.public.mv.amount": [f"{ORDERS}.amount"]},
            id="materialized view with AUTO REFRESH",
        ),
        pytest.param(
            "create view v as select case when id > 1 then amount end as c,"
            " row_number() over (partition by customer_id order by id) as n from db2.sch.orders"
            " qualify n = 1 with no schema binding",
            ["db2.sch.orders"],
            ["dev.public.v"],
            {"dev.public.v.c": ["db2.sch.orders.amount"]},
            id="late-binding view, QUALIFY, CASE, window, three parts",
        ),
        pytest.param(
            "create table x distkey (id) sortkey (id) as select id from orders",
            [ORDERS], ["dev.public.x"], {"dev.public.x.id": [f"{ORDERS}.id"]},
            id="DISTKEY and SORTKEY",
        ),
        pytest.param(
            "alter table orders append from stage fillTarget", [STAGE], [ORDERS],
            {f"{ORDERS}.{name}": [f"{STAGE}.{name}"] for name in ("id", "customer_id", "amount")},
            id="ALTER TABLE APPEND",
        ),
        pytest.param(
            "create table x as select c.addr.city, c.addr.phones[0].no as no from customers c",
            [CUSTOMERS],
            ["dev.public.x"],
            {"dev.public.x.city": [f"{CUSTOMERS}.addr"], "dev.public.x.no": [f"{CUSTOMERS}.addr"]},
            id="SUPER navigation: the column, not a table",
        ),
        pytest.param("call market.p(1)", [], [], {}, id="CALL"),
        pytest.param(
            'create table "X" as select "Id" from "Public"."Orders"',
            [ORDERS], ["dev.public.x"], {"dev.public.x.id": [f"{ORDERS}.id"]},
            id="quoted mixed case",
        ),
    ],
)  # fmt: skip
def test_what_parsers_miss(sql, inputs, outputs, columns):
    assert found(sql) == (inputs, outputs, columns)


def test_case_is_kept_when_the_session_says_so():
    sql = 'create table "X" as select "Id", Amount from "Orders"'
    lineage = analyze(sql, case_sensitive=True).as_json()
    assert lineage["columns"] == {
        "dev.public.X.Id": ["dev.public.Orders.Id"],
        "dev.public.X.amount": ["dev.public.Orders.amount"],
    }
    script = f"set enable_case_sensitive_identifier to true; {sql}"
    assert analyze(script).as_json()["columns"] == lineage["columns"]


def test_no_edge_for_a_star_without_a_schema():
    assert found("create table x as select * from t", None)[2] == {}
    assert unresolved("create table x as select * from t") == [
        ("dev.public.t.*", "its schema is not known")
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "create table x as select v from a join b on a.k = b.k",
        "create table x as select v from (select * from a, b) s",
        "create table x as select sum(v) over (order by w) as v from a, b",
        "create table x as select id as v, v as w from a, b",
        "insert into y (v) select v from a cross join b",
    ],
)
def test_a_column_that_two_tables_may_have_is_left_out(sql):
    lineage = analyze(sql)
    assert not any(".v" in source for sources in lineage.columns.values() for source in sources)
    assert any(one.what == "v" for one in lineage.unresolved)


def test_a_known_schema_tells_whose_a_column_is():
    assert found("create table x as select amount, note from orders, notes")[2] == {
        "dev.public.x.amount": [f"{ORDERS}.amount"],
        "dev.public.x.note": ["dev.public.notes.note"],
    }


def test_names_given_to_columns_whose_place_is_not_known():
    sql = "create table x as with s (k) as (select * from a, b) select k, c from s"
    assert found(sql, None)[2] == {}
    sql = "create table x as with s (k, l) as (select c, a.* from a) select k, l, c from s"
    assert found(sql, None)[2] == {"dev.public.x.k": ["dev.public.a.c"]}


def test_an_alias_that_may_be_a_column_is_left_out():
    sql = "create table x as select a as b, b + 1 as c from t"
    assert found(sql, None)[2] == {"dev.public.x.b": ["dev.public.t.a"]}
    assert [what for what, _ in unresolved(sql)] == ["b"]


def test_a_column_that_the_schema_lacks_is_left_out():
    assert found("create table x as select orders.nope, id from orders")[2] == {
        "dev.public.x.id": [f"{ORDERS}.id"]
    }


def test_a_subquery_prefers_its_own_table_and_doubts_if_the_one_around_has_the_column():
    own = "create table x as select (select max(v) from a) as m from b"
    assert found(own, None)[2] == {"dev.public.x.m": ["dev.public.a.v"]}
    around = "create table x as select (select max(amount) from a) as m from orders"
    assert found(around)[2] == {}
    assert unresolved(around, SCHEMAS)[0][0] == "amount"


def test_the_line_of_what_is_unresolved():
    sql = "select 1;\n\ncreate table x as\nselect a.k,\n  v\nfrom a, b"
    [one] = analyze(sql).unresolved
    assert (one.statement, one.line, one.what) == (2, 5, "v")


@pytest.mark.parametrize(
    ("join", "sources"),
    [
        ("join", [f"{ORDERS}.id"]),
        ("left join", [f"{ORDERS}.id"]),
        ("right join", [f"{CUSTOMERS}.id"]),
        ("full join", [f"{CUSTOMERS}.id", f"{ORDERS}.id"]),
    ],
)
def test_using_takes_the_side_whose_rows_are_all_there(join, sources):
    sql = f"create table x as select id from orders {join} customers using (id)"
    assert found(sql)[2] == {"dev.public.x.id": sources}


def test_natural_join():
    assert found("create table x as select * from orders natural join customers")[2] == {
        "dev.public.x.id": [f"{ORDERS}.id"],
        "dev.public.x.customer_id": [f"{ORDERS}.customer_id"],
        "dev.public.x.amount": [f"{ORDERS}.amount"],
        "dev.public.x.name": [f"{CUSTOMERS}.name"],
        "dev.public.x.addr": [f"{CUSTOMERS}.addr"],
    }
    assert found("create table x as select * from orders natural join t")[2] == {}


def test_a_set_operation_of_unknown_schemas_keeps_what_is_certain():
    sql = "create table x as with u as (select * from a union all select * from b) select k from u"
    assert found(sql, None)[2] == {"dev.public.x.k": ["dev.public.a.k"]}
    assert "dev.public.b" in unresolved(sql)[0][1]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("selekt 1", "begins no statement"),
        ("select 1 from where", "line 1"),
        ("copy t from", "the source"),
        ("copy t from ?", "the source"),
        ("copy t", "without FROM"),
        ("copy t from 'ftp://x/y'", "'ftp://x/y'"),
        ("unload (select 1) to 's3://lake/x'", "the query in quotes"),
        ("unload ('delete from t') to 's3://lake/x'", "no query"),
        ("unload ('') to 's3://lake/x'", "0 statements"),
        ("select 'a", "never closed"),
        ("select 1 /* a", "never closed"),
        ("create gizmo x", "CREATE GIZMO"),
        ("with recursive r as (select * from r) select * from r", "reads itself"),
        ("alter table a.b.c.d rename to e", "too many parts"),
        ("create table x as select a from db..t", "names no schema"),
        ("create table t (a, not b)", ""),
        ("update t set (a, b) = (select 1, 2)", "does not set a column"),
        (f"select {'(' * 5000}1{')' * 5000}", "nested too deeply"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error_and_no_edge(sql, message):
    lineage = analyze(sql)
    assert [(error.statement, error.line) for error in lineage.errors] == [(1, 1)]
    assert message in lineage.errors[0].message
    assert not lineage.inputs
    assert not lineage.outputs


def test_a_parser_that_goes_round_in_circles_is_stopped(monkeypatch):
    monkeypatch.setattr(parsing, "_STEPS_PER_TOKEN", 0)
    [error] = analyze("create table x as select 1 as a").errors
    assert error.message == "the parser goes round in circles"


def test_other_statements_go_on_after_an_error():
    lineage = analyze(
        "insert into a (x) select y from b;\nselect from;\n\nselect (;\ncopy c from 's3://lake/d'"
    )
    assert [(error.statement, error.line) for error in lineage.errors] == [(2, 2), (3, 4)]
    assert [str(one.dataset) for one in lineage.outputs] == ["dev.public.a", "dev.public.c"]


@pytest.mark.parametrize(
    "name",
    [
        "a; drop table b",
        "x--y",
        "it's",
        'say "hi"',
        "a\nb",
        "/* c */",
        "$$d$$",
        "sel.ect",
        "é ü",
        "{}%s",
    ],
)
def test_names_are_only_names(name):
    quoted = '"' + name.replace('"', '""') + '"'
    sql = (
        f"create table {quoted} as select {quoted}, {quoted}.{quoted} as b from {quoted}.{quoted};"
        "select 1"
    )
    lineage = analyze(sql)
    assert lineage.statements == 2
    assert not lineage.errors
    folded = name.lower()
    assert [one.dataset for one in lineage.outputs] == [("dev", "public", folded)]
    assert lineage.inputs == (("dev", folded, folded),)
    assert set(lineage.outputs[0].columns) == {folded, "b"}


@pytest.mark.parametrize(
    "value", ["'; drop table x; --", "s3://lake/a' or 'b", "a\\", "$1", "%(x)s", "{{ ds }}"]
)
def test_values_are_only_values(value):
    literal = "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
    assert found(f"create table x as select id from orders where id = {literal}") == (
        [ORDERS], ["dev.public.x"], {"dev.public.x.id": [f"{ORDERS}.id"]},
    )  # fmt: skip


@pytest.mark.parametrize(
    "sql",
    [
        "copy t from x credentials 'aws_access_key_id=AK;aws_secret_access_key=SESAME'",
        "copy t from x credentials as 'SESAME'",
        "copy t from x access_key_id 'A' secret_access_key 'SESA''ME' session_token '\\'SESAME'",
        "create gizmo u PASSWORD 'SESAME'",
        "copy t from x master_symmetric_key 'SESAME",
    ],
)
def test_secrets_are_not_in_errors(sql):
    [error] = analyze(sql).errors
    assert "SESA" not in error.sql + error.message
    assert "***" in error.sql


def test_functions_in_from():
    source = "generate_series(1, 9) as g (n, m), orders o, o.id i"
    sql = f"create table x as select n, g.m, i from {source}"
    assert found(sql)[2] == {"dev.public.x.i": [f"{ORDERS}.id"]}
    assert not unresolved(sql)


def test_the_kind_of_a_grouping_set_is_no_value():
    sql = "create table x as select id, grouping(id) as g from orders group by rollup (id)"
    assert found(sql)[2] == {"dev.public.x.id": [f"{ORDERS}.id"]}


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("alter table orders append from new", ["amount", "customer_id", "id"]),
        ("alter table orders append from new ignoreextra", ["amount", "customer_id", "id"]),
        ("alter table orders append from new filltarget", []),
        ("alter table new append from orders", ["amount", "customer_id", "id"]),
        ("alter table new append from orders filltarget", ["amount", "customer_id", "id"]),
        ("alter table new append from orders ignoreextra", []),
        ("alter table customers append from orders ignoreextra", ["id"]),
        ("alter table one append from other", []),
    ],
)
def test_append_moves_the_columns_that_both_surely_have(sql, names):
    lineage = analyze(sql, SCHEMAS)
    [output] = lineage.outputs
    assert sorted(output.columns) == names
    assert bool(lineage.unresolved) == (not names)


def test_default_is_no_column():
    sql = "update orders set id = default; insert into orders (id, amount) values (default, 1)"
    assert found(sql) == ([], [ORDERS], {})
    assert not unresolved(sql)


def test_a_join_does_not_reach_across_a_comma():
    sql = "create table x as select c.name, s.id from stage s, orders o join customers c using (id)"
    assert found(sql)[2] == {
        "dev.public.x.name": [f"{CUSTOMERS}.name"],
        "dev.public.x.id": [f"{STAGE}.id"],
    }
    sql = "insert into market.sales select * from stage s, orders o join customers c using (id)"
    assert found(sql)[2] == {}
    assert unresolved(sql, SCHEMAS)
    sql = "create table x as select id, name from emp e, orders o join customers c using (id)"
    assert found(sql)[2]["dev.public.x.id"] == [f"{ORDERS}.id"]


def test_subqueries_may_be_nested():
    sql = "orders"
    for depth in range(40):
        sql = f"(select id, amount from {sql} q{depth})"
    assert found(f"create table x as {sql}")[2]["dev.public.x.id"] == [f"{ORDERS}.id"]


def test_common_tables_that_double_are_read_once():
    parts = ["c0 as (select id as k from orders)"]
    parts += [f"c{n} as (select a.k from c{n - 1} a, c{n - 1} b)" for n in range(1, 60)]
    sql = f"create table x as with {', '.join(parts)} select k from c59"
    assert found(sql)[2] == {"dev.public.x.k": [f"{ORDERS}.id"]}
