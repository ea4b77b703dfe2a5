"""UNLOAD on the local stack: options, files, and the way back by COPY."""

import gzip
import io
import json
import uuid

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.integration.redshift_warehouse import ROLE, StatementFailedError, new_warehouse

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


def content(warehouse, table):
    return warehouse.rows(f"select * from {table} order by id")


def unload(warehouse, query, options="", folder=None):
    folder = folder or f"out/{uuid.uuid4()}/"
    text = query.replace("\\", "\\\\").replace("'", "''")
    uri = f"s3://{warehouse.bucket}/{folder}"
    warehouse.run(f"unload ('{text}') to '{uri}' iam_role '{ROLE}' {options}")
    return warehouse.files(folder)


QUERY = "select n as id, 'v' || n as v from generate_series(1, 3) as s(n) order by n"


def test_names_of_unloaded_files(warehouse):
    assert unload(warehouse, QUERY, "parallel off") == {"000": b"1|v1\n2|v2\n3|v3\n"}
    files = unload(warehouse, QUERY)
    assert sorted(files) == ["0000_part_00", "0001_part_00", "0002_part_00"]
    files = unload(warehouse, QUERY, "parallel off header csv gzip extension 'csv.gz'")
    assert {name: gzip.decompress(body) for name, body in files.items()} == {
        "000.csv.gz": b"id,v\n1,v1\n2,v2\n3,v3\n"
    }


UNLOADS = [
    ("select null, 'x'", "", b"|x\n"),
    ("select null, 'x'", "null as 'N'", b"N|x\n"),
    ("select 'a|b', 'c\\\\d'", "escape", b"a\\|b|c\\\\d\n"),
    ("select 'a', 1", "addquotes", b'"a"|"1"\n'),
    ("select 'a,b', 'c\"d', 'e'", "csv", b'"a,b","c""d",e\n'),
    (
        "select true, 1.50::decimal(8,2), '2024-01-02'::timestamp",
        "",
        b"t|1.50|2024-01-02 00:00:00\n",
    ),
    ("select 'a', 'b'", "fixedwidth '0:3,1:2'", b"a  b \n"),
    ("select 1 as id, 'x' as v, null as n", "json", b'{"id":1,"v":"x"}\n'),
]  # fmt: skip


@pytest.mark.parametrize(("query", "options", "body"), UNLOADS)
def test_forms_of_unloaded_files(warehouse, query, options, body):
    named = query if " as " in query else f"select * from ({query}) as q(a, b, c)"
    if " as " not in query:
        count = query.count(",") + 1 - query.count("a,b") - query.count("(8,2)")
        named = f"select * from ({query}) as q({', '.join('abc'[:count])})"
    assert unload(warehouse, named, f"parallel off {options}") == {"000": body}


def test_unloaded_parquet_in_partitions(warehouse):
    files = unload(warehouse, QUERY, "parquet partition by (id)")
    assert sorted(files) == [f"id={n}/0000_part_00.parquet" for n in (1, 2, 3)]
    read = pq.read_table(io.BytesIO(files["id=2/0000_part_00.parquet"]))
    assert read.to_pylist() == [{"v": "v2"}]
    with_key = unload(warehouse, QUERY, "parquet partition by (id) include")
    read = pq.read_table(io.BytesIO(with_key["id=2/0000_part_00.parquet"]))
    assert read.to_pylist() == [{"id": 2, "v": "v2"}]


def test_manifest_of_an_unload_loads_it_again(warehouse):
    folder = f"out/{uuid.uuid4()}/"
    files = unload(warehouse, QUERY, "manifest verbose", folder)
    manifest = json.loads(files["manifest"])
    assert manifest["meta"]["record_count"] == 3
    assert [one["name"] for one in manifest["schema"]["elements"]] == ["id", "v"]
    name = f"back_{uuid.uuid4().hex[:8]}"
    warehouse.run(f"create table {name} (id int, v varchar(5))")
    uri = f"s3://{warehouse.bucket}/{folder}manifest"
    warehouse.run(f"copy {name} from '{uri}' iam_role '{ROLE}' manifest")
    assert content(warehouse, name) == [[1, "v1"], [2, "v2"], [3, "v3"]]


def test_a_place_that_is_not_empty(warehouse):
    folder = f"out/{uuid.uuid4()}/"
    unload(warehouse, QUERY, "parallel off", folder)
    with pytest.raises(StatementFailedError, match="unload destination on S3 is not empty"):
        unload(warehouse, QUERY, "parallel off", folder)
    assert list(unload(warehouse, QUERY, "parallel off allowoverwrite", folder)) == ["000"]
    assert "000" not in unload(warehouse, QUERY, "cleanpath", folder)


@pytest.mark.parametrize(
    ("query", "options", "message"),
    [
        ("select 1 limit 1", "", "Limit clause is not supported"),
        ("delete from nosuch", "", "UNLOAD takes a SELECT"),
        ("select 1 as a", "parquet header", "HEADER is not supported"),
        ("select 1 as a", "maxfilesize 1 mb", "MAXFILESIZE"),
        ("select 1 as a, 2 as b", "partition by (c)", 'Partition column "c"'),
    ],
)
def test_refused_unloads(warehouse, query, options, message):
    with pytest.raises(StatementFailedError, match=message):
        unload(warehouse, query, options)


values = st.one_of(
    st.none(),
    st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=8
    ),
)


@example(rows=[("\r", "\r")], delimiter=",", form="escape addquotes")
@example(rows=[("\r", "\r")], delimiter=",", form="escape")
@settings(max_examples=12)
@given(
    rows=st.lists(st.tuples(values, values), min_size=1, max_size=6),
    delimiter=st.sampled_from([",", "|", "\t", ";"]),
    form=st.sampled_from(["csv", "escape addquotes", "escape"]),
)
def test_what_is_unloaded_loads_as_it_was(warehouse, rows, delimiter, form):
    cells, used = [], {}
    for number, row in enumerate(rows):
        names = [f"{letter}{number}" for letter in "ab"]
        used |= {key: value for key, value in zip(names, row, strict=True) if value is not None}
        shown = [f":{key}" if key in used else "null" for key in names]
        cells.append(f"({number}, {', '.join(shown)})")
    name = f"r_{uuid.uuid4().hex[:8]}"
    mark = "delimiter '\\t'" if delimiter == "\t" else f"delimiter '{delimiter}'"
    uri = f"s3://{warehouse.bucket}/trip/{uuid.uuid4()}/"
    more = f"iam_role '{ROLE}' {mark} null as '@NULL@'"
    done = warehouse.batch(
        f"create table {name} (id int, a varchar(99), b varchar(99))",
        f"insert into {name} values {', '.join(cells)}",
        f"select * from {name} order by id",
        f"unload ('select * from {name}') to '{uri}' {more} {form}",
        f"truncate {name}",
        f"copy {name} from '{uri}' {more} {form.replace('addquotes', 'removequotes')}",
        f"select * from {name} order by id",
        parameters=used,
    )
    assert done["Status"] == "FINISHED", done
    before, after = (warehouse.result(done["SubStatements"][at]["Id"]) for at in (2, 6))
    assert before == [[number, *row] for number, row in enumerate(rows)]
    assert after == before
