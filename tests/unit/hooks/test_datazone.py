import socket
from collections.abc import Iterator

import pytest

from tests.unit.lineage.datazone_server import DataZoneServer
from updraft.errors import UpdraftError
from updraft.hooks.datazone import DataZoneCatalog, DataZoneHook
from updraft.lineage.catalog import (
    CatalogAccessError,
    CatalogUnavailableError,
    EventRefusedError,
)

DOMAIN = "dzd_test1234"


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DataZoneServer]:
    with DataZoneServer() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        yield running


def catalog() -> DataZoneCatalog:
    return DataZoneCatalog(DataZoneHook(aws_conn_id=None), DOMAIN)


def test_an_event_reaches_the_domain(server: DataZoneServer):
    assert catalog().post(b'{"a":1}', "token1") == "event000000001"
    assert server.posted == {"token1": b'{"a":1}'}
    assert server.paths == [f"/v2/domains/{DOMAIN}/lineage/events"]


def test_a_known_token_is_no_error(server: DataZoneServer):
    catalog().post(b"{}", "token1")
    assert catalog().post(b"{}", "token1") is None


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (429, "ThrottlingException", CatalogUnavailableError),
        (400, "ThrottlingException", CatalogUnavailableError),
        (429, "SomethingNew", CatalogUnavailableError),
        (500, "InternalServerException", CatalogUnavailableError),
        (503, "SomethingNew", CatalogUnavailableError),
        (400, "ValidationException", EventRefusedError),
        (413, "RequestEntityTooLargeException", EventRefusedError),
        (401, "UnauthorizedException", CatalogAccessError),
        (402, "ServiceQuotaExceededException", CatalogAccessError),
        (403, "AccessDeniedException", CatalogAccessError),
        (403, "ExpiredTokenException", CatalogAccessError),
        (400, "UnrecognizedClientException", CatalogAccessError),
        (404, "ResourceNotFoundException", CatalogAccessError),
    ],
)
def test_errors_are_told_apart_after_one_attempt(server, status, code, error):
    server.answers.append((status, code))
    with pytest.raises(error, match=rf"{code} \({status}\): as the test wished"):
        catalog().post(b"{}", "token1")
    assert len(server.paths) == 1


def test_a_missing_permission_is_named(server: DataZoneServer):
    server.answers.append((403, "AccessDeniedException"))
    with pytest.raises(CatalogAccessError, match="the role needs datazone:PostLineageEvent"):
        catalog().post(b"{}", "token1")


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with pytest.raises(
        CatalogUnavailableError, match="DataZone is out of reach: Could not connect"
    ):
        catalog().post(b"{}", "token1")


def test_no_credentials(server: DataZoneServer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", "/nonexistent")
    with pytest.raises(CatalogAccessError, match="DataZone cannot be called: "):
        catalog().post(b"{}", "token1")
    assert server.paths == []


@pytest.mark.parametrize("domain_id", ["", "d-1234", "dzd_" + "x" * 37, "dzd_a/../b"])
def test_what_is_no_domain_id(domain_id: str):
    with pytest.raises(UpdraftError, match="is not the id of a DataZone domain"):
        DataZoneCatalog(DataZoneHook(aws_conn_id=None), domain_id)


def test_own_client_options_are_kept():
    hook = DataZoneHook(aws_conn_id=None, region_name="eu-west-1", config={"read_timeout": 7})
    options = hook.client.meta.config
    assert (options.read_timeout, options.connect_timeout) == (7, 5)
    assert options.retries == {"total_max_attempts": 1, "mode": "legacy"}
