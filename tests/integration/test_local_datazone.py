"""The local catalog as boto3 sees it, checked against botocore's own model of DataZone."""

import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from include.local.gateway.constraints import violations

pytestmark = pytest.mark.integration

START = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
TABLE = {"namespace": "arn:aws:dynamodb:us-east-1:123456789012:table", "name": "orders"}
PREFIX = {"namespace": "s3://exports", "name": "orders/2026"}
SCHEMA = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"

ClientInRegion = Callable[[str], Any]


@pytest.fixture(scope="module")
def client_in(local_stack) -> ClientInRegion:
    """A client per Region: the quota counts each Region by itself."""

    def make(region: str, **options: Any) -> Any:
        environment = local_stack.environment
        return boto3.client(
            "datazone",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=region,
            **options,
        )

    return make


@pytest.fixture
def datazone(client_in: ClientInRegion) -> Any:
    return client_in(f"test-{uuid.uuid4().hex[:8]}")


@pytest.fixture
def domain() -> str:
    return f"dzd_{uuid.uuid4().hex[:20]}"


def run_event(**changes: Any) -> dict[str, Any]:
    return {
        "eventType": "START",
        "eventTime": START.isoformat(),
        "producer": "https://example.com/test",
        "schemaURL": SCHEMA,
        "run": {"runId": "01941f29-7c00-7087-8940-40e5d762e32d"},
        "job": {"namespace": "airflow", "name": "export.copy"},
        "inputs": [TABLE],
        "outputs": [PREFIX],
        **changes,
    }


def post(datazone: Any, domain: str, event: Any, **options: Any) -> str:
    body = event if isinstance(event, bytes) else json.dumps(event).encode()
    answer = datazone.post_lineage_event(domainIdentifier=domain, event=body, **options)
    check(datazone, "PostLineageEvent", answer)
    assert answer["domainId"] == domain
    return str(answer["id"])


def check(datazone: Any, operation: str, answer: dict[str, Any]) -> None:
    """Compare an answer with the model: types, required members, patterns, limits."""
    shape = datazone.meta.service_model.operation_model(operation).output_shape
    content = {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    assert set(content) <= set(shape.members)
    if "event" in content:
        content["event"] = content["event"].read()
    report = ParamValidator().validate(content, shape)
    assert not report.has_errors(), report.generate_report()
    assert list(violations(shape, content)) == []


def test_event_comes_back_as_it_was_posted(datazone: Any, domain: str) -> None:
    body = json.dumps(run_event(job={"namespace": "ü", "name": "j"}), indent=3).encode()
    event_id = post(datazone, domain, body)
    answer = datazone.get_lineage_event(domainIdentifier=domain, identifier=event_id)
    assert answer["event"].read() == body
    assert (answer["id"], answer["domainId"]) == (event_id, domain)
    assert answer["eventTime"] == START
    assert answer["processingStatus"] == "SUCCESS"
    assert abs(answer["createdAt"] - datetime.now(UTC)) < timedelta(minutes=1)
    again = datazone.get_lineage_event(domainIdentifier=domain, identifier=event_id)
    check(datazone, "GetLineageEvent", again)


def test_other_domain_does_not_see_it(datazone: Any, domain: str) -> None:
    event_id = post(datazone, domain, run_event())
    with pytest.raises(datazone.exceptions.ResourceNotFoundException, match=event_id):
        datazone.get_lineage_event(domainIdentifier="dzd-other", identifier=event_id)
    assert datazone.list_lineage_events(domainIdentifier="dzd-other")["items"] == []


def test_summary(datazone: Any, domain: str) -> None:
    event_id = post(datazone, domain, run_event(eventType="COMPLETE"))
    answer = datazone.list_lineage_events(domainIdentifier=domain)
    check(datazone, "ListLineageEvents", answer)
    (item,) = answer["items"]
    assert item["id"] == event_id
    assert item["eventTime"] == START
    assert item["eventSummary"]["openLineageRunEventSummary"] == {
        "eventType": "COMPLETE",
        "runId": "01941f29-7c00-7087-8940-40e5d762e32d",
        "job": {"namespace": "airflow", "name": "export.copy"},
        "inputs": [TABLE],
        "outputs": [PREFIX],
    }


def test_pages_order_and_time_filters(datazone: Any, domain: str) -> None:
    # Two events share each moment, so that pages must not break between equals.
    moments = [START + timedelta(seconds=number // 2) for number in range(60)]
    ids = [post(datazone, domain, run_event(eventTime=moment.isoformat())) for moment in moments]

    def listed(**filters: Any) -> list[str]:
        pages = datazone.get_paginator("list_lineage_events").paginate(
            domainIdentifier=domain, **filters
        )
        return [item["id"] for page in pages for item in page["items"]]

    first = datazone.list_lineage_events(domainIdentifier=domain)
    assert len(first["items"]) == 50
    assert "nextToken" in first
    assert listed() == ids[::-1]
    assert listed(sortOrder="ASCENDING") == ids
    assert listed(sortOrder="ASCENDING", maxResults=7) == ids
    assert listed(sortOrder="DESCENDING", maxResults=1) == ids[::-1]
    after, before = START + timedelta(seconds=3), START + timedelta(seconds=20)
    assert listed(timestampAfter=after, timestampBefore=before, maxResults=5) == ids[8:40][::-1]
    assert listed(processingStatus="SUCCESS") == ids[::-1]
    assert listed(processingStatus="FAILED") == []


def test_token_makes_a_post_idempotent(datazone: Any, domain: str) -> None:
    first = post(datazone, domain, run_event(), clientToken="token")
    assert post(datazone, domain, run_event(), clientToken="token") == first
    assert post(datazone, "dzd_elsewhere", run_event(), clientToken="token") != first
    assert post(datazone, domain, run_event(), clientToken="another") != first
    with pytest.raises(datazone.exceptions.ConflictException) as caught:
        post(datazone, domain, run_event(eventType="FAIL"), clientToken="token")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    assert len(datazone.list_lineage_events(domainIdentifier=domain)["items"]) == 2


def test_same_token_from_many_threads_stores_one_event(datazone: Any, domain: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        posted = threads.map(
            lambda _: post(datazone, domain, run_event(), clientToken="token"), range(16)
        )
        assert len(set(posted)) == 1
    assert len(datazone.list_lineage_events(domainIdentifier=domain)["items"]) == 1


@pytest.mark.parametrize(
    ("event", "message"),
    [
        pytest.param(b"{", "not JSON", id="not JSON"),
        pytest.param(b"\xff\xfe\x00", "not JSON", id="not text"),
        pytest.param(b"[]", "not of type", id="not an object"),
        pytest.param({"dataset": TABLE}, "only RunEvents", id="DatasetEvent"),
        pytest.param(run_event(run={"runId": "1"}), "run/runId: '1' is not a 'uuid'", id="run id"),
        pytest.param(run_event(eventTime="yesterday"), "eventTime", id="time"),
        pytest.param(run_event(eventType="BEGIN"), "eventType: 'BEGIN'", id="type"),
        pytest.param(run_event(job={"name": "j"}), "job: 'namespace' is a required", id="job"),
        pytest.param(run_event(inputs=[{"name": "n"}]), "inputs/0: 'namespace'", id="dataset"),
    ],
)
def test_what_is_no_run_event_is_refused(
    datazone: Any, domain: str, event: Any, message: str
) -> None:
    with pytest.raises(datazone.exceptions.ValidationException, match=message) as caught:
        post(datazone, domain, event)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert datazone.list_lineage_events(domainIdentifier=domain)["items"] == []


def test_size_limit(datazone: Any, domain: str) -> None:
    event = json.dumps(run_event()).encode()
    post(datazone, domain, event + b" " * (300_000 - len(event)))
    with pytest.raises(datazone.exceptions.ValidationException, match="less than or equal to 300"):
        post(datazone, domain, event + b" " * (300_001 - len(event)))


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        ("get_lineage_event", {"domainIdentifier": "abc", "identifier": "a" * 14}, "dzd"),
        ("get_lineage_event", {"domainIdentifier": "dzd_a", "identifier": "A"}, "a-z0-9"),
        ("list_lineage_events", {"domainIdentifier": "dzd_a", "maxResults": 51}, "equal to 50"),
        ("list_lineage_events", {"domainIdentifier": "dzd_a", "sortOrder": "UP"}, "enum value set"),
        ("list_lineage_events", {"domainIdentifier": "dzd_a", "nextToken": "x"}, "nextToken 'x'"),
        ("get_lineage_node", {"domainIdentifier": "dzd_a", "identifier": "x" * 2087}, "2086"),
    ],
)
def test_parameters_that_the_model_forbids(
    client_in: ClientInRegion, operation: str, parameters: dict[str, Any], message: str
) -> None:
    datazone = client_in("us-east-1", config=Config(parameter_validation=False))
    with pytest.raises(datazone.exceptions.ValidationException, match=message):
        getattr(datazone, operation)(**parameters)


def test_graph_leads_from_table_over_run_to_prefix(datazone: Any, domain: str) -> None:
    later = (START + timedelta(minutes=1)).isoformat()
    post(datazone, domain, run_event(outputs=[]))
    post(datazone, domain, run_event(inputs=[], eventType="COMPLETE", eventTime=later))
    table = "arn:aws:dynamodb:us-east-1:123456789012:table/orders"
    run = "airflow.export.copy/01941f29-7c00-7087-8940-40e5d762e32d"

    def node(identifier: str) -> dict[str, Any]:
        answer = datazone.get_lineage_node(domainIdentifier=domain, identifier=identifier)
        check(datazone, "GetLineageNode", answer)
        return answer

    first, middle, last = node(table), node(run), node("s3://exports/orders/2026")
    assert [near["id"] for near in first["downstreamNodes"]] == [middle["id"]]
    assert [near["id"] for near in middle["upstreamNodes"]] == [first["id"]]
    assert [near["id"] for near in middle["downstreamNodes"]] == [last["id"]]
    assert [near["id"] for near in last["upstreamNodes"]] == [middle["id"]]
    assert first["upstreamNodes"] == last["downstreamNodes"] == []
    assert node(middle["id"])["sourceIdentifier"] == run
    assert middle["eventTimestamp"] == START + timedelta(minutes=1)
    assert json.loads(middle["formsOutput"][0]["content"])["eventType"] == "COMPLETE"
    assert node("airflow.export.copy")["name"] == "export.copy"
    at = datazone.get_lineage_node(domainIdentifier=domain, identifier=run, eventTimestamp=START)
    assert at["id"] == middle["id"]
    with pytest.raises(
        datazone.exceptions.ResourceNotFoundException, match="no lineage node s3://"
    ):
        node("s3://exports/orders")


def test_late_start_does_not_hide_the_end(datazone: Any, domain: str) -> None:
    later = (START + timedelta(minutes=1)).isoformat()
    post(datazone, domain, run_event(eventType="COMPLETE", eventTime=later))
    post(datazone, domain, run_event())
    run = "airflow.export.copy/01941f29-7c00-7087-8940-40e5d762e32d"
    node = datazone.get_lineage_node(domainIdentifier=domain, identifier=run)
    assert json.loads(node["formsOutput"][0]["content"])["eventType"] == "COMPLETE"
    assert node["eventTimestamp"] == START + timedelta(minutes=1)


def test_quota_counts_each_region_by_itself(client_in: ClientInRegion, domain: str) -> None:
    once = Config(retries={"total_max_attempts": 1}, max_pool_connections=8)

    def status(datazone: Any, token: str) -> int:
        try:
            post(datazone, domain, run_event(), clientToken=token)
        except datazone.exceptions.ThrottlingException as error:
            return int(error.response["ResponseMetadata"]["HTTPStatusCode"])
        return 200

    for region in (f"quota-{uuid.uuid4().hex[:8]}" for _ in range(2)):
        tokens = [f"{region}-{number}" for number in range(60)]
        begun = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            statuses = list(threads.map(partial(status, client_in(region, config=once)), tokens))
        seconds = time.monotonic() - begun
        assert set(statuses) == {200, 429}
        # A burst of 20, then 20 more for each second that the posts took.
        assert 20 <= statuses.count(200) <= 20 + 20 * seconds + 1


def test_sdk_gets_through_the_quota_by_waiting(client_in: ClientInRegion, domain: str) -> None:
    config = Config(retries={"total_max_attempts": 10, "mode": "standard"})
    datazone = client_in(f"quota-{uuid.uuid4().hex[:8]}", config=config)
    for number in range(40):
        post(datazone, domain, run_event(), clientToken=str(number))
    listed = datazone.list_lineage_events(domainIdentifier=domain)["items"]
    assert len(listed) == 40


def test_operation_that_is_not_there_is_refused(datazone: Any, domain: str) -> None:
    with pytest.raises(ClientError, match="does not implement DeleteLineageEvent of datazone"):
        datazone.delete_lineage_event(domainIdentifier=domain, identifier="a" * 14)


def test_events_that_cannot_be_processed(local_stack, datazone: Any, domain: str) -> None:
    for number in range(3):
        job = {"namespace": "tests", "name": f"{domain}.job_{number % 2}"}
        event = json.dumps(run_event(job=job, run={"runId": str(uuid.uuid4())})).encode()
        datazone.post_lineage_event(domainIdentifier=domain, event=event)
    url = f"{local_stack.endpoint_url}/_local/datazone/failures"
    body = json.dumps({"job": f"{domain}.job_0"}).encode()
    urllib.request.urlopen(urllib.request.Request(url, body, method="PUT")).close()
    try:
        pages = datazone.get_paginator("list_lineage_events").paginate(
            domainIdentifier=domain, processingStatus="FAILED", PaginationConfig={"PageSize": 1}
        )
        failed = [item for page in pages for item in page["items"]]
        names = {
            item["eventSummary"]["openLineageRunEventSummary"]["job"]["name"] for item in failed
        }
        assert (len(failed), names) == (2, {f"{domain}.job_0"})
        (fine,) = datazone.list_lineage_events(domainIdentifier=domain, processingStatus="SUCCESS")[
            "items"
        ]
        for item in (*failed, fine):
            got = datazone.get_lineage_event(domainIdentifier=domain, identifier=item["id"])
            assert got["processingStatus"] == item["processingStatus"]
    finally:
        urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()
