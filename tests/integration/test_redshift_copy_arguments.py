"""Attempts to get other SQL into a load by its arguments: refused, or quoted."""

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from tests.integration.redshift_tasks import attempt, load_arguments, quick_looks
from tests.integration.redshift_warehouse import ROLE, new_warehouse
from updraft.operators.redshift_copy import RedshiftCopyOperator

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture(autouse=True)
def surroundings(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    quick_looks(monkeypatch)


REFUSED = [
    ({"table": "t; drop table t"}, "table: "),
    ({"table": "t (id) from 's3://x/y' --"}, "table: "),
    ({"table": 'a"; drop table t; --'}, "table: "),
    ({"table": '"a"" ; drop table t'}, "table: "),
    ({"table": '"a\0b"'}, "table: "),
    ({"table": "x" * 128}, "longer than 127 bytes"),
    ({"table": "other.db.t"}, "more than schema and table"),
    ({"schema": "public; drop table t"}, "schema: "),
    ({"columns": ["id) select 1; --"]}, "columns: "),
    ({"columns": "id, id"}, "comes twice"),
    ({"primary_keys": ["id or 1=1"]}, "primary_keys: "),
    ({"s3_uri": "https://x/y"}, "not an S3 URI"),
    ({"s3_uri": "s3://bucket"}, "whole bucket"),
    ({"iam_role": "arn:aws:iam::123456789012:role/x' MANIFEST '"}, "iam_role: "),
    ({"iam_role": "default; drop table t"}, "iam_role: "),
    ({"iam_role": None}, "iam_role: "),
    ({"insert_mode": "APEND"}, "did you mean 'APPEND'"),
    ({"copy_options": "GZIP; DROP TABLE t"}, "no part of an option"),
    ({"copy_options": "GZIP) FROM"}, "no part of an option"),
    ({"copy_options": ["EMPTYASNUL"]}, "did you mean 'EMPTYASNULL'"),
    ({"copy_options": "DELIMITER 'x' '"}, "no part of an option"),
    ({"copy_options": r"DELIMITER '\'"}, "no part of an option"),
    ({"copy_options": r"NULL AS '\'' GZIP"}, "no part of an option"),
    ({"copy_options": "DELIMITER ',' FROM 's3://other/x'"}, "'FROM' is unknown"),
    ({"copy_options": "GZIP /* */ CSV"}, "no part of an option"),
    ({"copy_options": "GZIP -- x"}, "no part of an option"),
    ({"copy_options": "IAM_ROLE 'arn:aws:iam::1:role/x'"}, "IAM_ROLE is refused"),
    ({"copy_options": "CREDENTIALS 'x'"}, "CREDENTIALS is refused"),
    ({"copy_options": "NOLOAD"}, "NOLOAD is refused"),
    ({"copy_options": "GZIP", "compression": "bzip2"}, "BZIP2 and GZIP are 2 compressions"),
    ({"copy_options": "MAXERROR 1 MAXERROR 2"}, "MAXERROR is given twice"),
    ({"copy_options": "IGNOREHEADER one"}, "IGNOREHEADER takes a whole number"),
    ({"copy_options": "MAXERROR 100001"}, "above 100000"),
    ({"copy_options": "READRATIO 50"}, "for tables of DynamoDB only"),
    ({"delimiter": "';"}, "single ASCII character"),
    ({"file_format": "cvs"}, "did you mean 'csv'"),
    ({"file_format": "json", "json_paths": "x' GZIP"}, "not an S3 URI"),
    ({"source_region": "eu' GZIP '"}, "no region"),
    ({"max_error": "1 GZIP"}, "no whole number"),
    ({"transform_sql": "select 1; drop table t"}, "2 statements"),
    ({"transform_sql": "drop table t"}, "begins with 'drop'"),
    ({"transform_sql": "select * into x from staging"}, "INTO"),
    ({"transform_sql": "select 'x"}, "never closed"),
    ({"transform_sql": "select 1) ; --"}, "parentheses"),
    ({"create_table_sql": "create table other (id int)"}, "makes the table public.other"),
    ({"create_table_sql": "drop table t"}, "begin with CREATE TABLE"),
    ({"create_table_sql": "create temp table t (id int)"}, "temporary table"),
    ({"create_table_sql": "create table t (id int); drop table t"}, "2 statements"),
    ({"dynamodb_table": "x' READRATIO"}, "give one of"),
    ({"dynamodb_table": "x' READRATIO", "s3_uri": None}, "dynamodb_table: "),
    ({"dynamodb_table": "abc", "s3_uri": None, "read_ratio": 201}, "read_ratio: "),
    ({"dynamodb_table": "abc", "s3_uri": None, "file_format": "csv"}, "can't be used with a table"),
    ({"source_table": "t; drop table t", "s3_uri": None}, "source_table: "),
]


@pytest.fixture(scope="module")
def guarded(warehouse):
    """A table, and what says whether anything in the database or bucket has changed."""
    warehouse.run("create table t (id int primary key, v varchar(20))")
    warehouse.run("insert into t values (1, 'kept')")

    def state():
        tables = warehouse.rows("select schema_name, table_name from svv_all_tables order by 1, 2")
        return warehouse.rows("select * from t"), tables

    return state, state()


@pytest.mark.parametrize(("wrong", "message"), REFUSED, ids=lambda value: str(value)[:60])
def test_wrong_arguments_are_refused_before_any_call(warehouse, monkeypatch, wrong, message):
    arguments = {"table": "t", "iam_role": ROLE, "s3_uri": "s3://bucket/in", **wrong}
    task = RedshiftCopyOperator(**load_arguments(warehouse, **arguments))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")  # nothing listens there
    with pytest.raises(AirflowFailException, match=message):
        task.execute(attempt())


QUOTED = [
    {"table": '"t; drop table t; --"'},
    {"table": '"t"" ; drop table t; --"'},
    {"schema": '"x""; drop table t; --"'},
    {"columns": ['"v"") from staging; drop table t; --"']},
    {"insert_mode": "KEEP_EXISTING", "primary_keys": ['"id"" or 1=1; --"']},
    {"s3_uri": "s3://bucket/x' iam_role default; drop table t; --"},
    {"s3_uri": "s3://bucket/x\\' ; drop table t; --"},
    {"null_as": "' ; drop table t; --"},
    {"null_as": "\\' ; drop table t; --"},
    {"date_format": "'; drop table t; --"},
    {"time_format": "'; drop table t; --"},
    {"copy_options": "NULL AS '''; drop table t; --'"},
    {"query_group": "'; drop table t; --"},
    {"source_table": '"t""; drop table t; --"', "s3_uri": None},
    {"transform_sql": "select id, v || '; drop table t; --' from nowhere"},
]


@pytest.mark.parametrize("odd", QUOTED, ids=str)
def test_odd_arguments_stay_what_they_are(warehouse, guarded, odd):
    state, before = guarded
    arguments = {"table": "t", "iam_role": ROLE, "s3_uri": f"s3://{warehouse.bucket}/no", **odd}
    with pytest.raises(AirflowException):
        RedshiftCopyOperator(**load_arguments(warehouse, **arguments)).execute(attempt())
    assert state() == before
