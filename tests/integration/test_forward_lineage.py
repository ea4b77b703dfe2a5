"""Lineage from the OpenLineage client through an outbox in S3 to the catalog of the local stack."""

import json
import urllib.request
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from typer.testing import CliRunner

from updraft.cli.lineage import lineage_app
from updraft.compat import AirflowException
from updraft.hooks.datazone import DataZoneHook
from updraft.hooks.outbox import open_outbox
from updraft.lineage.configuration import TRANSPORT_TYPE
from updraft.lineage.outbox import DeadLetter, EventKey, ObjectMissingError, Outbox
from updraft.lineage.validation import problems
from updraft.operators.lineage import ForwardLineageOperator

pytestmark = pytest.mark.integration

PRODUCER = "https://example.org/updraft-tests"


@pytest.fixture(autouse=True)
def environment(local_stack, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def bucket() -> str:
    name = f"lineage-{uuid.uuid4().hex[:12]}"
    S3Hook(aws_conn_id=None).create_bucket(name)
    return name


@pytest.fixture
def outbox(bucket: str) -> Outbox:
    return open_outbox(f"s3://{bucket}/lineage/", aws_conn_id=None)


@pytest.fixture
def domain() -> str:
    """A domain of its own for each test, so that no other test's events are in it."""
    return f"dzd_{uuid.uuid4().hex[:14]}"


def emit(outbox: Outbox, state: RunState, run_id: str) -> None:
    client = OpenLineageClient(
        config={"transport": {"type": TRANSPORT_TYPE, "uri": outbox.uri, "timeout": 30}}
    )
    client.emit(
        RunEvent(
            eventTime=datetime.now(UTC).isoformat(),
            producer=PRODUCER,
            run=Run(run_id),
            job=Job("tests", "export.orders"),
            eventType=state,
            inputs=[InputDataset("arn:aws:dynamodb:us-east-1:123456789012", "table/orders")],
            outputs=[OutputDataset("s3://exports", "orders/2026")],
        )
    )


def forward(outbox: Outbox, domain: str) -> dict[str, int]:
    return ForwardLineageOperator(
        task_id="post_to_catalog",
        aws_conn_id=None,
        domain_id=domain,
        outbox_uri=outbox.uri,
        max_events_per_second=20,
    ).execute({})


def events_in_catalog(domain: str) -> list[dict]:
    client = DataZoneHook(aws_conn_id=None).client
    pages = client.get_paginator("list_lineage_events").paginate(
        domainIdentifier=domain, sortOrder="ASCENDING"
    )
    ids = [item["id"] for page in pages for item in page["items"]]
    return [
        json.loads(
            client.get_lineage_event(domainIdentifier=domain, identifier=event_id)["event"].read()
        )
        for event_id in ids
    ]


def test_from_the_client_to_the_catalog_once(outbox: Outbox, domain: str):
    run_id = str(uuid.uuid4())
    emit(outbox, RunState.START, run_id)
    emit(outbox, RunState.COMPLETE, run_id)
    assert forward(outbox, domain)["posted"] == 2
    assert forward(outbox, domain)["read"] == 0

    events = events_in_catalog(domain)
    assert [event["eventType"] for event in events] == ["START", "COMPLETE"]
    assert [problems(event) for event in events] == [[], []]
    for event in events:
        (source,), (target,) = event["inputs"], event["outputs"]
        assert f"{source['namespace']}/{source['name']}" == (
            "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
        )
        assert f"{target['namespace']}/{target['name']}" == "s3://exports/orders/2026"

    # A lost checkpoint costs calls, but the catalog knows the tokens.
    outbox.delete(f"checkpoints/datazone-{domain}.json")
    counts = forward(outbox, domain)
    assert counts["posted"] + counts["already_there"] == 2
    assert len(events_in_catalog(domain)) == 2


def test_a_corrupt_object_becomes_a_dead_letter(outbox: Outbox, domain: str):
    emit(outbox, RunState.START, str(uuid.uuid4()))
    body = b'{"eventTime": "2026-'
    outbox.put_event(body, EventKey.for_event(body, run_id="broken", event_type="START"))
    emit(outbox, RunState.START, str(uuid.uuid4()))
    counts = forward(outbox, domain)
    assert (counts["posted"], counts["dead_lettered"]) == (2, 1)
    (name,) = outbox.dead_letter_names()
    letter = DeadLetter.from_json(outbox.read(name))
    assert (letter.body, letter.reason[:8]) == (body, "not JSON")


@pytest.mark.thorough
def test_s3_lists_in_order_beyond_one_page(outbox: Outbox):
    begin = datetime.now(UTC) - timedelta(hours=3)
    keys = [
        EventKey.for_event(
            b"{}", run_id="run", event_type="START", written_at=begin + timedelta(seconds=10 * step)
        )
        for step in range(1005)
    ]
    for key in keys:
        outbox.put_event(b"{}", key)
    assert [EventKey.parse(name) for name in outbox.event_names()] == keys
    since = outbox.event_names(since=keys[700].written_at)
    assert [EventKey.parse(name) for name in since] == keys[700:]


def test_s3_objects_that_are_not_there(outbox: Outbox):
    assert outbox.load_checkpoint("nobody") is None
    outbox.delete("events/nothing")
    with pytest.raises(ObjectMissingError, match=r"cannot read s3://.*events/nothing"):
        outbox.read("events/nothing")


def test_a_bucket_that_is_not_there_is_named(domain: str):
    outbox = open_outbox("s3://no-such-bucket-anywhere/lineage", aws_conn_id=None)
    with pytest.raises(AirflowException, match=r"NoSuchBucket: .*; create the bucket"):
        forward(outbox, domain)


def test_an_event_that_finds_no_bucket_waits_for_it(bucket, domain, tmp_path, caplog):
    later = f"{bucket}-later"
    transport = {
        "type": TRANSPORT_TYPE,
        "uri": f"s3://{later}/lineage",
        "timeout": 30,
        "fallback_uri": (tmp_path / "fallback").as_uri(),
    }
    client = OpenLineageClient(config={"transport": transport})
    event = RunEvent(
        eventTime=datetime.now(UTC).isoformat(),
        producer=PRODUCER,
        run=Run(str(uuid.uuid4())),
        job=Job("tests", "export.orders"),
        eventType=RunState.START,
    )
    client.emit(event)
    assert "waits in file://" in caplog.text
    S3Hook(aws_conn_id=None).create_bucket(later)
    event.eventType = RunState.COMPLETE
    client.emit(event)
    assert forward(open_outbox(f"s3://{later}/lineage", aws_conn_id=None), domain)["posted"] == 2
    assert [found["eventType"] for found in events_in_catalog(domain)] == ["START", "COMPLETE"]


def test_what_the_catalog_could_not_process_is_named_once(
    local_stack, outbox: Outbox, domain: str, capsys
):
    name = f"{domain}.export"
    for number in range(2):
        client = OpenLineageClient(
            config={"transport": {"type": TRANSPORT_TYPE, "uri": outbox.uri, "timeout": 30}}
        )
        event_time = datetime.now(UTC).isoformat()
        job = Job("tests", name if number else "fine")
        client.emit(
            RunEvent(
                eventTime=event_time,
                producer=PRODUCER,
                run=Run(str(uuid.uuid4())),
                job=job,
                eventType=RunState.COMPLETE,
            )
        )
    url = f"{local_stack.endpoint_url}/_local/datazone/failures"
    body = json.dumps({"job": name}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")).close()
    try:
        counts = forward(outbox, domain)
        assert (counts["posted"], counts["failed_later"]) == (2, 1)
        said = f"(COMPLETE of {name}, run "
        assert said in capsys.readouterr().out
        assert forward(outbox, domain)["failed_later"] == 0
        arguments = ("--outbox", outbox.uri, "--domain-id", domain)
        diagnosed = CliRunner().invoke(lineage_app, ["doctor", *arguments, "--format", "json"])
        findings = json.loads(diagnosed.stdout[diagnosed.stdout.index("[\n") :])  # Airflow logs
        (finding,) = [one for one in findings if one["check"] == "processing"]
        assert (finding["severity"], said in finding["message"]) == ("error", True)
        # The command tells what no run has told yet.
        outbox.save_checkpoint(f"failures-datazone-{domain}", b'{"reported": {}}')
        forwarded = CliRunner().invoke(lineage_app, ["forward", *arguments, "--json"])
        counts = json.loads(forwarded.stdout.splitlines()[-1])
        assert (counts["failed_later"], forwarded.exit_code) == (1, 0)
        assert said in forwarded.stderr
    finally:
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()
