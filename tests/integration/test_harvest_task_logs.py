"""Lineage from the log groups of the local stack through the outbox into its catalog."""

import time
import uuid
from pathlib import Path

import boto3
import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from updraft.operators.lineage import ForwardLineageOperator
from updraft.operators.lineage_harvest import HarvestTaskLogsOperator

pytestmark = pytest.mark.integration

LOGS = Path(__file__).parents[1] / "unit" / "lineage" / "logs"
GROUPS = {
    "Task": "airflow3.3.2_provider2.20.3_task_log.jsonl",
    "Scheduler": "airflow3.3.2_scheduler_stdout.txt",
}


def test_from_the_log_to_the_catalog_once(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("logs", endpoint_url=local_stack.endpoint_url, region_name="us-east-1")
    bucket = environment = f"lineage-{uuid.uuid4().hex[:8]}"
    S3Hook(aws_conn_id=None).create_bucket(bucket)
    now = int(time.time() * 1000) - 120_000
    for kind, file in GROUPS.items():
        where = {"logGroupName": f"airflow-{environment}-{kind}", "logStreamName": "a/b=1"}
        client.create_log_group(logGroupName=where["logGroupName"])
        client.create_log_stream(**where)
        lines = (LOGS / file).read_text().splitlines()
        # One message is cut in two, as a handler does that knows the limit.
        pieces = [lines[0], lines[1][:700], lines[1][700:], *lines[2:]]
        events = [{"timestamp": now + at, "message": piece} for at, piece in enumerate(pieces)]
        client.put_log_events(**where, logEvents=events)

    def harvest() -> dict[str, int]:
        return HarvestTaskLogsOperator(
            task_id="harvest",
            aws_conn_id=None,
            environment_name=environment,
            outbox_uri=f"s3://{bucket}/lineage",
        ).execute({})

    counts = harvest()
    assert {name: counts[name] for name in ("found", "split", "truncated", "stored")} == {
        "found": 14,
        "split": 2,
        "truncated": 0,
        "stored": 14,
    }
    assert harvest()["stored"] == 0
    forward = ForwardLineageOperator(
        task_id="post_to_catalog",
        aws_conn_id=None,
        domain_id=f"dzd_{uuid.uuid4().hex[:14]}",
        outbox_uri=f"s3://{bucket}/lineage",
        max_events_per_second=20,
    )
    assert forward.execute({})["posted"] == 14
