"""Faults between boto3 and the local stack, by microburst."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError

from include.local import processes
from include.local.fault_proxy import FaultProxy, fault_proxy

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def faults(local_stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultProxy]:
    state = tmp_path_factory.mktemp("faults")
    with fault_proxy(local_stack.endpoint_url, state) as proxy:
        yield proxy
    assert processes.find(state) == []


@pytest.fixture(autouse=True)
def no_faults_left(faults: FaultProxy) -> Iterator[None]:
    yield
    faults.set_rules([])


def client(
    faults: FaultProxy, attempts: int = 1, key: str = "AKIDOLD", patience: float = 30
) -> Any:
    return boto3.client(
        "dynamodb",
        endpoint_url=faults.endpoint_url,
        aws_access_key_id=key,
        aws_secret_access_key="local",
        region_name="us-east-1",
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=patience
        ),
    )


def test_error_and_its_retry(faults: FaultProxy) -> None:
    error = {"code": "ProvisionedThroughputExceededException"}
    faults.set_rules(
        [{"service": "dynamodb", "operation": "ListTables", "error": error, "times": 2}]
    )
    with pytest.raises(ClientError, match="ProvisionedThroughputExceededException"):
        client(faults).list_tables()
    answer = client(faults, attempts=3).list_tables()
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert [event["operation"] for event in faults.fired()][-2:] == ["ListTables"] * 2


def test_server_error(faults: FaultProxy) -> None:
    error = {"code": "InternalServerError", "status": 500}
    faults.set_rules([{"service": "dynamodb", "error": error, "times": 1}])
    with pytest.raises(ClientError) as caught:
        client(faults).list_tables()
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500


def test_reset_connection(faults: FaultProxy) -> None:
    faults.set_rules([{"service": "dynamodb", "reset": True, "times": 1}])
    with pytest.raises(ConnectionClosedError):
        client(faults).list_tables()
    client(faults).list_tables()


def test_answer_cut_in_the_middle(faults: FaultProxy) -> None:
    faults.set_rules([{"service": "dynamodb", "response": {"abort_frac": 0.5}, "times": 1}])
    with pytest.raises(HTTPClientError):
        client(faults).list_tables()
    client(faults).list_tables()


def test_slow_answer(faults: FaultProxy) -> None:
    faults.set_rules([{"service": "dynamodb", "latency": 1500, "times": 1}])
    with pytest.raises(HTTPClientError, match="Read timeout"):
        client(faults, patience=1).list_tables()


def test_credentials_expire_until_they_change(faults: FaultProxy) -> None:
    old, new = client(faults), client(faults, key="AKIDNEW")
    old.list_tables()
    rule = {
        "headers": {"authorization": "Credential=AKIDOLD/"},
        "error": {"code": "ExpiredTokenException", "message": "The token has expired"},
    }
    faults.set_rules([rule])
    for _ in range(2):
        with pytest.raises(ClientError, match="ExpiredTokenException"):
            old.list_tables()
    new.list_tables()


def test_share_of_the_calls(faults: FaultProxy) -> None:
    error = {"code": "ThrottlingException"}
    faults.set_rules([{"service": "dynamodb", "probability": 0.3, "error": error}])
    made, failed = client(faults), 0
    for _ in range(100):
        try:
            made.list_tables()
        except ClientError:
            failed += 1
    assert 10 <= failed <= 55
