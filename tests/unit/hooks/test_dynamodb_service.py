"""Both ways to DynamoDB against a server that answers by a script."""

import json
import logging
import re
import socket
import statistics
import threading
import time
from types import SimpleNamespace

import botocore
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ChecksumError,
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    HTTPClientError,
    ReadTimeoutError,
)

from tests.unit.hooks.scripted_dynamodb import (
    ATTEMPTS,
    DONE,
    THROTTLED,
    WRITE,
    cut,
    error,
    gzipped,
    late,
    output,
    page,
    reset,
    serve,
    wrong_checksum,
)
from updraft.aws.dynamodb_client_service import ClientDynamoDBService
from updraft.aws.dynamodb_raw_service import RawDynamoDBService
from updraft.dynamodb.cancellation import Cancellation, CancelledError
from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.errors import UpdraftError
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service

BOTH = pytest.mark.parametrize("raw", [True, False], ids=["raw", "client"])


@BOTH
def test_throttled_calls_are_repeated(open_service, raw):
    with serve([THROTTLED, THROTTLED, DONE]) as server:
        answer = open_service(server.url, raw=raw).call("BatchWriteItem", WRITE)

    assert answer == {"UnprocessedItems": {}}
    assert [json.loads(request.body) for request in server.seen] == [WRITE] * 3
    assert open_service.calls.throttled == 2
    first, second = open_service.calls.waits
    assert 0 <= first <= 1
    assert 0 <= second <= 2


SCRIPTS = {
    "throttled for good": [THROTTLED],
    "throttled once": [THROTTLED, DONE],
    "500 twice": [error("InternalServerError", status=500), page(500, b""), DONE],
    "503 for good": [page(503, b"<html><body>Service Unavailable</body></html>")],
    "502 with a page in other letters": [page(502, b"<!DOCTYPE html>Bad Gateway")],
    "reset once": [reset, DONE],
    "reset for good": [reset],
    "cut once": [cut({"UnprocessedItems": {}}), DONE],
    "cut for good": [cut({"UnprocessedItems": {}})],
    "wrong checksum once": [wrong_checksum({"UnprocessedItems": {"t": []}}), DONE],
    "invalid": [error("ValidationException", "1 validation error detected")],
    "condition failed": [
        error("ConditionalCheckFailedException", Item={"id": {"S": "1"}, "b": {"B": "AAE="}})
    ],
    "denied": [error("AccessDeniedException", "not authorized to perform dynamodb:Scan")],
    "expired": [error("ExpiredTokenException", "The security token is expired")],
    "no such table": [error("ResourceNotFoundException", "Requested resource not found")],
    "request limit": [error("RequestLimitExceeded"), error("ThrottlingException"), DONE],
    "a plain page": [page(404, b"<h1>Not Found</h1>")],
    "an empty refusal": [page(403, b"")],
    "a transaction": [
        error(
            "TransactionCanceledException",
            CancellationReasons=[{"Code": "None"}, {"Code": "ConditionalCheckFailed"}],
        )
    ],
}


@BOTH
@pytest.mark.parametrize("name", SCRIPTS)
def test_attempts_and_outcome_are_those_of_boto3(open_service, plain_client, name, raw):
    with serve(SCRIPTS[name]) as server:
        expected = _outcome(lambda: plain_client(server.url).batch_write_item(**WRITE))
        expected_requests = len(server.seen)
    with serve(SCRIPTS[name]) as server:
        service = open_service(server.url, raw=raw)
        found = _outcome(lambda: service.call("BatchWriteItem", WRITE))

    assert len(server.seen) == expected_requests
    assert found == expected
    assert len(open_service.calls.waits) == expected_requests - 1


def _outcome(call):
    try:
        answer = call()
    except ClientError as refusal:
        response = {
            **refusal.response,
            "ResponseMetadata": dict(refusal.response["ResponseMetadata"]),
        }
        response["ResponseMetadata"].get("HTTPHeaders", {}).pop("date", None)
        return type(refusal).__name__, str(refusal), refusal.operation_name, response
    except BotoCoreError as failure:
        return type(failure)
    answer.pop("ResponseMetadata", None)
    return answer


@BOTH
def test_a_response_that_stays_damaged_is_an_error(open_service, plain_client, raw):
    """boto3 itself returns it, and so would call 25 items written that may not be."""
    script = [wrong_checksum({"UnprocessedItems": {}})]
    with serve(script) as server:
        assert _outcome(lambda: plain_client(server.url).batch_write_item(**WRITE))
    with (
        serve(script) as server,
        pytest.raises(ChecksumError, match="expected checksum 1 did not match"),
    ):
        open_service(server.url, raw=raw).call("BatchWriteItem", WRITE)

    assert len(server.seen) == ATTEMPTS


@BOTH
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Please log in</html>", "is no JSON, .*Please log in"),
        (b'{"UnprocessedItems": {', "is no JSON, "),
    ],
)
def test_a_success_that_is_no_output_is_an_error(open_service, raw, content, said):
    with serve([page(200, content)]) as server, pytest.raises(HTTPClientError, match=said):
        open_service(server.url, raw=raw).call("BatchWriteItem", WRITE)

    assert len(server.seen) == ATTEMPTS


@pytest.mark.parametrize(
    ("status", "content", "said"),
    [
        (200, b"[]", r"the response to BatchWriteItem is no JSON object: '\[\]'"),
        (400, b"[]", r"the refusal of BatchWriteItem cannot be read, .*: '\[\]'"),
        (400, b'{"__type": 5}', "the refusal of BatchWriteItem cannot be read"),
    ],
)
def test_json_of_another_kind_is_an_error(open_service, status, content, said):
    with serve([page(status, content)]) as server, pytest.raises(HTTPClientError, match=said):
        open_service(server.url).call("BatchWriteItem", WRITE)

    assert len(server.seen) == ATTEMPTS


@BOTH
def test_a_page_of_a_proxy_in_between_is_passed_over(open_service, raw):
    with serve([page(200, b"<html>"), DONE]) as server:
        service = open_service(server.url, raw=raw)

        assert service.call("BatchWriteItem", WRITE) == {"UnprocessedItems": {}}


def test_compressed_responses(open_service):
    with serve([gzipped({"Items": [{"id": {"S": "Zürich"}}], "Count": 1})]) as server:
        answer = open_service(server.url).call("Scan", {"TableName": "t"})

    assert answer == {"Items": [{"id": {"S": "Zürich"}}], "Count": 1}


@pytest.mark.parametrize("content", [b"no gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"])
def test_damaged_compression(open_service, content):
    script = [page(200, content, **{"Content-Encoding": "gzip"})]
    with serve(script) as server, pytest.raises(HTTPClientError, match="gzip"):
        open_service(server.url).call("Scan", {"TableName": "t"})

    assert len(server.seen) == ATTEMPTS


@BOTH
def test_a_response_that_does_not_come(open_service, raw):
    with serve([late(1, DONE)]) as server:
        service = open_service(server.url, raw=raw, read_timeout=0.1)

        with pytest.raises(ReadTimeoutError, match=r"Read timeout on endpoint URL"):
            service.call("BatchWriteItem", WRITE)

    assert len(server.seen) == ATTEMPTS


@BOTH
def test_nobody_listens(open_service, raw):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    service = open_service(f"http://127.0.0.1:{port}", raw=raw)

    with pytest.raises(EndpointConnectionError):
        service.call("BatchWriteItem", WRITE)
    assert len(open_service.calls.waits) == ATTEMPTS - 1


@BOTH
def test_errors_are_explained_as_those_of_boto3(open_service, raw):
    for step, message in ((THROTTLED, "still throttled"), (reset, "did not get through")):
        with (
            serve([step]) as server,
            pytest.raises(ServiceError, match=message),
            explained("dynamodb:BatchWriteItem", "table 't'"),
        ):
            open_service(server.url, raw=raw).call("BatchWriteItem", WRITE)


@BOTH
def test_a_cancelled_task_does_not_wait(open_service, raw):
    cancellation = Cancellation()
    with serve([THROTTLED]) as server:
        service = open_service(server.url, raw=raw, sleep=cancellation.sleep)
        cancellation.cancel()

        with pytest.raises(CancelledError):
            service.call("BatchWriteItem", WRITE)

    assert len(server.seen) == 1


@BOTH
@pytest.mark.parametrize(
    ("retries", "attempts"),
    [
        ({"mode": "standard", "total_max_attempts": 1}, 1),
        ({"mode": "standard", "max_attempts": 4}, 5),
        ({"mode": "legacy", "max_attempts": 1}, 2),
        ({"mode": "legacy"}, 10),
        ({"mode": "standard"}, None),
    ],
)
def test_the_number_of_attempts_is_the_configured_one(
    open_service, plain_client, raw, retries, attempts
):
    with serve([page(500, b"")]) as server:
        with pytest.raises(ClientError):
            plain_client(server.url, retries=retries).batch_write_item(**WRITE)
        expected = len(server.seen)
    with serve([page(500, b"")]) as server, pytest.raises(ClientError):
        open_service(server.url, raw=raw, retries=retries).call("BatchWriteItem", WRITE)

    assert len(server.seen) == expected
    assert attempts in {None, expected}


@BOTH
def test_the_quota_of_retries_is_shared_and_given_back(open_service, raw):
    """500 tokens, of which a retry takes at least 5: who fails all calls stops trying."""
    with serve([page(500, b"")]) as server:
        service = open_service(server.url, raw=raw)
        for _ in range(60):
            with pytest.raises(ClientError):
                service.call("BatchWriteItem", WRITE)
        requests = len(server.seen)
        with pytest.raises(ClientError) as caught:
            service.call("BatchWriteItem", WRITE)

    assert requests < 60 * ATTEMPTS
    assert len(server.seen) == requests + 1
    assert caught.value.response["ResponseMetadata"]["RetryQuotaReached"]

    with serve([THROTTLED, DONE] * 120) as server:
        service = open_service(server.url, raw=raw)
        for _ in range(120):
            service.call("BatchWriteItem", WRITE)


@BOTH
def test_connections_are_kept(open_service, raw):
    with serve([DONE]) as server:
        addresses = set()
        accept = server.get_request

        def accepted():
            connection, address = accept()
            addresses.add(address)
            return connection, address

        server.get_request = accepted
        service = open_service(server.url, raw=raw)
        for _ in range(5):
            service.call("BatchWriteItem", WRITE)

    assert len(server.seen) == 5
    assert len(addresses) == 1


@BOTH
def test_the_kernel_does_not_hold_requests_back(open_service, raw):
    """Headers and body are two packets; Nagle's algorithm would delay the second by 40 ms."""
    with serve([DONE]) as server:
        service = open_service(server.url, raw=raw)
        seconds = []
        for _ in range(25):
            start = time.perf_counter()
            service.call("BatchWriteItem", WRITE)
            seconds.append(time.perf_counter() - start)

    assert statistics.median(seconds) < 0.035


@BOTH
def test_many_threads(open_service, raw):
    """One thread may get the throttled answers of all 80 calls, if the others get between."""
    with serve([THROTTLED, DONE] * 100) as server:
        service = open_service(
            server.url,
            raw=raw,
            retries={"mode": "standard", "total_max_attempts": 100},
            max_pool_connections=8,
        )
        answers = []

        def work():
            answers.extend(service.call("BatchWriteItem", WRITE) for _ in range(10))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == [{"UnprocessedItems": {}}] * 80


@BOTH
def test_tokens_that_make_a_repeated_call_safe_are_added(open_service, raw):
    write = {"TransactItems": [{"Put": {"TableName": "t", "Item": {"id": {"S": "1"}}}}]}
    with serve([page(500, b""), output({})]) as server:
        service = open_service(server.url, raw=raw)
        service.call("TransactWriteItems", write)
        service.call("TransactWriteItems", {**write, "ClientRequestToken": "own"})

    first, second, third = [
        json.loads(request.body)["ClientRequestToken"] for request in server.seen
    ]
    assert first == second != third == "own"
    assert len(first) == 36


def test_binary_values_are_text_at_any_depth(open_service):
    item = {
        "b": {"B": "AAH/"},
        "empty": {"B": ""},
        "bs": {"BS": ["AA==", "/w=="]},
        "deep": {"L": [{"M": {"x": {"B": "eA=="}, "n": {"N": "1.50"}}}, {"NULL": True}]},
    }
    key = {"b": {"B": "AAH/"}}
    page_ = {"Items": [item], "Count": 1, "LastEvaluatedKey": key}
    batch = {
        "RequestItems": {"t": [{"PutRequest": {"Item": item}}, {"DeleteRequest": {"Key": key}}]}
    }
    for raw in (True, False):
        with serve([output(page_), output({"UnprocessedItems": batch["RequestItems"]})]) as server:
            service = open_service(server.url, raw=raw)

            assert service.call("Scan", {"TableName": "t", "ExclusiveStartKey": key}) == page_
            assert (
                service.call("BatchWriteItem", batch)["UnprocessedItems"] == batch["RequestItems"]
            )
        assert json.loads(server.seen[0].body)["ExclusiveStartKey"] == key
        assert json.loads(server.seen[1].body) == batch
    assert batch["RequestItems"]["t"][0]["PutRequest"]["Item"]["b"] == {"B": "AAH/"}


def test_times_are_seconds(open_service):
    description = {"Table": {"TableName": "t", "CreationDateTime": 1763862000.125, "ItemCount": 3}}
    for raw in (True, False):
        with serve([output(description)]) as server:
            answer = open_service(server.url, raw=raw).call("DescribeTable", {"TableName": "t"})
        assert answer == description


def test_binary_values_that_are_no_base64(open_service):
    write = {"TableName": "t", "Item": {"id": {"B": "no base64"}}}
    with serve([DONE]) as server, pytest.raises(BotoCoreError, match="'no base64' is no base64"):
        open_service(server.url, raw=False).call("PutItem", write)

    assert server.seen == []


def test_bytes_are_no_part_of_a_request(open_service):
    write = {"TableName": "t", "Item": {"id": {"B": b"x"}}}
    with serve([DONE]) as server, pytest.raises(TypeError, match="binary values are base64 text"):
        open_service(server.url).call("PutItem", write)

    assert server.seen == []


def test_text_that_is_no_unicode_reaches_the_service(open_service):
    write = {"TableName": "t", "Item": {"id": {"S": "\ud800"}}}
    with serve([page(200, rb'{"Attributes": {"id": {"S": "\ud800"}}}')]) as server:
        answer = open_service(server.url).call("PutItem", write)

    assert json.loads(server.seen[0].body) == write
    assert answer == {"Attributes": {"id": {"S": "\ud800"}}}


@pytest.mark.usefixtures("aws_environment")
def test_handlers_of_the_hooks_client_can_answer(monkeypatch):
    """That is how moto stands in for AWS inside a process; nothing may escape it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:1")
    hook = DynamoDBClientHook(aws_conn_id=None, region_name="eu-west-1")
    answer = botocore.awsrequest.AWSResponse("", 200, {}, SimpleNamespace(stream=lambda: [b"{}"]))
    hook.conn.meta.events.register("before-send.dynamodb.Scan", lambda **_: answer)
    service = dynamodb_service(hook, sleep=pytest.fail, on_throttled=pytest.fail, raw=True)

    assert service.call("Scan", {"TableName": "t"}) == {}


class TestChoice:
    """Raw JSON unless something is in the way, and then the log says what."""

    def test_raw_by_default(self, open_service):
        assert isinstance(open_service("http://127.0.0.1:1", raw=None), RawDynamoDBService)

    @pytest.mark.parametrize(
        ("raw", "config", "reason"),
        [
            (False, {}, "it was asked for"),
            (None, {"retries": {"mode": "adaptive"}}, "adaptive limits the rate"),
            (None, {"signature_version": "v4a"}, "signed with 'v4a' instead of 'v4'"),
            (None, {"signature_version": botocore.UNSIGNED}, "signed with .* instead of 'v4'"),
        ],
    )
    def test_the_client_where_raw_json_cannot_serve(
        self, open_service, caplog, raw, config, reason
    ):
        with caplog.at_level(logging.INFO, "updraft.aws.dynamodb_service"):
            service = open_service("http://127.0.0.1:1", raw=raw, **config)

        assert isinstance(service, ClientDynamoDBService)
        (message,) = [r.getMessage() for r in caplog.records if "boto3's client" in r.getMessage()]
        assert re.search(reason, message)

    def test_insisting_in_vain(self, open_service):
        with pytest.raises(UpdraftError, match=r"cannot be called with raw JSON: .*adaptive"):
            open_service("http://127.0.0.1:1", raw=True, retries={"mode": "adaptive"})

    def test_the_client_keeps_its_adaptive_rate(self, open_service):
        with serve([THROTTLED, DONE]) as server:
            service = open_service(
                server.url, raw=None, retries={"mode": "adaptive", "total_max_attempts": 2}
            )

            assert service.call("BatchWriteItem", WRITE) == {"UnprocessedItems": {}}
        assert len(server.seen) == 2
        assert open_service.calls.throttled == 1

    @BOTH
    def test_the_region(self, open_service, raw):
        assert open_service("http://127.0.0.1:1", raw=raw).region == "eu-west-1"

    @pytest.mark.usefixtures("aws_environment")
    def test_without_a_region(self):
        with pytest.raises(ServiceError, match="must specify a region"):
            dynamodb_service(
                DynamoDBClientHook(aws_conn_id=None), sleep=pytest.fail, on_throttled=pytest.fail
            )


def test_connection_closed_is_boto3s_own_error(open_service):
    with serve([reset]) as server, pytest.raises(ConnectionClosedError, match=server.url):
        open_service(server.url).call("BatchWriteItem", WRITE)
