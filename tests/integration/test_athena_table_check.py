"""Checks of tables on the local stack's Athena."""

import asyncio
import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import TaskDeferred

from updraft.compat import AirflowException, AirflowFailException
from updraft.errors import UpdraftError
from updraft.operators.athena_table_check import AthenaTableCheckOperator

pytestmark = pytest.mark.integration

DATABASE = "checks"


@pytest.fixture(scope="module")
def lake(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, glue = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("s3", "glue")
    )
    bucket = f"lake-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    s3.put_object(
        Bucket=bucket, Key="people/1.csv", Body="1,Zoë O'Neil,1.5\n2,Bob,\n2,Bob,\n".encode()
    )
    glue.create_table(
        DatabaseName=DATABASE,
        TableInput={
            "Name": "people",
            "StorageDescriptor": {
                "Columns": [
                    {"Name": "id", "Type": "bigint"},
                    {"Name": "name", "Type": "string"},
                    {"Name": "score", "Type": "double"},
                ],
                "Location": f"s3://{bucket}/people/",
                "SerdeInfo": {
                    "SerializationLibrary": "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe",
                    "Parameters": {"field.delim": ","},
                },
            },
        },
    )
    return SimpleNamespace(bucket=bucket)


@pytest.fixture
def check(lake, local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)

    def run(table="people", **arguments):
        operator = _operator(lake, table=table, deferrable=False, **arguments)
        return operator.execute(CONTEXT)

    return run


CONTEXT = {"ti": SimpleNamespace(xcom_push=lambda **_: None)}


def _operator(lake, **arguments):
    return AthenaTableCheckOperator(
        task_id="check",
        database=DATABASE,
        output_location=f"s3://{lake.bucket}/results",
        sleep_time=0,
        **arguments,
    )


def test_after_a_deferral_another_process_compares(lake, check):
    arguments = {"table": "people", "expected_rows": '[{"id": 1}]', "expected_row_count": 3}
    with pytest.raises(TaskDeferred) as deferred:
        _operator(lake, **arguments).execute(CONTEXT)

    async def ended():
        return (await anext(deferred.value.trigger.run())).payload

    event = asyncio.run(ended())
    resumed = _operator(lake, **arguments)
    assert getattr(resumed, deferred.value.method_name)(CONTEXT, event=event) == 3
    wrong = _operator(lake, **{**arguments, "expected_row_count": 4})
    with pytest.raises(AirflowFailException, match="3 rows instead of 4"):
        wrong.execute_complete(CONTEXT, event=event)


def test_a_table_that_is_as_expected(check):
    rows = [{"id": 1, "name": "Zoë O'Neil", "score": 1.5}, {"score": 1.5}]
    assert check(expected_row_count="3", expected_rows=rows) == 3
    assert check() == 3


def test_all_differences_are_named(check):
    rows = [{"id": 1}, {"name": "Bob", "score": None}, {"id": 9}]
    with pytest.raises(AirflowFailException) as error:
        check(expected_row_count=4, expected_rows=rows)
    assert (
        'checks.people has 3 rows instead of 4; 2 rows with {"name": "Bob", "score": null} instead '
        'of one; no rows with {"id": 9} instead of one (query '
    ) in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"expected_row_count": "many"}, "expected_row_count: 'many' is not a number of rows"),
        ({"expected_rows": "[1]"}, "expected_rows: '\\[1\\]' is not a list of rows"),
        ({"expected_rows": [{"id": [1]}]}, "the value of 'id', \\[1\\], is no text"),
    ],
)
def test_wrong_arguments(check, arguments, message):
    with pytest.raises(UpdraftError, match=message):
        check(**arguments)


def test_a_table_that_is_not_there(check):
    with pytest.raises(
        AirflowException, match=r"Table 'awsdatacatalog.checks.nobody' does not exist"
    ):
        check(table="nobody")
