"""The DAGs of lineage in a real Airflow, from the log to the catalog."""

import json
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from include.local.airflow import NAMESPACE
from updraft.hooks.datazone import DataZoneHook
from updraft.hooks.outbox import open_outbox
from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.outbox import EventKey

pytestmark = pytest.mark.integration

UNIT = Path(__file__).parents[1] / "unit" / "lineage"


def test_harvested_forwarded_and_closed(local_stack, dag_runs, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    bucket = environment = f"lineage-{uuid.uuid4().hex[:8]}"
    domain = f"dzd_{uuid.uuid4().hex[:14]}"
    boto3.client("s3", endpoint_url=local_stack.endpoint_url).create_bucket(Bucket=bucket)
    _write_log(local_stack, f"airflow-{environment}-Task")
    uri = f"s3://{bucket}/lineage"

    harvest = dag_runs.run(
        "harvest_task_logs", {"environment_name": environment, "outbox_uri": uri}
    )
    assert harvest.state == "success"

    # The task that has just harvested is one that says that it starts, and no more.
    orphan = str(uuid.uuid4())
    outbox = open_outbox(uri, aws_conn_id=None)
    _put_start(outbox, orphan, harvest.run_id)
    form = {"outbox_uri": uri, "domain_id": domain, "max_events_per_second": 20}
    # The first run takes the start to the catalog, the second one asks, and minutes later one ends.
    for _ in range(3):
        assert dag_runs.run("forward_lineage", form).state == "success"
        _let_time_pass(outbox, f"datazone-{domain}")
    client = DataZoneHook(aws_conn_id=None).client
    pages = client.get_paginator("list_lineage_events").paginate(domainIdentifier=domain)
    runs = [
        (summary["runId"], summary["eventType"])
        for page in pages
        for item in page["items"]
        for summary in [item["eventSummary"]["openLineageRunEventSummary"]]
    ]
    assert len(runs) == len(set(runs)) == 14
    assert sorted(kind for run, kind in runs if run == orphan) == ["COMPLETE", "START"]


def _let_time_pass(outbox, reader: str) -> None:
    checkpoint = Checkpoint.from_json(outbox.load_checkpoint(reader), reader)
    for run in checkpoint.runs.runs.values():
        run.over_since = run.over_since and run.started_at
    outbox.save_checkpoint(reader, checkpoint.to_json())


def _write_log(local_stack, group: str) -> None:
    client = boto3.client("logs", endpoint_url=local_stack.endpoint_url, region_name="us-east-1")
    client.create_log_group(logGroupName=group)
    client.create_log_stream(logGroupName=group, logStreamName="a")
    lines = (UNIT / "logs" / "airflow3.3.2_provider2.20.3_task_log.jsonl").read_text().splitlines()
    now = int(time.time() * 1000) - 120_000
    events = [{"timestamp": now + at, "message": line} for at, line in enumerate(lines)]
    client.put_log_events(logGroupName=group, logStreamName="a", logEvents=events)


def _put_start(outbox, run_id: str, dag_run_id: str) -> None:
    event = json.loads((UNIT / "samples" / "airflow_3_start.json").read_text())
    event["run"]["runId"] = run_id
    event["job"].update(namespace=NAMESPACE, name="harvest_task_logs.harvest")
    facet = event["run"]["facets"]["airflow"]
    facet["dagRun"].update(dag_id="harvest_task_logs", run_id=dag_run_id)
    facet["task"]["task_id"] = "harvest"
    body = json.dumps(event).encode()
    earlier = datetime.now(UTC) - timedelta(hours=2)
    outbox.put_event(
        body, EventKey.for_event(body, run_id=run_id, event_type="START", written_at=earlier)
    )
