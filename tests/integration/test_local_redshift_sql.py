"""SQL of Redshift on the local stack, against results that were worked out by hand."""

import pytest

from tests.integration.redshift_warehouse import StatementFailedError, new_warehouse

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    done = warehouse.batch(
        "create table sales (id int not null distkey sortkey, seller int encode az64, "
        "price decimal(8,2) encode raw, sold timestamp, note varchar(5)) diststyle key",
        "insert into sales values (1, 10, 100.00, '2024-01-31 23:59:59', 'a'), "
        "(2, 11, 50.50, '2024-02-01 00:00:00', 'b'), (3, 10, 20.00, '2024-03-15 12:00:00', null)",
        "create table s (id int, data super)",
        """insert into s values (1, json_parse('{"a":{"b":[1,2,{"c":"x"}]},"n":"5"}'))""",
    )
    assert done["Status"] == "FINISHED", done
    return warehouse


EXPRESSIONS = [
    ("nvl(null, 'x')", "x"),
    ("nvl2(null, 1, 2)", 2),
    ("decode(3, 1, 'one', 3, 'three', 'other')", "three"),
    ("decode(null, null, 'same', 'other')", "same"),
    ("7 / 2", 3),
    ("-7 / 2", -3),
    ("7 % 3", 1),
    ("7::float / 2", 3.5),
    ("concat('a', null)", None),
    ("'a' || null", None),
    ("len('abc')", 3),
    ("charindex('c', 'abc')", 3),
    ("initcap('ab cd')", "Ab Cd"),
    ("strtol('ff', 16)", 255),
    ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
    ("regexp_replace('a1b2', '[0-9]', '#')", "a#b#"),
    ("regexp_replace('john@x.org', '(.*)@(.*)\\\\.org', '$2:$1')", "x:john"),
    ("regexp_substr('abc', '[0-9]+')", ""),
    ("regexp_count('a1b22', '[0-9]+')", 2),
    ("dateadd(month, 1, '2024-01-31')", "2024-02-29 00:00:00"),
    ("dateadd(qtr, -1, '2024-01-31'::date)", "2023-10-31 00:00:00"),
    ("dateadd(h, 25, '2024-01-31 01:00'::timestamp)", "2024-02-01 02:00:00"),
    ("add_months('2024-02-29', 1)", "2024-03-31 00:00:00"),
    ("datediff(year, '2023-12-31', '2024-01-01')", 1),
    ("datediff(month, '2024-01-31', '2024-02-01')", 1),
    ("datediff(hour, '2024-01-01 00:59:59', '2024-01-01 01:00:00')", 1),
    ("datediff(day, '2024-03-01', '2024-02-28')", -2),
    ("datediff(qtr, '1998-07-01', '2008-12-01')", 41),
    ("last_day('2024-02-10')", "2024-02-29"),
    ("next_day('2014-08-20', 'Tuesday')", "2014-08-26"),
    ("months_between('1969-01-18', '1969-03-18')", -2.0),
    ("extract(year from '2024-05-06'::date)", 2024),
    ("date_part(dow, '2024-05-05'::date)", 0.0),
    ("date_trunc('week', '2024-05-05'::timestamp)", "2024-04-29 00:00:00"),
    ("date_trunc('month', '2024-05-05'::date)", "2024-05-01 00:00:00"),
    ("convert_timezone('UTC', 'America/New_York', '2024-07-01 12:00')", "2024-07-01 08:00:00"),
    ("convert_timezone('Europe/Oslo', '2024-07-01 12:00'::timestamp)", "2024-07-01 14:00:00"),
    ("to_char('2024-07-01 13:05'::timestamp, 'YYYY-MM-DD HH12:MI AM')", "2024-07-01 01:05 PM"),
    ("to_char(1234.5, '9,999.99')", " 1,234.50"),
    ("to_date('02 Oct 2001', 'DD Mon YYYY')", "2001-10-02"),
    ("trunc('2024-07-01 13:05'::timestamp)", "2024-07-01"),
    ("3.5::int", 4),
    ("12.7::decimal", "13"),
    ("'2024-01-01'::date + 31", "2024-02-01"),
    ("'abcdef'::varchar(3)", "abc"),
    ("convert(int, '12')", 12),
    ("json_extract_path_text('{\"a\":{\"b\":\"x\"}}', 'a', 'b')", "x"),
    ("json_extract_path_text('{\"a\":1}', 'z')", ""),
    ("json_extract_path_text('{', 'z', true)", None),
    ("json_extract_array_element_text('[11,12]', 1)", "12"),
    ("json_array_length('[1,2,3]')", 3),
    ("is_valid_json('{\"a\":1}')", True),
    ('json_serialize(json_parse(\'{"b": [1, "x"]}\'))', '{"b":[1,"x"]}'),
    ("json_typeof(array(1, 'x'))", "array"),
    ("greatest(1, null, 3)", 3),
    ("left('abc', 2)", "ab"),
    ("isnull(null, 4)", 4),
    ("case when 'a' = 'a  '::char(3) then 1 else 0 end", 1),
]


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS)
def test_expressions(warehouse, expression, value):
    assert warehouse.rows(f"select {expression}") == [[value]]


QUERIES = [
    ("select avg(seller) from sales", [[10]]),
    ("select sum(seller) from sales", [[31]]),
    ("select median(price) from sales", [[50.5]]),
    ("select listagg(note, ',') within group (order by note desc) from sales", [["b,a"]]),
    ("select listagg(distinct seller, '-') within group (order by seller) from sales", [["10-11"]]),
    ("select approximate count(distinct seller) from sales", [[2]]),
    ("select top 2 id from sales order by id desc", [[3], [2]]),
    ("select id from sales minus select 2 order by 1", [[1], [3]]),
    ("select id from sales order by note", [[1], [2], [3]]),
    ("select id from sales order by note desc", [[3], [2], [1]]),
    (
        "select id, row_number() over (partition by seller order by sold desc) as rn from sales "
        "qualify rn = 1 order by id",
        [[2, 1], [3, 1]],
    ),
    (
        "select x.* from sales x qualify row_number() over (partition by seller order by id) = 2",
        [[3, 10, "20.00", "2024-03-15 12:00:00", None]],
    ),
    (
        "select seller, sum(price) as total from sales group by seller "
        "qualify rank() over (order by sum(price) desc) = 1",
        [[10, "120.00"]],
    ),
    (
        "with ranked as (select *, row_number() over (order by id) r from sales qualify r < 3) "
        "select count(*) from ranked",
        [[2]],
    ),
    ("select price * 2 as twice, twice + 1 as more from sales where id = 3", [["40.00", "41.00"]]),
    ("select id + 1 as id, id + 1 as next from sales where id = 1", [[2, 2]]),
    ("select data.a.b[2].c, data.a.b[0]::int from s", [['"x"', 1]]),
    ("select x.data.a.b[2].c::varchar as c from s as x", [["x"]]),
    ("select e from s as x, x.data.a.b as e", [["1"], ["2"], ['{"c":"x"}']]),
    ("select i, e from s as x, x.data.a.b as e at i where i > 1", [[2, '{"c":"x"}']]),
    ("select id from s where data.a.b[0] = 1 and data.a.b[1] > 1", [[1]]),
    ('select "ID" as "Big" from "Sales" where ID = 1', [[1]]),
    (
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) "
        "select * from n",
        [[1], [2], [3]],
    ),
    ("select seller, ratio_to_report(price) over (partition by seller) from sales where id = 2",
     [[11, 1.0]]),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "rows"), QUERIES)
def test_queries(warehouse, sql, rows):
    assert warehouse.rows(sql) == rows


def script(warehouse, *statements):
    done = warehouse.batch(*statements)
    assert done["Status"] == "FINISHED", done
    last = done["SubStatements"][-1]
    return warehouse.result(last["Id"]) if last["HasResultSet"] else last["ResultRows"]


def test_merge_inserts_and_updates(warehouse):
    assert script(
        warehouse,
        "create temp table target (id int, n int)",
        "insert into target values (1, 1), (2, 2)",
        "create temp table source (like target)",
        "insert into source values (2, 20), (3, 30)",
        "merge into target using source on target.id = source.id "
        "when matched then update set n = source.n "
        "when not matched then insert values (source.id, source.n)",
        "select * from target order by id",
    ) == [[1, 1], [2, 20], [3, 30]]


def test_merge_remove_duplicates_replaces_matching_rows(warehouse):
    assert script(
        warehouse,
        "create temp table target (id int, n int)",
        "insert into target values (1, 1), (1, 9), (2, 2)",
        "create temp table source (like target)",
        "insert into source values (1, 10), (1, 10), (3, 30)",
        "merge into target using source on target.id = source.id remove duplicates",
        "select * from target order by id",
    ) == [[1, 10], [2, 2], [3, 30]]


def test_update_from_and_delete_using(warehouse):
    assert script(
        warehouse,
        "create temp table target (id int, n int)",
        "insert into target values (1, 1), (2, 2), (3, 3)",
        "create temp table source as select 2 as id, 20 as n union all select 3, 30",
        "update target set n = s.n from source s where target.id = s.id",
        "delete from target using source where target.id = source.id and source.n = 30",
        "select * from target order by id",
    ) == [[1, 1], [2, 20]]


def test_identity_select_into_and_temporary_names(warehouse):
    assert script(
        warehouse,
        "create table #numbered (id bigint identity(10,5), name varchar(3) default 'x')",
        "insert into #numbered (name) values ('a'), (default)",
        "select id, name into temp copied from #numbered",
        "select * from copied order by id",
    ) == [[10, "a"], [15, "x"]]


def test_keys_are_known_and_not_enforced(warehouse):
    warehouse.run("create table keyed (id int primary key, n int unique)")
    warehouse.run("insert into keyed values (1, 1), (1, 1)")
    assert warehouse.rows("select count(*) from keyed where id = 1") == [[2]]
    assert warehouse.rows(
        "select k.column_name from information_schema.table_constraints t "
        "join information_schema.key_column_usage k using (constraint_name) "
        "where t.table_name = 'keyed' and t.constraint_type = 'PRIMARY KEY'"
    ) == [["id"]]
    with pytest.raises(StatementFailedError, match="null value"):
        warehouse.run("insert into keyed values (null, 1)")


def test_varchar_counts_bytes(warehouse):
    warehouse.run("create table bytes (a varchar(3))")
    with pytest.raises(StatementFailedError, match=r"too long for type character varying\(3\)"):
        warehouse.run("insert into bytes values ('æø')")
    warehouse.run("alter table bytes alter column a type varchar(4)")
    warehouse.run("insert into bytes values ('æø')")
    warehouse.run("create table copied_bytes (like bytes)")
    with pytest.raises(StatementFailedError, match="too long"):
        warehouse.run("insert into copied_bytes values ('æøå')")


def test_append_moves_rows(warehouse):
    warehouse.run("create table full_rows (a int, b int)")
    warehouse.run("create table more_rows (b int, a int)")
    warehouse.run("insert into more_rows values (2, 1)")
    done = warehouse.batch("select 1", "alter table full_rows append from more_rows")
    assert "ALTER TABLE APPEND cannot run inside a transaction block" in done["Error"]
    warehouse.run("alter table full_rows append from more_rows")
    assert warehouse.rows("select a, b from full_rows") == [[1, 2]]
    assert warehouse.rows("select count(*) from more_rows") == [[0]]


def test_what_operators_ask_the_catalog(warehouse):
    assert warehouse.rows(
        'select "column", type, encoding, distkey, sortkey, "notnull" from pg_table_def '
        "where tablename = 'sales' order by 1"
    ) == [
        ["id", "integer", "none", True, 1, True],
        ["note", "character varying(5)", "none", False, 0, False],
        ["price", "numeric(8,2)", "raw", False, 0, False],
        ["seller", "integer", "az64", False, 0, False],
        ["sold", "timestamp without time zone", "none", False, 0, False],
    ]
    assert warehouse.rows(
        'select "table", tbl_rows, diststyle, sortkey1 from svv_table_info '
        "where \"table\" = 'sales'"
    ) == [["sales", "3", "KEY(id)", "id"]]
    assert warehouse.rows(
        "select column_name, data_type, numeric_scale from svv_all_columns "
        "where table_name = 'sales' and ordinal_position = 3"
    ) == [["price", "numeric", 2]]


def test_queries_are_logged_with_their_group(warehouse):
    opened = warehouse.data.execute_statement(
        Sql="set query_group to 'nightly'", SessionKeepAliveSeconds=20, **warehouse.place
    )
    warehouse.finish(opened["Id"])
    done = warehouse.run("select 4711", SessionId=opened["SessionId"])
    query = done["RedshiftQueryId"]
    assert warehouse.rows(
        f"select trim(querytxt), trim(label), aborted from stl_query where query = {query}"
    ) == [["select 4711", "nightly", 0]]
    assert warehouse.rows(f"select status from sys_query_history where query_id = {query}") == [
        ["success"]
    ]


def test_procedures_and_views(warehouse):
    warehouse.run(
        "create or replace procedure bump(n in int) as $$ begin "
        "update sales set sold = dateadd(day, n, sold) where id = 1; end; $$ language plpgsql"
    )
    assert script(
        warehouse,
        "create view late as select id from public.sales with no schema binding",
        "select count(*) from late",
    ) == [[3]]
    warehouse.run("call bump(1)")
    assert warehouse.rows("select sold from sales where id = 1") == [["2024-02-01 23:59:59"]]
    warehouse.run("call bump(-1)")


REFUSED = [
    ("select * from (select 1 a) pivot (sum(a) for a in (1))", "PIVOT"),
    ("select first_value(id ignore nulls) over (order by id) from sales", "IGNORE NULLS"),
    ("create external table x.y (a int) stored as parquet location 's3://b/'", "CREATE EXTERNAL"),
    ("create model m from t", "CREATE MODEL"),
    ("select fnv_hash('a')", "FNV_HASH"),
    ("create table g (a geometry)", "GEOMETRY"),
    ("analyze compression sales", "ANALYZE COMPRESSION"),
    ("set enable_case_sensitive_identifier to true", "enable_case_sensitive_identifier"),
    ("create function f(int) returns int stable as $$ return 1 $$ language plpythonu",
     "language plpythonu"),
    ("select listagg(note) within group (order by id) over () from sales", "LISTAGG"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "construct"), REFUSED)
def test_what_is_left_out_is_named(warehouse, sql, construct):
    with pytest.raises(StatementFailedError, match="the local stack does not execute") as caught:
        warehouse.run(sql)
    assert construct in str(caught.value)


FAILING = [
    ("selec 1", 'ERROR: syntax error at or near "selec"'),
    ("select 1; select 2", "ERROR: cannot insert multiple commands into a prepared statement"),
    ("select * from nosuch", 'ERROR: relation "nosuch" does not exist'),
    ("select nosuch from sales", 'ERROR: column "nosuch" does not exist'),
    ("select 1/0", "ERROR: Divide by zero"),
    ("select 'x", "ERROR: unterminated quoted string"),
    ("select (1", "ERROR: syntax error at end of input"),
    ("vacuum nosuch", 'ERROR: relation "nosuch" does not exist'),
    ("create table z (a int encode nonsense)", 'ERROR: invalid encoding type specified "nonsense"'),
]


@pytest.mark.parametrize(("sql", "message"), FAILING)
def test_errors(warehouse, sql, message):
    with pytest.raises(StatementFailedError) as caught:
        warehouse.run(sql)
    assert str(caught.value).startswith(message)


def test_utility_statements(warehouse):
    for text in (
        "vacuum full sales to 99 percent",
        "vacuum",
        "analyze sales predicate columns",
        "alter table sales alter diststyle even",
        "alter table sales alter sortkey (sold)",
        "alter table sales alter column note encode zstd",
        "comment on table sales is 'x'",
        "create user reader password 'Abcd1234'",
        "create group readers with user reader",
        "grant select on sales to group readers",
        "set statement_timeout to 1000",
        "create materialized view totals auto refresh no as select count(*) c from sales",
        "refresh materialized view totals",
    ):
        warehouse.run(text)
    place = {**warehouse.place, "DbUser": "reader"}
    done = warehouse.data.execute_statement(Sql="select count(*) from sales", **place)
    warehouse.finish(done["Id"])
    assert warehouse.result(done["Id"]) == [[3]]
    denied = warehouse.data.execute_statement(Sql="select * from s", **place)
    assert warehouse.finish(denied["Id"])["Error"] == "ERROR: permission denied for table s"


def test_table_definitions_of_legacy_pipelines(warehouse):
    for text in (
        "create table IF NOT EXISTS songs (track_id varchar(2048) not null distkey sortkey, title "
        "varchar(2048), duration float, year int);",
        "create table StructuredLogs (requestBeginTime CHAR(30) PRIMARY KEY DISTKEY SORTKEY, "
        "requestEndTime CHAR(30), hostname CHAR(100), requestDate varchar(20));",
    ):
        warehouse.run(text)
    assert warehouse.rows(
        'select tablename, "column" from pg_table_def where distkey and sortkey = 1 '
        "and tablename in ('songs', 'structuredlogs') order by 1"
    ) == [["songs", "track_id"], ["structuredlogs", "requestbegintime"]]
