"""An endpoint that does not answer is an error within seconds."""

import io
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from rich.console import Console

from updraft.cli import service_reachability, shell_report
from updraft.cli.service_reachability import FIRST_CALL, require_services
from updraft.dynamodb.service_errors import ServiceError


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def _closed_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def _black_hole():
    """Accept connections as the kernel does, and never answer."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


class _Refusing(BaseHTTPRequestHandler):
    """Answers everything with an error."""

    def do_POST(self):
        self.server.asked.append(self.headers["X-Amz-Target"])
        self._refuse(b'{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}')

    def do_HEAD(self):
        self.server.asked.append(self.path)
        self._refuse(b"")

    def _refuse(self, body):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def _refusing_server():
    with ThreadingHTTPServer(("127.0.0.1", 0), _Refusing) as server:
        server.daemon_threads = True
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _ask(*, terminal=False):
    console = Console(file=io.StringIO(), soft_wrap=True, force_terminal=terminal)
    parameters = {"aws_conn_id": None, "config": {"retries": {"total_max_attempts": 10}}}
    try:
        require_services(console, "orders", "bucket", region=None, parameters=parameters)
    finally:
        console.file.flush()
        _ask.shown = console.file.getvalue()


def test_a_closed_port(monkeypatch):
    endpoint = f"http://127.0.0.1:{_closed_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    begin = time.monotonic()
    with pytest.raises(ServiceError) as raised:
        _ask()

    assert time.monotonic() - begin < 20  # ten attempts take more than a minute
    assert str(raised.value).startswith(
        f"DynamoDB cannot be reached at {endpoint}: Could not connect to the endpoint URL"
    )
    assert "AWS_ENDPOINT_URL" in str(raised.value)


def test_a_server_that_accepts_and_never_answers(monkeypatch):
    monkeypatch.setattr(service_reachability, "FIRST_CALL", {**FIRST_CALL, "read_timeout": 0.5})
    monkeypatch.setattr(shell_report, "PATIENCE", 0.2)
    with _black_hole() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with pytest.raises(ServiceError) as raised:
            _ask()

    assert f"DynamoDB cannot be reached at {endpoint}: Read timeout" in str(raised.value)
    assert _ask.shown == f"Asking DynamoDB at {endpoint} …\n"


def test_s3_is_asked_when_dynamodb_has_answered(monkeypatch):
    endpoint = f"http://127.0.0.1:{_closed_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    with _refusing_server() as (server, dynamodb):
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb)
        with pytest.raises(ServiceError, match=f"S3 cannot be reached at {endpoint}: "):
            _ask()

    assert server.asked == ["DynamoDB_20120810.DescribeTable"]


def test_an_error_is_an_answer(monkeypatch):
    with _refusing_server() as (server, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        _ask()

    assert server.asked == ["DynamoDB_20120810.DescribeTable", "/bucket"]
    assert _ask.shown == ""


def test_a_terminal_shows_at_once_who_is_asked(monkeypatch):
    with _refusing_server() as (_, endpoint):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        _ask(terminal=True)

    assert f"Asking DynamoDB at {endpoint} …" in _ask.shown
    assert f"Asking S3 at {endpoint} …" in _ask.shown


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["export", "orders"], id="export"),
        pytest.param(["import", "orders"], id="import", marks=pytest.mark.thorough),
        pytest.param(["verify", "orders"], id="verify", marks=pytest.mark.thorough),
    ],
)
def test_the_command_ends_with_one_sentence(command, tmp_path):
    endpoint = f"http://127.0.0.1:{_closed_port()}"
    result = subprocess.run(
        [sys.executable, "-m", "updraft.cli", "dynamodb", *command, "s3://bucket/prefix"],
        env={**os.environ, "AWS_ENDPOINT_URL": endpoint, "AIRFLOW_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,  # without the first question it takes 78 s
        check=False,
    )

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"error: DynamoDB cannot be reached at {endpoint}: ")
    assert result.stderr.count("\n") == 1
