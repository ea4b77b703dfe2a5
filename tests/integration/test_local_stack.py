"""The gateway as boto3 sees it: dispatch, S3, DynamoDB, refusals, restarts."""

import http.client
import io
import json
import os
import socket
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import psutil
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from include.local import ports, processes
from include.local.stack import LocalStack
from updraft.errors import UpdraftError

pytestmark = pytest.mark.integration

MEGABYTE = 2**20
Client = Callable[..., Any]


def make_client(environment: dict[str, str], service: str, **options: Any) -> Any:
    options.setdefault("region_name", environment["AWS_DEFAULT_REGION"])
    options.setdefault("aws_access_key_id", environment["AWS_ACCESS_KEY_ID"])
    return boto3.client(
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        **options,
    )


@pytest.fixture(scope="module")
def client(local_stack) -> Client:
    return lambda service, **options: make_client(local_stack.environment, service, **options)


@pytest.fixture(scope="module")
def s3(client: Client) -> Any:
    made = client("s3", config=Config(max_pool_connections=16))
    made.create_bucket(Bucket="objects")
    return made


def test_every_listener_is_on_the_loopback_address(local_stack) -> None:
    listeners = [
        connection.laddr
        for process in processes.find(local_stack.stack.state)
        for connection in psutil.Process(process.pid).net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listeners) == 2  # databases of Redshift listen on a socket file
    assert {address.ip for address in listeners} == {"127.0.0.1"}


def test_any_credentials_and_any_region_reach_the_same_account(client: Client) -> None:
    for key, region in (("AKIAEXAMPLE", "eu-central-1"), ("x/y", "mars-north-1")):
        sts = client("sts", region_name=region, aws_access_key_id=key)
        assert sts.get_caller_identity()["Account"] == "123456789012"
    table = {
        "KeySchema": [{"AttributeName": "k", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "k", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    dynamodb = client("dynamodb", region_name="eu-central-1")
    arn = dynamodb.create_table(TableName="elsewhere", **table)["TableDescription"]["TableArn"]
    assert arn == "arn:aws:dynamodb:eu-central-1:123456789012:table/elsewhere"
    assert (
        client("dynamodb").list_tables()["TableNames"] == []
        or "elsewhere" not in (client("dynamodb").list_tables()["TableNames"])
    )


def test_services_that_share_a_signing_name_are_told_apart(client: Client) -> None:
    assert client("elb").describe_load_balancers()["LoadBalancerDescriptions"] == []
    assert client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert "Streams" in client("dynamodbstreams").list_streams()


def test_presigned_and_anonymous_requests_reach_s3(s3: Any, local_stack) -> None:
    s3.put_object(Bucket="objects", Key="for/all", Body=b"readable", ACL="public-read")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "objects", "Key": "for/all"})
    assert "Signature" in url
    for address in (url, f"{local_stack.endpoint_url}/objects/for/all"):
        with urllib.request.urlopen(address) as response:
            assert response.read() == b"readable"
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "objects", "Key": "posted"})
    request = urllib.request.Request(put, data=b"by url", method="PUT")
    with urllib.request.urlopen(request) as response:
        assert response.status == 200
    assert s3.get_object(Bucket="objects", Key="posted")["Body"].read() == b"by url"


def test_presigned_request_to_another_service(client: Client) -> None:
    url = client("sts").generate_presigned_url("get_caller_identity")
    with urllib.request.urlopen(url) as response:
        assert b"<Account>123456789012</Account>" in response.read()


@pytest.mark.parametrize("key", ["plain", "a b/ü+%2F&=?#", "double//slash", "trailing/", "..a"])
def test_object_keys_survive(s3: Any, key: str) -> None:
    body = os.urandom(100)
    metadata = {"under_score": "1", "dash-ed": "2"}
    s3.put_object(Bucket="objects", Key=key, Body=body, Metadata=metadata)
    found = s3.get_object(Bucket="objects", Key=key)
    assert (found["Body"].read(), found["Metadata"]) == (body, metadata)
    assert s3.head_object(Bucket="objects", Key=key)["ContentLength"] == len(body)
    listed = s3.list_objects_v2(Bucket="objects", Prefix=key)["Contents"]
    assert key in [entry["Key"] for entry in listed]
    s3.delete_object(Bucket="objects", Key=key)
    with pytest.raises(ClientError, match="404"):
        s3.head_object(Bucket="objects", Key=key)


def test_large_object_in_parts_from_several_threads(s3: Any) -> None:
    body = os.urandom(100 * MEGABYTE)
    transfer = TransferConfig(max_concurrency=8, multipart_chunksize=8 * MEGABYTE)
    s3.upload_fileobj(io.BytesIO(body), "objects", "large", Config=transfer)
    assert s3.head_object(Bucket="objects", Key="large")["ContentLength"] == len(body)
    part = s3.get_object(Bucket="objects", Key="large", Range="bytes=50000000-50000999")
    assert part["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert part["Body"].read() == body[50_000_000:50_001_000]
    copy = io.BytesIO()
    s3.download_fileobj("objects", "large", copy, Config=transfer)
    assert copy.getvalue() == body
    s3.delete_object(Bucket="objects", Key="large")


def test_small_objects_from_several_threads(s3: Any) -> None:
    bodies = {f"small/{number:03}": os.urandom(number) for number in range(200)}
    with ThreadPoolExecutor(8) as threads:
        list(
            threads.map(
                lambda item: s3.put_object(Bucket="objects", Key=item[0], Body=item[1]),
                bodies.items(),
            )
        )
        read = threads.map(
            lambda key: s3.get_object(Bucket="objects", Key=key)["Body"].read(), bodies
        )
        assert list(read) == list(bodies.values())


def _authorization(service: str) -> str:
    credential = f"local/20261122/us-east-1/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"


def _signed_for_s3(local_stack, method: str, path: str, headers: dict[str, str], body: Any) -> Any:
    connection = http.client.HTTPConnection(urlsplit(local_stack.endpoint_url).netloc, timeout=30)
    connection.request(
        method, path, body=body, headers={"Authorization": _authorization("s3"), **headers},
        encode_chunked="Transfer-Encoding" in headers,
    )  # fmt: skip
    response = connection.getresponse()
    status, content = response.status, response.read()
    connection.close()
    return status, content


def test_body_in_chunks(s3: Any, local_stack) -> None:
    parts = [os.urandom(1000) for _ in range(20)]
    headers = {"Transfer-Encoding": "chunked"}
    answer = _signed_for_s3(local_stack, "PUT", "/objects/chunked", headers, iter(parts))
    assert answer[0] == 200
    assert s3.get_object(Bucket="objects", Key="chunked")["Body"].read() == b"".join(parts)


def test_body_in_chunks_of_the_aws_kind(s3: Any, local_stack) -> None:
    body = b"".join(
        f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in (b"x" * 70_000, b"y" * 10)
    )
    body += b"0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"
    headers = {
        "Content-Encoding": "aws-chunked",
        "Transfer-Encoding": "chunked",
        "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "x-amz-decoded-content-length": "70010",
        "x-amz-trailer": "x-amz-checksum-crc32",
    }
    answer = _signed_for_s3(local_stack, "PUT", "/objects/aws-chunked", headers, iter([body]))
    assert answer[0] == 200
    stored = s3.get_object(Bucket="objects", Key="aws-chunked")["Body"].read()
    assert stored == b"x" * 70_000 + b"y" * 10


def test_client_that_expects_to_be_told_to_go_on(s3: Any, local_stack) -> None:
    address = urlsplit(local_stack.endpoint_url)
    head = (
        "PUT /objects/expected HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        f"Expect: 100-continue\r\nAuthorization: {_authorization('s3')}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(b"hello")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK")
    assert s3.get_object(Bucket="objects", Key="expected")["Body"].read() == b"hello"


@pytest.mark.parametrize("sent", [b"", b"hel"])
def test_of_a_client_that_dies_no_part_of_an_object_is_kept(s3: Any, local_stack, sent) -> None:
    address = urlsplit(local_stack.endpoint_url)
    head = (
        "PUT /objects/half HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        f"Authorization: {_authorization('s3')}\r\n\r\n"
    )
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(head.encode() + sent)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1000)
    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert "Contents" not in s3.list_objects_v2(Bucket="objects", Prefix="half")


def test_connections_are_kept(local_stack) -> None:
    connection = http.client.HTTPConnection(urlsplit(local_stack.endpoint_url).netloc, timeout=10)
    connection.connect()
    address = connection.sock.getsockname()
    for path in ("/_local/health", "/no-such-bucket/key", "/_local/health"):
        connection.request("GET", path)
        connection.getresponse().read()
        assert connection.sock is not None
        assert connection.sock.getsockname() == address
    connection.close()


ALL_TYPES = {
    "k": {"S": "1"},
    "string": {"S": "ü\u0000"},
    "empty": {"S": ""},
    "number": {"N": "-1.2345678901234567890123456789012345678E-20"},
    "binary": {"B": bytes(range(256))},
    "strings": {"SS": ["a", "b"]},
    "numbers": {"NS": ["1", "2.5"]},
    "binaries": {"BS": [b"\x00", b"\xff"]},
    "boolean": {"BOOL": False},
    "null": {"NULL": True},
    "list": {"L": [{"N": "1"}, {"L": []}, {"M": {}}]},
    "map": {"M": {"deep": {"M": {"B": {"B": b""}}}}},
}


def _create_table(dynamodb: Any, name: str) -> str:
    description = dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    return str(description["TableDescription"]["TableArn"])


def _normal(item: dict[str, Any]) -> dict[str, Any]:
    """Order sets, and write numbers alike, as DynamoDB is free to choose both."""
    numbers = {"N": Decimal, "NS": lambda value: {Decimal(n) for n in value}}
    normal = {**numbers, "SS": set, "BS": set}
    return {
        name: {kind: normal.get(kind, lambda same: same)(value) for kind, value in tagged.items()}
        for name, tagged in item.items()
    }


def test_ten_attribute_types_survive(client: Client) -> None:
    dynamodb = client("dynamodb")
    assert _create_table(dynamodb, "types") == "arn:aws:dynamodb:us-east-1:123456789012:table/types"
    dynamodb.put_item(TableName="types", Item=ALL_TYPES)
    stored = dynamodb.get_item(TableName="types", Key={"k": {"S": "1"}})["Item"]
    assert _normal(stored) == _normal(ALL_TYPES)
    assert _normal(dynamodb.scan(TableName="types")["Items"][0]) == _normal(ALL_TYPES)


def test_dynamodb_refuses_what_dynamodb_refuses(client: Client) -> None:
    dynamodb = client("dynamodb")
    _create_table(dynamodb, "strict")
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.put_item(TableName="strict", Item={"k": {"S": "1"}, "n": {"N": "1" * 39}})
    puts = [{"PutRequest": {"Item": {"k": {"S": str(number)}}}} for number in range(26)]
    with pytest.raises(ClientError, match="ValidationException"):
        dynamodb.batch_write_item(RequestItems={"strict": puts})
    with pytest.raises(dynamodb.exceptions.ResourceNotFoundException):
        dynamodb.scan(TableName="no-such-table")


REFUSED = [
    pytest.param("emr", "describe_job_flows", {}, id="json 1.1"),
    pytest.param("stepfunctions", "publish_state_machine_version",
                 {"stateMachineArn": "arn:aws:x"}, id="json 1.0"),
    pytest.param("redshift", "rotate_encryption_key", {"ClusterIdentifier": "c"}, id="query"),
    pytest.param("ec2", "describe_verified_access_groups", {}, id="ec2"),
    pytest.param("s3", "get_bucket_metrics_configuration", {"Bucket": "b", "Id": "i"},
                 id="rest-xml"),
    pytest.param("datazone", "get_iam_portal_login_url", {"domainIdentifier": "dzd_local"},
                 id="rest-json"),
    pytest.param("appfabric", "list_app_bundles", {}, id="unknown service"),
    pytest.param("lambda", "list_code_signing_configs", {}, id="rest-json without a path in moto"),
    pytest.param("redshift", "create_cluster_snapshot",
                 {"ClusterIdentifier": "c", "SnapshotIdentifier": "s"}, id="pretence"),
    pytest.param("logs", "filter_log_events",
                 {"logGroupName": "g", "filterPattern": "{ $.level = \"error\" }"},
                 id="pretence for some parameters"),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters"), REFUSED)
def test_what_nobody_does_is_refused_at_once(
    client: Client, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    made = client(service)
    with pytest.raises(ClientError) as caught:
        getattr(made, operation)(**parameters)
    response = caught.value.response
    assert response["Error"]["Code"] == "NotImplementedInLocalStack"
    name = made.meta.method_to_api_mapping[operation]
    assert f"does not implement {name} of {service}" in response["Error"]["Message"]
    assert "docs/local-stack.md" in response["Error"]["Message"]
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert response["ResponseMetadata"]["RetryAttempts"] == 0


def test_harmless_filter_is_not_refused(client: Client) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="plain")
    logs.create_log_stream(logGroupName="plain", logStreamName="s")
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": word} for word in ("alpha", "beta")]
    logs.put_log_events(logGroupName="plain", logStreamName="s", logEvents=events)
    found = logs.filter_log_events(logGroupName="plain", filterPattern="beta")["events"]
    assert [event["message"] for event in found] == ["beta"]


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        pytest.param({"X-Amz-Target": "Nothing_1.DoIt"}, b"{}", b'"__type"', id="JSON"),
        pytest.param(
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Action=DoIt&Version=2000-01-01",
            b"<Code>NotImplementedInLocalStack</Code>",
            id="query",
        ),
        pytest.param({}, b"\xff\xfe", b'"__type"', id="neither"),
    ],
)
def test_service_that_aws_does_not_have(local_stack, headers, body, expected) -> None:
    connection = http.client.HTTPConnection(urlsplit(local_stack.endpoint_url).netloc, timeout=10)
    signature = _authorization("nothing")
    connection.request("POST", "/", body, {"Authorization": signature, **headers})
    response = connection.getresponse()
    assert response.status == 501
    assert expected in response.read()
    connection.close()


@pytest.fixture
def own_stack(tmp_path: Path):
    stack = LocalStack(tmp_path / "state")
    yield stack
    stack.down()
    assert processes.find(stack.state) == []


EVENT = {
    "eventType": "START",
    "eventTime": "2026-11-22T20:00:00Z",
    "producer": "https://example.com/test",
    "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
    "run": {"runId": "01941f29-7c00-7087-8940-40e5d762e32d"},
    "job": {"namespace": "tests", "name": "restart"},
}


def test_tables_and_events_survive_a_restart_at_the_same_address(own_stack: LocalStack) -> None:
    begun = time.monotonic()
    own_stack.up()
    assert time.monotonic() - begun < 15
    address = own_stack.endpoint_url
    dynamodb = make_client(own_stack.environment(), "dynamodb")
    _create_table(dynamodb, "kept")
    dynamodb.put_item(TableName="kept", Item=ALL_TYPES)
    datazone = make_client(own_stack.environment(), "datazone")
    posted = datazone.post_lineage_event(
        domainIdentifier="dzd_kept", event=json.dumps(EVENT).encode(), clientToken="t"
    )

    own_stack.up()  # finds what runs
    assert {process.service for process in own_stack.down()} == {"gateway", "dynamodb"}
    assert not own_stack.is_healthy()
    assert own_stack.down() == []

    LocalStack(own_stack.state).up()
    assert own_stack.endpoint_url == address
    stored = dynamodb.get_item(TableName="kept", Key={"k": {"S": "1"}})["Item"]
    assert _normal(stored) == _normal(ALL_TYPES)
    listed = datazone.list_lineage_events(domainIdentifier="dzd_kept")["items"]
    assert [event["id"] for event in listed] == [posted["id"]]
    again = datazone.post_lineage_event(
        domainIdentifier="dzd_kept", event=json.dumps(EVENT).encode(), clientToken="t"
    )
    assert again["id"] == posted["id"]


@pytest.mark.thorough
def test_half_a_stack_is_made_whole(own_stack: LocalStack) -> None:
    own_stack.up()
    for process in processes.find(own_stack.state):
        if process.service == "gateway":
            psutil.Process(process.pid).kill()
    own_stack.up()
    assert own_stack.is_healthy()
    services = [process.service for process in processes.find(own_stack.state)]
    assert sorted(services) == ["dynamodb", "gateway"]


@pytest.mark.thorough
def test_lost_dynamodb_is_told(own_stack: LocalStack) -> None:
    own_stack.up()
    processes.stop(own_stack.state, {"dynamodb"})
    dynamodb = make_client(
        own_stack.environment(), "dynamodb", config=Config(retries={"total_max_attempts": 1})
    )
    with pytest.raises(ClientError, match="ministack, which stands in for DynamoDB, does not"):
        dynamodb.list_tables()


def test_port_in_use(own_stack: LocalStack) -> None:
    with socket.socket() as server:
        port = ports.free_port()
        server.bind((ports.HOST, port))
        server.listen()
        with pytest.raises(UpdraftError, match=f"Port {port} on 127.0.0.1 is in use"):
            own_stack.up(port)
    assert processes.find(own_stack.state) == []
    own_stack.up(port)
    assert own_stack.endpoint_url == f"http://127.0.0.1:{port}"
    with pytest.raises(UpdraftError, match=r"already runs at .*updraft local down"):
        own_stack.up(port + 1)


@pytest.mark.thorough
def test_server_that_ends_at_once_shows_its_log(own_stack: LocalStack) -> None:
    broken = own_stack.state / "datazone"
    own_stack.state.mkdir(parents=True)
    broken.write_text("a file where the store wants a directory")
    with pytest.raises(UpdraftError, match=r"^gateway ended with code 1; its log is") as caught:
        own_stack.up()
    assert "FileExistsError" in str(caught.value)
    assert str(own_stack.state / "logs" / "gateway.log") in str(caught.value)
    assert processes.find(own_stack.state) == []
