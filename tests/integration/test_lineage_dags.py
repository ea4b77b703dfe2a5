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
from updraft.lineage.outbox import EventKey

pytestmark = pytest.mark.integration

UNIT = Path(__file__).parents[1] / "unit" / "lineage"


@pytest.fixture
def bucket(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    name = f"lineage-{uuid.uuid4().hex[:8]}"
    boto3.client("s3", endpoint_url=local_stack.endpoint_url).create_bucket(Bucket=name)
    return name


def _harvested(local_stack, dag_runs, bucket):
    """Harvest a log, and give the run that did it and the form for forwarding."""
    _write_log(local_stack, f"airflow-{bucket}-Task")
    uri = f"s3://{bucket}/lineage"
    form = {"environment_name": bucket, "outbox_uri": uri}
    harvest = dag_runs.run("harvest_task_logs", form)
    assert harvest.state == "success"
    domain = f"dzd_{uuid.uuid4().hex[:14]}"
    return harvest, {"outbox_uri": uri, "domain_id": domain, "max_events_per_second": 20}


def _catalog(domain):
    client = DataZoneHook(aws_conn_id=None).client
    pages = client.get_paginator("list_lineage_events").paginate(domainIdentifier=domain)
    return [
        (summary["runId"], summary["eventType"])
        for page in pages
        for item in page["items"]
        for summary in [item["eventSummary"]["openLineageRunEventSummary"]]
    ]


def test_harvested_and_forwarded(local_stack, bucket, dag_runs):
    _, form = _harvested(local_stack, dag_runs, bucket)

    for _ in range(2):  # the second run finds nothing to do
        assert dag_runs.run("forward_lineage", form).state == "success"

    runs = _catalog(form["domain_id"])
    assert len(runs) == len(set(runs)) == 12


@pytest.mark.thorough  # two looks at Airflow lie a minute apart
def test_a_run_without_an_end_is_closed(local_stack, bucket, dag_runs):
    harvest, form = _harvested(local_stack, dag_runs, bucket)
    form["close_orphans_after_minutes"] = 1
    # The task that has just harvested is one that says that it starts, and no more.
    orphan = str(uuid.uuid4())
    _put_start(open_outbox(form["outbox_uri"], aws_conn_id=None), orphan, harvest.run_id)

    # The first run takes the start to the catalog, the second and the third one ask.
    for pause in (0, 5, 65):
        time.sleep(pause)
        assert dag_runs.run("forward_lineage", form).state == "success"

    runs = _catalog(form["domain_id"])
    assert sorted(kind for run, kind in runs if run == orphan) == ["COMPLETE", "START"]


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
