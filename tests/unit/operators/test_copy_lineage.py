"""What copies between S3 and databases tell OpenLineage before they run."""

import pytest

from updraft.operators.s3_to_s3 import CopyS3ToS3Operator
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

_SAME = {"task_id": "t", "aws_conn_id": None}
_TABLE = {**_SAME, "sql_conn_id": "no_such_connection"}


@pytest.mark.parametrize(
    ("operator", "inputs", "outputs"),
    [
        (
            CopyS3ToS3Operator(**_SAME, source_s3_uri="s3://one/in/", dest_s3_uri="s3://two/out/a"),
            [("s3://one", "in")],
            [("s3://two", "out/a")],
        ),
        (
            CopyS3ToSqlOperator(**_TABLE, s3_uri="s3://one/in/", table="t"),
            [("s3://one", "in")],
            [],
        ),
        (
            CopySqlToS3Operator(
                **_TABLE, s3_uri="s3://one/out/", query="select 1", compression="gzip"
            ),
            [],
            [("s3://one", "out/part-00000.csv.gz")],
        ),
    ],
)
def test_files_are_named_before_the_copy_and_after_one_that_failed(operator, inputs, outputs):
    for found in (
        operator.get_openlineage_facets_on_start(),
        operator.get_openlineage_facets_on_complete(None),
    ):
        assert [(one.namespace, one.name) for one in found.inputs] == inputs
        assert [(one.namespace, one.name) for one in found.outputs] == outputs


def test_what_is_wrong_is_no_event():
    operator = CopyS3ToSqlOperator(**_TABLE, s3_uri="bucket/key", table="t")
    assert operator.get_openlineage_facets_on_start() is None
