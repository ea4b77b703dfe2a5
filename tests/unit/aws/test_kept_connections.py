"""The session that keeps its pool behaves as botocore's own, from the second request on too."""

import socket
from urllib.parse import urlsplit

import pytest
from botocore import exceptions
from botocore.awsrequest import AWSPreparedRequest
from botocore.httpsession import URLLib3Session

from tests.unit.hooks.scripted_dynamodb import (
    DONE,
    cut,
    error,
    gzipped,
    late,
    output,
    page,
    reset,
    serve,
)
from updraft.aws.kept_connections import KeptConnectionsSession

LAST = output({"UnprocessedItems": {}}, Connection="close")
BOTH = pytest.mark.parametrize("kind", [KeptConnectionsSession, URLLib3Session])


def _send(session, url):
    headers = {"Host": urlsplit(url).netloc, "X-Amz-Target": "DynamoDB_20120810.Scan"}
    return session.send(AWSPreparedRequest("POST", f"{url}/", headers, b"{}", False))


@BOTH
@pytest.mark.parametrize(
    "step",
    [
        DONE,
        error("ProvisionedThroughputExceededException"),
        gzipped({"Items": []}),
        page(302, b"", Location="http://127.0.0.1:1/"),
        page(200, b""),
    ],
    ids=["done", "refused", "gzip", "redirect", "empty"],
)
def test_every_response_is_like_the_first(kind, step):
    with serve([step]) as server:
        session = kind()
        first, *others = [_send(session, server.url) for _ in range(3)]
        session.close()

    for response in others:
        assert response.status_code == first.status_code
        assert response.content == first.content
        for name in ("content-length", "X-AMZ-CRC32", "Content-Encoding", "missing"):
            assert response.headers.get(name) == first.headers.get(name)
    assert len({request.headers["host"] for request in server.seen}) == 1
    assert {request.path for request in server.seen} == {"/"}


@BOTH
def test_connections_are_kept(kind):
    ports = []

    def note(handler):
        ports.append(handler.client_address)
        DONE(handler)

    with serve([note]) as server:
        session = kind()
        for _ in range(3):
            _send(session, server.url)
        session.close()

    assert len(ports) == 3
    assert len(set(ports)) == 1


@BOTH
@pytest.mark.parametrize(
    ("step", "raised"),
    [
        (reset, exceptions.ConnectionClosedError),
        (cut({"UnprocessedItems": {}}), exceptions.ConnectionClosedError),
        (late(1.0, DONE), exceptions.ReadTimeoutError),
    ],
    ids=["reset", "cut", "late"],
)
def test_a_later_request_fails_as_with_botocore(kind, step, raised):
    with serve([DONE, step, DONE]) as server:
        session = kind(timeout=0.3)
        _send(session, server.url)

        with pytest.raises(raised) as caught:
            _send(session, server.url)

        assert server.url in str(caught.value) or "Connection broken" in str(caught.value)
        assert _send(session, server.url).status_code == 200
        session.close()


@BOTH
def test_a_server_that_is_gone(kind):
    with serve([LAST]) as server:
        session = kind()
        _send(session, server.url)

    with pytest.raises(exceptions.EndpointConnectionError, match=server.url):
        _send(session, server.url)


@BOTH
def test_a_host_that_is_known_no_more(kind, monkeypatch):
    with serve([LAST]) as server:
        session = kind()
        url = server.url.replace("127.0.0.1", "localhost")
        _send(session, url)

        def unknown(*_, **__):
            raise socket.gaierror(-2, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", unknown)
        with pytest.raises(exceptions.EndpointConnectionError, match="localhost"):
            _send(session, url)


@BOTH
def test_a_proxy_that_is_gone(kind):
    target = "http://dynamodb.eu-west-1.amazonaws.com"
    with serve([LAST]) as proxy:
        session = kind(proxies={"http": proxy.url})
        _send(session, target)
    assert [request.path for request in proxy.seen] == [f"{target}/"]

    with pytest.raises(exceptions.ProxyConnectionError, match=proxy.url):
        _send(session, target)


@BOTH
def test_after_closing_it_opens_anew(kind):
    with serve([DONE]) as server:
        session = kind()
        for _ in range(3):
            assert _send(session, server.url).status_code == 200
            session.close()


def test_later_requests_are_like_the_first():
    with serve([DONE]) as server:
        session = KeptConnectionsSession()
        headers = {"Host": urlsplit(server.url).netloc, "User-Agent": "some", "X-Amz-Date": "now"}
        for _ in range(3):
            session.send(AWSPreparedRequest("POST", f"{server.url}/", headers, b"{}", False))
        session.close()

    first, *others = server.seen
    for request in others:
        assert request == first


@pytest.mark.parametrize("value", ["a\nX-Other: b", "a\r\nX-Other: b", "a\r"])
def test_a_header_stays_one_header(value):
    headers = {"Host": "localhost", "X-Amz-Target": value}
    with serve([DONE]) as server:
        session = KeptConnectionsSession()
        _send(session, server.url)
        with pytest.raises(exceptions.HTTPClientError, match="more than one line"):
            session.send(AWSPreparedRequest("POST", f"{server.url}/", headers, b"{}", False))
        session.close()

    assert len(server.seen) == 1


def test_without_a_host_the_pool_names_it():
    with serve([DONE]) as server:
        session = KeptConnectionsSession()
        for _ in range(2):
            session.send(AWSPreparedRequest("POST", f"{server.url}/", {}, b"{}", False))
        session.close()

    assert server.seen[0] == server.seen[1]


def test_a_large_request_arrives_whole():
    body = bytes(range(256)) * 60_000
    with serve([DONE]) as server:
        session = KeptConnectionsSession()
        headers = {"Host": urlsplit(server.url).netloc}
        for _ in range(2):
            session.send(AWSPreparedRequest("POST", f"{server.url}/", headers, body, False))
        session.close()

    assert [request.body == body for request in server.seen] == [True, True]


def test_a_proxy_is_told_where_to_go_each_time():
    target = "http://dynamodb.eu-west-1.amazonaws.com"
    with serve([DONE]) as proxy:
        session = KeptConnectionsSession(proxies={"http": proxy.url})
        for _ in range(3):
            _send(session, target)
        session.close()

    assert [request.path for request in proxy.seen] == [f"{target}/"] * 3
