"""What a session sends to the driver of its database."""

import sys
from types import SimpleNamespace

import pytest

from updraft.hooks.sql import SqlSession


@pytest.mark.parametrize(
    ("driver", "sent"), [("pymysql", "a %% 2 = %s"), ("pymssql", "a % 2 = %s")]
)
def test_percent_signs_are_as_the_driver_reads_them(monkeypatch, driver, sent):
    monkeypatch.setitem(sys.modules, driver, SimpleNamespace(paramstyle="pyformat"))
    connection = type("Connection", (), {"__module__": f"{driver}.connections"})()
    session = SqlSession(SimpleNamespace(placeholder="%s"), connection)
    assert session.marked("a % 2 = ?") == sent
