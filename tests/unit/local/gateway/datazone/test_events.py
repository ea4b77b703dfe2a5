import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from include.local.gateway.errors import AwsError
from include.local.gateway.services.datazone.events import EventReader

READER = EventReader()


def event(**changes: Any) -> bytes:
    return json.dumps(
        {
            "eventTime": "2026-11-22T20:00:00Z",
            "producer": "https://example.com/test",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
            "run": {"runId": "01941f29-7c00-7087-8940-40e5d762e32d"},
            "job": {"namespace": "n", "name": "j"},
            **changes,
        }
    ).encode()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T20:00:00Z", datetime(2026, 11, 22, 20, tzinfo=UTC)),
        ("2026-11-22T21:00:00.5+01:00", datetime(2026, 11, 22, 20, 0, 0, 500_000, UTC)),
        ("2026-11-22t20:00:00.123456789z", datetime(2026, 11, 22, 20, 0, 0, 123_456, UTC)),
    ],
)
def test_times(text: str, expected: datetime) -> None:
    assert READER.read(event(eventTime=text)).time == expected


@pytest.mark.parametrize(
    "text", ["2026-11-22", "2026-11-22T20:00:00", "2026-11-22T25:00:00Z", "2026-02-30T00:00:00Z", 7]
)
def test_what_is_no_time(text: object) -> None:
    with pytest.raises(AwsError, match="eventTime") as caught:
        READER.read(event(eventTime=text))
    assert (caught.value.code, caught.value.status) == ("ValidationException", 400)


def test_type_is_optional() -> None:
    read = READER.read(event())
    assert read.type == "OTHER"
    assert read.summary()["inputs"] == []


def test_missing_schemas_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=f"{tmp_path} holds no OpenLineage.json"):
        EventReader(tmp_path)
