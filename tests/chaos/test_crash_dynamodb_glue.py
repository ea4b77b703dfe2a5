"""Exports by a Spark job on Glue, harmed where the run is started.

Each run takes Spark some ten seconds, so only ``make chaos`` has time for them.
"""

import json
import uuid

import boto3
import pytest
from typer.testing import CliRunner

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_sweep import IS_FULL, KILLS, WAYS, Sweep
from updraft.cli.main import app
from updraft.compat import DAG
from updraft.operators.dynamodb import DynamoDBExportOperator
from updraft.paths import include_directory

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not IS_FULL, reason="Spark takes too long for a short sweep"),
]

ITEMS = 10
START = "glue:StartJobRun"


def export_dag(table, s3_uri, deferrable):
    with DAG("crash", schedule=None) as dag:
        DynamoDBExportOperator(
            task_id="export",
            table_name=table,
            s3_uri=s3_uri,
            engine="glue",
            glue_job_name="crash-export",
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
        )
    return dag


@pytest.fixture(scope="module")
def aws(local_stack, tmp_path_factory):
    """Give a client by its name; the job and the table are there."""
    session = boto3.Session("local", "local", region_name="us-east-1")

    def client(service):
        return session.client(service, endpoint_url=local_stack.endpoint_url)

    archive = tmp_path_factory.mktemp("package") / "updraft_spark.zip"
    assert CliRunner().invoke(app, ["package", "--spark", "--output", str(archive)]).exit_code == 0
    script = include_directory() / "glue" / "dynamodb_export.py"
    client("s3").create_bucket(Bucket="crash-glue")
    for path in (archive, script):
        client("s3").upload_file(str(path), "crash-glue", path.name)
    client("glue").create_job(
        Name="crash-export",
        Role="arn:aws:iam::123456789012:role/glue",
        Command={"Name": "glueetl", "ScriptLocation": f"s3://crash-glue/{script.name}"},
        DefaultArguments={
            "--extra-py-files": f"s3://crash-glue/{archive.name}",
            "--additional-python-modules": "boto3,orjson,pydantic,tenacity,amazon.ion",
        },
        GlueVersion="5.0",
        ExecutionProperty={"MaxConcurrentRuns": 5},
    )
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="crash-glue",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    for number in range(ITEMS):
        dynamodb.put_item(TableName="crash-glue", Item={"id": {"S": str(number)}})
    return client


@pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")
def test_one_run_exports_the_table(aws, local_stack, tmp_path, deferrable):
    def fresh():
        location = f"s3://crash-glue/{uuid.uuid4()}"
        return {"table": "crash-glue", "s3_uri": location, "deferrable": deferrable}

    def check(arguments, outcome):
        assert outcome.states == {"export": "success"}
        assert outcome.returned("export")["items"] == ITEMS
        pages = aws("glue").get_paginator("get_job_runs").paginate(JobName="crash-export")
        states = [
            run["JobRunState"]
            for page in pages
            for run in page["JobRuns"]
            if run["Arguments"]["--s3_uri"].startswith(arguments["s3_uri"])
        ]
        assert states == ["SUCCEEDED"]
        key = f"{arguments['s3_uri'].rpartition('/')[2]}/manifest"
        manifest = json.loads(aws("s3").get_object(Bucket="crash-glue", Key=key)["Body"].read())
        lines = 0
        for entry in manifest["entries"]:
            key = entry["url"].removeprefix("s3://crash-glue/")
            body = aws("s3").get_object(Bucket="crash-glue", Key=key)["Body"].read()
            lines += len(body.splitlines())
        assert lines == ITEMS

    subject = Subject(export_dag, ("export",), only=lambda name: name == START)
    Sweep(subject, local_stack.environment, tmp_path, fresh, check, changes=START).run(KILLS)
