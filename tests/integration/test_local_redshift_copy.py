"""COPY on the local stack: options, formats, errors."""

import base64
import bz2
import gzip
import io
import json
import uuid

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.redshift_warehouse import ROLE, StatementFailedError, new_warehouse

pytestmark = pytest.mark.integration
FAILED = "ERROR: Load into table '{}' failed.  Check 'stl_load_errors' system table for details."

# A record of name (null) and id (2), as fastavro writes it.
AVRO = (
    "T2JqAQQUYXZyby5jb2RlYwhudWxsFmF2cm8uc2NoZW1h8AF7InR5cGUiOiAicmVjb3JkIiwgIm5hbWUiOiAiciIs"
    "ICJmaWVsZHMiOiBbeyJuYW1lIjogIm5hbWUiLCAidHlwZSI6IFsibnVsbCIsICJzdHJpbmciXX0sIHsibmFtZSI6"
    "ICJpZCIsICJ0eXBlIjogImludCJ9XX0AMDEyMzQ1Njc4OWFiY2RlZgIEAAQwMTIzNDU2Nzg5YWJjZGVm"
)


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture
def table(warehouse):
    name = f"t_{uuid.uuid4().hex[:8]}"
    warehouse.run(f"create table {name} (id int, name varchar(10), price decimal(8,2), at date)")
    return name


def copy(warehouse, table, body, options="", columns=""):
    uri = warehouse.put(f"in/{uuid.uuid4()}", body)
    return warehouse.run(f"copy {table} {columns} from '{uri}' iam_role '{ROLE}' {options}")


def content(warehouse, table):
    return warehouse.rows(f"select * from {table} order by id")


ONE = [[1, "a", "1.50", "2024-01-02"]]
LOADS = [
    (b"1|a|1.50|2024-01-02\n", "", ONE),
    (b"1|a|1.50|2024-01-02", "", ONE),
    (b"1|a|1.50|2024-01-02\r\n", "", ONE),
    (b"1\ta\t1.50\t2024-01-02\n", "delimiter '\\t'", ONE),
    (b"id,name\n1,a,1.50,2024-01-02\n", "csv ignoreheader 1", ONE),
    (b'"1","a","1.50","2024-01-02"\n', "csv", ONE),
    (b"1;%x;%%y%;;\n", "csv delimiter ';' quote '%'", [[1, "x;%y", None, None]]),
    (b'1,"x\ny",,\n', "csv", [[1, "x\ny", None, None]]),
    (b"1,,,\n", "csv", [[1, "", None, None]]),
    (b"1,,,\n", "csv emptyasnull", [[1, None, None, None]]),
    (b"1|  ||\n", "blanksasnull", [[1, None, None, None]]),
    (b"1|a  ||\n", "trimblanks", [[1, "a", None, None]]),
    (b"1|NULL||\n", "null as 'NULL'", [[1, None, None, None]]),
    (b"1|\\N||\n", "", [[1, None, None, None]]),
    (b"1|x\\|y||\n", "escape", [[1, "x|y", None, None]]),
    (b"1|'x|y'||\n", "removequotes", [[1, "x|y", None, None]]),
    (b"1|abcdefghijklm||\n", "truncatecolumns", [[1, "abcdefghij", None, None]]),
    (b"1|a\xffb||\n", "acceptinvchars", [[1, "a?b", None, None]]),
    (b"1|a\xffb||\n", "acceptinvchars as '^'", [[1, "a^b", None, None]]),
    (b"1|a\n", "fillrecord", [[1, "a", None, None]]),
    (b"\n1|a||\n\n", "ignoreblanklines", [[1, "a", None, None]]),
    (b"1|a|1.559|\n", "", [[1, "a", "1.55", None]]),
    (b"1|a|1.559|\n", "roundec", [[1, "a", "1.56", None]]),
    (b"1|a||01/02/2024\n", "dateformat 'MM/DD/YYYY'", [[1, "a", None, "2024-01-02"]]),
    (b"1|a||Jan 2 2024\n", "dateformat 'auto'", [[1, "a", None, "2024-01-02"]]),
    (b"1|a||nonsense\n", "acceptanydate", [[1, "a", None, None]]),
    (b"00001a         1.50    2024-01-02\n", "fixedwidth 'a:5,b:10,c:8,d:10'", ONE),
    (gzip.compress(b"1|a|1.50|2024-01-02\n", mtime=0), "gzip", ONE),
    (bz2.compress(b"1|a|1.50|2024-01-02\n"), "bzip2", ONE),
    (pa.compress(b"1|a|1.50|2024-01-02\n", "zstd", asbytes=True), "zstd", ONE),
    (b"1|a|1.50|2024-01-02\n", "compupdate off statupdate on region 'us-east-1'", ONE),
    (
        b'{"id": 1, "name": "a", "price": 1.50, "at": "2024-01-02", "more": [1]}',
        "json 'auto'",
        ONE,
    ),
    (b'{"ID": 1}\n{"Id": 2, "name": null}', "json 'auto ignorecase'",
     [[1, None, None, None], [2, None, None, None]]),
]  # fmt: skip


@pytest.mark.parametrize(("body", "options", "rows"), LOADS)
def test_loads(warehouse, table, body, options, rows):
    done = copy(warehouse, table, body, options)
    assert content(warehouse, table) == rows
    assert done["ResultRows"] == len(rows)


def test_json_paths(warehouse, table):
    paths = json.dumps({"jsonpaths": ["$.a[0]", "$['b']['c']", "$.p", "$.d"]}).encode()
    uri = warehouse.put("paths.json", paths)
    copy(warehouse, table, b'{"a": [1], "b": {"c": "a"}, "d": "2024-01-02"}', f"json '{uri}'")
    assert content(warehouse, table) == [[1, "a", None, "2024-01-02"]]


def test_parquet_and_avro(warehouse):
    warehouse.run("create table typed (id int, name varchar(10))")
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": pa.array([1], pa.int32()), "y": ["a"]}), buffer)
    copy(warehouse, "typed", buffer.getvalue(), "format as parquet")
    copy(warehouse, "typed", base64.b64decode(AVRO), "format avro 'auto'")
    assert content(warehouse, "typed") == [[1, "a"], [2, None]]
    wrong = io.BytesIO()
    pq.write_table(pa.table({"x": ["text"], "y": ["a"]}), wrong)
    with pytest.raises(StatementFailedError, match="incompatible parquet schema for column 'id'"):
        copy(warehouse, "typed", wrong.getvalue(), "parquet")


def test_column_list_defaults_and_identities(warehouse):
    warehouse.run("create table own (id int identity(1,1), n int default 7, name varchar(5))")
    copy(warehouse, "own", b"x\n", columns="(name)")
    copy(warehouse, "own", b"8|y\n")
    copy(warehouse, "own", b"50|9|z\n", "explicit_ids")
    assert content(warehouse, "own") == [[1, 7, "x"], [2, 8, "y"], [50, 9, "z"]]


ERRORS = [
    (b"x|a||\n", "id", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer"),
    (b"99999999999|a||\n", "id", 1204, "Overflow, Type: Integer"),
    (b"1|abcdefghijk||\n", "name", 1204, "String length exceeds DDL length"),
    (b"1|\xc3\xa6\xc3\xa6\xc3\xa6\xc3\xa6\xc3\xa6\xc3\xa6||\n", "name", 1204,
     "String length exceeds DDL length"),
    (b"1|a\xff||\n", "name", 1220, "String contains invalid or unsupported UTF8 codepoints."),
    (b"1|a|12x|\n", "price", 1207, "Invalid digit, Value 'x', Pos 2, Type: Decimal"),
    (b"1|a|1234567.00|\n", "price", 1204, "Overflow for NUMERIC(8,2)"),
    (b"1|a||2024\n", "at", 1205, "Invalid Date Format - length must be 10 or more"),
    (b"1|a\n", "name", 1214, "Delimiter not found"),
    (b"1|a|||\n", "at", 1202, "Extra column(s) found"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "noted"), [(body, noted) for body, *noted in ERRORS])
def test_errors_are_noted(warehouse, table, body, noted):
    column, code, reason = noted
    with pytest.raises(StatementFailedError) as caught:
        copy(warehouse, table, b"5|fine||\n" + body)
    assert str(caught.value) == FAILED.format(table)
    assert content(warehouse, table) == []
    [found] = warehouse.rows(
        "select line_number, trim(colname), err_code, trim(err_reason) from stl_load_errors "
        f"where tbl = '{table}'::regclass::oid"
    )
    assert found[:3] == [2, column, code]
    assert found[3].startswith(reason)


def test_maxerror_skips_lines_and_its_number_fails(warehouse, table):
    copy(warehouse, table, b"1|a||\nx|b||\n3|c||\n", "maxerror 2")
    assert [row[0] for row in content(warehouse, table)] == [1, 3]
    with pytest.raises(StatementFailedError, match="stl_load_errors"):
        copy(warehouse, table, b"x|a||\ny|b||\n3|c||\n", "maxerror 2")
    copy(warehouse, table, b"4|d||\n", "noload")
    assert len(content(warehouse, table)) == 2
    assert warehouse.rows(
        f"select count(*) from sys_load_error_detail where table_id = '{table}'::regclass::oid"
    ) == [[3]]


def test_manifests(warehouse, table):
    first = warehouse.put("m/1", b"1|a||\n")
    second = warehouse.put("m/2", b"2|b||\n")
    missing = f"s3://{warehouse.bucket}/m/nosuch"

    def load(*entries):
        body = json.dumps(
            {"entries": [{"url": url, "mandatory": mandatory} for url, mandatory in entries]}
        ).encode()
        copy(warehouse, table, body, "manifest")

    load((first, True), (second, False), (missing, False))
    assert [row[0] for row in content(warehouse, table)] == [1, 2]
    with pytest.raises(StatementFailedError, match="Error NoSuchKey"):
        load((first, True), (missing, True))
    with pytest.raises(StatementFailedError, match="not in the correct format"):
        copy(warehouse, table, b"[]", "manifest")
    assert len(content(warehouse, table)) == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("copy {t} from '{u}'", "IAM_ROLE or CREDENTIALS is required"),
        ("copy {t} from '{u}' iam_role default", "no default IAM role"),
        ("copy {t} from '{u}' iam_role 'arn:aws:iam::123456789012:role/other'",
         "is not associated to cluster"),
        ("copy {t} from '{u}' iam_role 'x'' y'", "Invalid IAM role ARN"),
        ("copy {t} from 's3://nosuch-bucket-anywhere/x' iam_role '{r}'", "Error NoSuchBucket"),
        ("copy {t} from '{u}nosuch' iam_role '{r}'", "prefix 'in/onenosuch' does not exist"),
        ("copy {t} from 'file:///etc/passwd' iam_role '{r}'", "begins with s3://"),
        ("copy {t} from '{u}' iam_role '{r}' nonsense", 'syntax error at or near "nonsense"'),
        ("copy {t} from '{u}' iam_role '{r}' lzop", "does not execute the parameter LZOP"),
        ("copy {t} from '{u}' iam_role '{r}' csv escape", "CSV is not supported with ESCAPE"),
        ("copy {t} (nosuch) from '{u}' iam_role '{r}'", 'column "nosuch" of relation'),
        ("copy nosuch from '{u}' iam_role '{r}'", 'relation "nosuch" does not exist'),
        ("copy {t} from '{u}' iam_role '{r}' gzip", "can't be decompressed"),
    ],
)  # fmt: skip
def test_refused_loads(warehouse, table, text, message):
    uri = warehouse.put("in/one", b"1|a||\n")
    with pytest.raises(StatementFailedError) as caught:
        warehouse.run(text.format(t=table, u=uri, r=ROLE))
    assert message in str(caught.value)
    assert content(warehouse, table) == []


def test_credentials_are_enough(warehouse, table):
    uri = warehouse.put("in/keys", b"1|a||\n")
    keys = "aws_access_key_id=a;aws_secret_access_key=b"
    warehouse.run(f"copy {table} from '{uri}' credentials '{keys}'")
    warehouse.run(f"copy {table} from '{uri}' credentials as 'aws_iam_role={ROLE}'")
    assert len(content(warehouse, table)) == 2


def test_a_failed_load_takes_back_the_batch(warehouse, table):
    uri = warehouse.put("in/bad", b"x|a||\n")
    done = warehouse.batch(
        f"insert into {table} (id) values (1)", f"copy {table} from '{uri}' iam_role '{ROLE}'"
    )
    assert done["Status"] == "FAILED"
    assert content(warehouse, table) == []


def test_dynamodb(warehouse, table):
    dynamodb = warehouse.client("dynamodb")
    name = f"items-{uuid.uuid4().hex[:8]}"
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "Id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "Id", "AttributeType": "N"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in (1, 2):
        item = {"Id": {"N": str(number)}, "NAME": {"S": "a"}, "other": {"S": "x"}}
        dynamodb.put_item(TableName=name, Item=item)
    warehouse.run(f"copy {table} from 'dynamodb://{name}' iam_role '{ROLE}' readratio 50")
    assert content(warehouse, table) == [[1, "a", None, None], [2, "a", None, None]]
    with pytest.raises(StatementFailedError, match="READRATIO is required"):
        warehouse.run(f"copy {table} from 'dynamodb://{name}' iam_role '{ROLE}'")
