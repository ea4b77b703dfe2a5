"""Reading from a server that breaks off, over real connections."""

import io
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.aws.s3_stream import ObjectChangedError, S3ObjectStream, open_object
from updraft.dynamodb.service_errors import ResourceMissingError, ServiceError

CONTENT = bytes(range(256)) * 4096  # 1 MiB
ETAG = '"0cc175b9c0f1b6a831c399e269772661"'


class Server(ThreadingHTTPServer):
    """Serves one object, and cuts the next answers short when told to."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.cut_after = []
        self.ranges = []
        self.etag = ETAG


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_HEAD(self):
        self._begin(200, len(CONTENT))

    def do_GET(self):
        self.server.ranges.append(self.headers["Range"])
        if self.headers["If-Match"] not in {None, self.server.etag}:
            body = b"<Error><Code>PreconditionFailed</Code><Message>changed</Message></Error>"
            self._begin(412, len(body))
            self.wfile.write(body)
            return
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        body = CONTENT[int(first) : int(last) + 1 if last else None]
        self._begin(206, len(body), f"bytes {first}-{int(first) + len(body) - 1}/{len(CONTENT)}")
        if self.server.cut_after:
            self.wfile.write(body[: self.server.cut_after.pop(0)])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(body)

    def _begin(self, status, length, content_range=None):
        missing = self.path.endswith("missing")
        self.send_response(404 if missing else status)
        self.send_header("Content-Length", "0" if missing else str(length))
        self.send_header("ETag", self.server.etag)
        if content_range:
            self.send_header("Content-Range", content_range)
        self.end_headers()


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def client(server):
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name="eu-west-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def _open(client, **arguments):
    waits = []
    arguments = {"sleep": waits.append, **arguments}
    return open_object(client, "bucket", "key", **arguments), waits


def _raw(client):
    return S3ObjectStream(client, "bucket", "key", size=len(CONTENT), sleep=lambda _: None)


def test_an_object_is_read_in_one_go(client, server):
    stream, _ = _open(client)

    assert stream.read() == CONTENT
    assert server.ranges == ["bytes=0-"]


def test_reading_goes_on_where_the_connection_was_lost(client, server):
    server.cut_after = [100_000, 0, 5]
    stream, waits = _open(client)

    assert b"".join(iter(lambda: stream.read(1000), b"")) == CONTENT
    assert server.ranges == ["bytes=0-", "bytes=100000-", "bytes=100000-", "bytes=100005-"]
    assert len(waits) == 3


def test_a_server_that_never_answers_in_full_is_given_up(client, server):
    server.cut_after = [0] * 100
    stream, _ = _open(client)

    with pytest.raises(ServiceError, match=r"s3:GetObject on object 'key' in bucket 'bucket'"):
        stream.read()
    assert len(server.ranges) == 8


def test_an_object_that_is_replaced_meanwhile_is_noticed(client, server):
    server.cut_after = [10]
    stream, _ = _open(client, sleep=lambda _: setattr(server, "etag", '"another"'))

    with pytest.raises(ObjectChangedError, match="s3://bucket/key is no longer the object"):
        stream.read()


def test_an_object_that_has_grown_since_it_was_listed_is_refused(client):
    with pytest.raises(ObjectChangedError, match="has 1,048,576 bytes and not 1,000"):
        _open(client, size=1000)[0].read()


def test_a_missing_object_is_named(client):
    with pytest.raises(ResourceMissingError, match="object 'missing' in bucket 'bucket'"):
        open_object(client, "bucket", "missing", sleep=lambda _: None)


def test_jumps_fetch_only_what_is_needed(client, server):
    stream, _ = _open(client)
    stream.seek(-8, io.SEEK_END)

    assert stream.read(8) == CONTENT[-8:]
    stream.seek(1000)
    assert stream.read(10) == CONTENT[1000:1010]
    assert all(not requested.endswith("-") for requested in server.ranges)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    jumps=st.lists(st.tuples(st.integers(0, len(CONTENT) + 10), st.integers(0, 70_000)), max_size=6)
)
def test_it_reads_like_a_file_in_memory(client, jumps):
    stream, expected = _raw(client), io.BytesIO()
    expected.write(CONTENT)
    buffered = io.BufferedReader(stream, 65_536)
    for position, size in jumps:
        assert buffered.seek(position) == expected.seek(position)
        assert buffered.read(size) == expected.read(size)
        assert buffered.tell() == expected.tell()
