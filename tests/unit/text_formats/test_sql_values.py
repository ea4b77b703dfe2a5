"""Values of databases as text."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from updraft.errors import PermanentError
from updraft.text_formats.sql_values import text_of

ONE = UUID(int=1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("", ""),
        (True, "true"),
        (12345678901234567890, "12345678901234567890"),
        (0.1, "0.1"),
        (Decimal("1.10"), "1.10"),
        (Decimal("1E+3"), "1000"),
        (Decimal("12345678901234567890.123456789"), "12345678901234567890.123456789"),
        (datetime(2026, 1, 2, 3, 4, 5, 600), "2026-01-02 03:04:05.000600"),  # noqa: DTZ001 - has none
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02 00:00:00+00:00"),
        (date(2026, 1, 2), "2026-01-02"),
        (time(3, 4), "03:04:00"),
        (timedelta(hours=-26, microseconds=-1), "-26:00:00.000001"),
        (timedelta(days=1, seconds=61), "24:01:01"),
        (b"\x00\xff", "00ff"),
        (memoryview(b"a"), "61"),
        (ONE, str(ONE)),
        ([1, "é", None], '[1,"é",null]'),
        ({"a": Decimal("1.0"), "b": date(2026, 1, 2)}, '{"a":"1.0","b":"2026-01-02"}'),
    ],
)
def test_values(value, text):
    assert text_of(value) == text


@pytest.mark.parametrize("value", [object(), [object()]])
def test_what_has_no_text_is_refused_by_its_type(value):
    with pytest.raises(PermanentError, match=r"builtins\.object"):
        text_of(value)
