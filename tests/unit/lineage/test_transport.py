import json
import logging
import os
import socket
import tempfile
import threading
import time
from pathlib import Path

import pytest
from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import (
    DatasetEvent,
    Job,
    JobEvent,
    OutputDataset,
    Run,
    RunEvent,
    RunState,
    StaticDataset,
)

from updraft.errors import UpdraftError
from updraft.lineage.configuration import TRANSPORT_TYPE, find_outbox_uri
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import EventKey, OutboxError
from updraft.lineage.transport import OutboxConfig, OutboxTransport
from updraft.lineage.validation import problems

RUN = "0193f0a2-8a6c-7000-8000-000000000001"
TIME = "2026-11-22T20:07:12.289126Z"


def run_event(state: RunState = RunState.START) -> RunEvent:
    return RunEvent(
        eventTime=TIME,
        producer="https://example.org/p",
        run=Run(RUN),
        job=Job("test", "dag.task"),
        eventType=state,
        outputs=[OutputDataset("s3://bucket", "exports/orders")],
    )


@pytest.fixture
def outbox(tmp_path: Path) -> LocalOutbox:
    return LocalOutbox(tmp_path / "outbox")


@pytest.fixture(autouse=True)
def temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the default fallback within the test."""
    directory = tmp_path / "tmp"
    directory.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(directory))
    return directory


def stored(outbox: LocalOutbox) -> list[dict]:
    return [json.loads(outbox.read(name)) for name in outbox.event_names()]


def client(config: dict) -> OpenLineageClient:
    return OpenLineageClient(config={"transport": config})


@pytest.mark.parametrize(
    "around",
    [
        lambda own: own,
        lambda own: {"type": "composite", "transports": {"box": own, "log": {"type": "noop"}}},
        lambda own: {"type": "composite", "transports": [{"type": "console"}, own]},
        lambda own: {
            "type": "transform",
            "transport": own,
            "transformer_class": (
                "openlineage.client.transport.transform.JobNamespaceReplaceTransformer"
            ),
            "transformer_properties": {"new_job_namespace": "test"},
        },
    ],
    ids=["alone", "composite by name", "composite list", "transform"],
)
def test_the_openlineage_client_stores_valid_events(outbox: LocalOutbox, around):
    config = around({"type": TRANSPORT_TYPE, "uri": outbox.uri})
    assert find_outbox_uri(config) == outbox.uri
    emitter = client(config)
    emitter.emit(run_event())
    emitter.emit(run_event(RunState.COMPLETE))
    assert [event["eventType"] for event in stored(outbox)] == ["START", "COMPLETE"]
    assert [problems(event) for event in stored(outbox)] == [[], []]
    keys = [EventKey.parse(name) for name in outbox.event_names()]
    assert [(key.run_id, key.event_type) for key in keys if key] == [
        (RUN, "START"),
        (RUN, "COMPLETE"),
    ]


def test_configured_by_environment_alone(outbox: LocalOutbox, monkeypatch):
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", TRANSPORT_TYPE)
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__URI", outbox.uri)
    OpenLineageClient().emit(run_event())
    assert len(stored(outbox)) == 1


def test_job_and_dataset_events_are_stored_too(outbox: LocalOutbox):
    emitter = client({"type": TRANSPORT_TYPE, "uri": outbox.uri})
    emitter.emit(JobEvent(eventTime=TIME, producer="https://example.org/p", job=Job("n", "j")))
    emitter.emit(
        DatasetEvent(
            eventTime=TIME, producer="https://example.org/p", dataset=StaticDataset("n", "d")
        )
    )
    keys = [EventKey.parse(name) for name in outbox.event_names()]
    assert sorted(key.run_id for key in keys if key) == ["dataset", "job"]


def test_a_forked_process_opens_its_own_outbox(outbox: LocalOutbox):
    transport = OutboxTransport(OutboxConfig(outbox.uri))
    transport.emit(run_event())
    parents = transport._outbox
    child = os.fork()
    if child == 0:
        code = 1
        try:
            transport.emit(run_event(RunState.COMPLETE))
            code = 0 if transport._outbox is not parents else 2
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert len(stored(outbox)) == 2


def test_a_failing_outbox_costs_one_warning_and_the_event_waits(outbox, tmp_path, caplog):
    outbox.directory.write_text("in the way")
    fallback = LocalOutbox(tmp_path / "fallback")
    transport = OutboxTransport(OutboxConfig(outbox.uri, fallback_uri=fallback.uri))
    with caplog.at_level(logging.WARNING):
        transport.emit(run_event())
    (record,) = caplog.records
    assert f"waits in {fallback.uri}: cannot write" in record.message
    assert len(stored(fallback)) == 1


def test_the_next_success_carries_waiting_events_over(outbox: LocalOutbox, caplog):
    outbox.directory.write_text("in the way")
    transport = OutboxTransport(OutboxConfig(outbox.uri))
    transport.emit(run_event())
    before = [
        EventKey.parse(name) for name in LocalOutbox(transport._fallback_directory()).event_names()
    ]
    outbox.directory.unlink()
    transport.emit(run_event(RunState.COMPLETE))
    keys = [EventKey.parse(name) for name in outbox.event_names()]
    assert sorted(key.event_type for key in keys if key) == ["COMPLETE", "START"]
    # Under a new time, so that a reader who is past the old one finds it.
    (start,) = [key for key in keys if key and key.event_type == "START"]
    assert before[0].identity == start.identity
    assert start.written_at > before[0].written_at
    assert list(LocalOutbox(transport._fallback_directory()).event_names()) == []


def test_an_event_stored_after_the_timeout_is_not_stored_twice(outbox, monkeypatch):
    transport = OutboxTransport(OutboxConfig(outbox.uri, timeout=0.2))
    answers = threading.Event()
    write = transport._outbox.write

    def write_late(name: str, body: bytes) -> None:
        answers.wait(30)
        write(name, body)

    monkeypatch.setattr(transport._outbox, "write", write_late)
    transport.emit(run_event())
    fallback = LocalOutbox(transport._fallback_directory())
    (waiting,) = fallback.event_names()
    answers.set()
    deadline = time.monotonic() + 30
    while list(fallback.event_names()) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(fallback.event_names()) == []
    assert list(outbox.event_names()) == [waiting]


def test_a_role_that_may_only_write_carries_waiting_events_over(outbox, monkeypatch):
    transport = OutboxTransport(OutboxConfig(outbox.uri))
    waiting = EventKey.for_event(b"{}", run_id=RUN, event_type="START")
    LocalOutbox(transport._fallback_directory()).put_event(b"{}", waiting)

    def refuse(name: str) -> bytes:
        raise OutboxError(f"cannot read {name}: AccessDenied")

    monkeypatch.setattr(transport._outbox, "read", refuse)
    transport.emit(run_event(RunState.COMPLETE))
    assert len(list(outbox.event_names())) == 2
    assert list(LocalOutbox(transport._fallback_directory()).event_names()) == []


def test_an_event_that_another_process_moves_does_not_hold_up_the_rest(outbox, monkeypatch, caplog):
    transport = OutboxTransport(OutboxConfig(outbox.uri))
    fallback = LocalOutbox(transport._fallback_directory())
    for number in range(3):
        body = json.dumps({"number": number}).encode()
        fallback.put_event(body, EventKey.for_event(body, run_id=RUN, event_type="START"))
    first, *_ = fallback.event_names()
    read = LocalOutbox.read

    def read_too_late(self: LocalOutbox, name: str) -> bytes:
        if name == first:
            self.delete(name)
        return read(self, name)

    monkeypatch.setattr(LocalOutbox, "read", read_too_late)
    transport.emit(run_event(RunState.COMPLETE))
    moved = [event["number"] for event in stored(outbox) if "number" in event]
    assert sorted(moved) == [1, 2]
    assert caplog.records == []


def test_without_a_thread_to_be_had_the_event_waits(outbox, monkeypatch, caplog):
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", no_thread)
    transport = OutboxTransport(OutboxConfig(outbox.uri))
    transport.emit(run_event())
    assert "can't start new thread" in caplog.text
    assert len(stored(LocalOutbox(transport._fallback_directory()))) == 1


def test_a_forked_process_that_cannot_open_the_outbox_tries_again(outbox, monkeypatch, caplog):
    transport = OutboxTransport(OutboxConfig(outbox.uri))
    parents = transport._outbox

    def fail(*_: object, **__: object) -> None:
        raise OSError("too many open files")

    monkeypatch.setattr(os, "getpid", lambda: -1)
    with monkeypatch.context() as broken:
        broken.setattr("updraft.lineage.transport.open_outbox", fail)
        transport.emit(run_event())
    assert "too many open files" in caplog.text
    assert len(stored(LocalOutbox(transport._fallback_directory()))) == 1
    transport.emit(run_event(RunState.COMPLETE))
    assert transport._outbox is not parents
    assert len(stored(outbox)) == 2


def test_no_warning_shows_a_secret(tmp_path, monkeypatch, caplog):
    secret = "must-not-be-seen"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", secret)
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"token{secret}")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with caplog.at_level(logging.INFO):
        OutboxTransport(OutboxConfig("s3://bucket/lineage", timeout=20)).emit(run_event())
    assert "Could not connect to the endpoint URL" in caplog.text
    assert secret not in caplog.text
    assert "AKIAIOSFODNN7EXAMPLE" not in caplog.text


def test_the_default_fallback_is_private(outbox: LocalOutbox, temporary_directory: Path):
    outbox.directory.write_text("in the way")
    OutboxTransport(OutboxConfig(outbox.uri)).emit(run_event())
    (directory,) = temporary_directory.iterdir()
    assert directory.stat().st_mode & 0o777 == 0o700


def test_an_event_that_fits_nowhere_is_lost_with_a_warning(outbox, temporary_directory, caplog):
    outbox.directory.write_text("in the way")
    (temporary_directory / f"updraft-outbox-{os.getuid()}").symlink_to("/")
    OutboxTransport(OutboxConfig(outbox.uri)).emit(run_event())
    assert f"Lineage event {RUN}-START-" in caplog.text
    assert "is lost: cannot write" in caplog.text
    assert "belongs to somebody else" in caplog.text


def test_an_endpoint_that_never_answers_holds_the_task_for_the_timeout_only(
    tmp_path, monkeypatch, caplog
):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host, port = silent.getsockname()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        transport = OutboxTransport(OutboxConfig("s3://bucket/lineage", timeout=1.0))
        begin = time.monotonic()
        transport.emit(run_event())
        assert 1.0 <= time.monotonic() - begin < 10  # botocore alone would wait for minutes
    assert "s3://bucket/lineage did not answer in 1 s" in caplog.text
    assert len(stored(LocalOutbox(transport._fallback_directory()))) == 1


def test_an_object_that_is_no_event_never_reaches_the_task(outbox: LocalOutbox, caplog):
    OutboxTransport(OutboxConfig(outbox.uri)).emit(object())
    assert "could not be serialised and is lost" in caplog.text


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "lacks 'uri'; it looks like s3://bucket/prefix"),
        ({"url": "s3://b"}, "has no option 'url'; did you mean 'uri'?"),
        ({"uri": "s3://b", "zzz": 1}, "has no option 'zzz'; known are uri, aws_conn_id"),
        ({"uri": "s3://b", "timeout": "soon"}, "'timeout' is 'soon', not a number of seconds"),
        ({"uri": "s3://b", "timeout": -1}, "'timeout' is -1, not a number of seconds"),
        ({"uri": "gs://b"}, "'gs://b' is not an outbox; it looks like s3://bucket/prefix"),
        ({"uri": "s3:///x"}, "'s3:///x' is not an S3 URI"),
    ],
)
def test_a_wrong_configuration_is_named(params: dict, message: str):
    with pytest.raises(UpdraftError) as caught:
        client({"type": TRANSPORT_TYPE, **params})
    assert message in str(caught.value)


@pytest.mark.parametrize("other", [{}, {"type": "console"}, [], None, "console"])
def test_no_outbox_in_other_configurations(other):
    assert find_outbox_uri(other) is None
