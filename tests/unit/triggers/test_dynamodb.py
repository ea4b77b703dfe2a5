"""Serialisation of the triggers, and what they say when AWS cannot be asked."""

import asyncio
import importlib
import json
import socket

import pytest
from airflow.triggers.base import BaseTrigger

from updraft.triggers.dynamodb import DynamoDBExportTrigger, DynamoDBImportTrigger

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
EXPORT = f"{TABLE}/export/01795400194100-9bccfdb6"
IMPORT = f"{TABLE}/import/01795400194100-9bccfdb6"
AWS = {
    "aws_conn_id": None,
    "region_name": "eu-west-1",
    "verify": False,
    "botocore_config": {"retries": {"mode": "standard", "total_max_attempts": 1}},
}
TRIGGERS = [
    (DynamoDBExportTrigger, {"export_arn": EXPORT}),
    (DynamoDBImportTrigger, {"import_arn": IMPORT}),
]


def _trigger(kind, arn, **changes):
    arguments = {"give_up_at": 1795486596.5, "waiter_delay": 7, "waiter_max_attempts": 9}
    return kind(**arn, **{**arguments, **AWS, **changes})


def _stored_and_loaded(trigger):
    path, arguments = json.loads(json.dumps(trigger.serialize()))
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)(**arguments)


@pytest.mark.parametrize(("kind", "arn"), TRIGGERS)
def test_everything_survives_the_way_to_the_triggerer(kind, arn):
    trigger = _trigger(kind, arn)
    loaded = _stored_and_loaded(trigger)

    assert isinstance(loaded, BaseTrigger)
    assert type(loaded) is kind
    assert loaded.serialize() == trigger.serialize()
    assert loaded.serialize()[1] == {
        **arn,
        "give_up_at": 1795486596.5,
        "waiter_delay": 7,
        "waiter_max_attempts": 9,
        **AWS,
    }
    hook = loaded.hook()
    assert hook.region_name == "eu-west-1"
    assert hook.verify is False
    assert hook.config.retries == {"mode": "standard", "total_max_attempts": 1}


@pytest.mark.parametrize(("kind", "arn"), TRIGGERS)
def test_a_service_that_cannot_be_reached_is_an_event_and_no_crash(kind, arn, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")

    async def events(trigger):
        return [event async for event in trigger.run()]

    (event,) = asyncio.run(events(_trigger(kind, arn)))

    assert event.payload["status"] == "error"
    assert "Could not connect" in event.payload["message"]
    assert event.payload["give_up_at"] == 1795486596.5
    assert arn.items() <= event.payload.items()
