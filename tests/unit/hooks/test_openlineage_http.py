import json

import pytest

from tests.unit.lineage.openlineage_server import OpenLineageServer
from updraft.errors import ArgumentError
from updraft.hooks.openlineage_http import HttpCatalog, http_catalog
from updraft.lineage.catalog import (
    CatalogAccessError,
    CatalogUnavailableError,
    EventRefusedError,
)


@pytest.fixture
def server():
    with OpenLineageServer() as running:
        yield running


def test_an_event_with_key_and_token(server):
    assert HttpCatalog(server.url, "k3y").post(b'{"a": 1}', "token") == "token"
    path, headers = server.requests[0]
    assert path == "/api/v1/lineage"
    assert headers["Authorization"] == "Bearer k3y"
    assert headers["Idempotency-Key"] == "token"
    assert headers["Content-Type"] == "application/json"
    assert server.posted == [{"a": 1}]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (429, CatalogUnavailableError),
        (408, CatalogUnavailableError),
        (500, CatalogUnavailableError),
        (503, CatalogUnavailableError),
        (401, CatalogAccessError),
        (403, CatalogAccessError),
        (404, CatalogAccessError),
        (302, CatalogAccessError),
        (400, EventRefusedError),
        (422, EventRefusedError),
    ],
)
def test_each_no_has_its_kind(server, status, kind):
    server.answers.append(status)
    with pytest.raises(kind, match=rf"{server.url}/api/v1/lineage says {status}: as the test"):
        HttpCatalog(server.url).post(b"{}", "token")


def test_known_events_and_silence(server):
    server.answers.append(409)
    assert HttpCatalog(server.url).post(b"{}", "token") is None
    with pytest.raises(CatalogUnavailableError, match="out of reach"):
        HttpCatalog("http://127.0.0.1:9").post(b"{}", "token")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "marquez",
        "ftp://x",
        "http://",
        "https://me:s3cret@marquez.example.com",
        "http://marquez:99999",
        "http://me:s3cret@[::1",
    ],
)
def test_what_is_no_endpoint(url):
    with pytest.raises(ArgumentError, match="no URL of an OpenLineage endpoint") as raised:
        HttpCatalog(url)
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ({"host": "m.example.com"}, "https://m.example.com/api/v1/lineage"),
        (
            {"host": "m", "schema": "http", "port": 5000, "extra": {"endpoint": "/x/y"}},
            "http://m:5000/x/y",
        ),
        ({"host": "http://m:1/"}, "http://m:1/api/v1/lineage"),
    ],
)
def test_from_a_connection(monkeypatch, connection, url):
    text = json.dumps({"conn_type": "http", "password": "k3y", **connection})
    monkeypatch.setenv("AIRFLOW_CONN_MARQUEZ", text)
    catalog = http_catalog("marquez")
    assert (catalog._url, catalog._api_key) == (url, "k3y")
    assert catalog.name.startswith("http-m")
    assert catalog.name != HttpCatalog(f"{url}/other").name
