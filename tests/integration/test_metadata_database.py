"""The PostgreSQL of the local Airflow."""

import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from sqlalchemy import create_engine, text

from include.local import postgres, processes
from include.local.layout import StateDirectory
from include.local.metadata_database import SERVICE, MetadataDatabase
from updraft.errors import UpdraftError


@pytest.fixture
def database(tmp_path: Path) -> Iterator[MetadataDatabase]:
    database = MetadataDatabase(StateDirectory(tmp_path))
    yield database
    database.down()
    assert processes.find(tmp_path) == []


def test_what_is_in_it_survives_a_kill_and_a_stop(
    database: MetadataDatabase, tmp_path: Path
) -> None:
    database.up()
    with database.connect() as connection:
        connection.execute("create table moments as select 1 as n")
        (server,) = [one for one in processes.find(tmp_path) if one.service == SERVICE]
        psutil.Process(server.pid).kill()
    database.up()
    database.up()  # does nothing
    with database.connect() as connection:
        assert connection.execute("select n from moments").fetchone() == (1,)
    assert [one.service for one in database.down()] == [SERVICE]
    with pytest.raises(psycopg.OperationalError):
        database.connect()
    database.up()
    engine = create_engine(database.url)
    with engine.connect() as connection:
        assert connection.execute(text("select n from moments")).scalar() == 1
    engine.dispose()


def test_only_this_user_gets_to_it(database: MetadataDatabase, tmp_path: Path) -> None:
    database.up()
    directory = postgres.socket_directory(StateDirectory(tmp_path).airflow_home / "database")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    with database.connect() as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)


def test_why_it_does_not_start_is_said(database: MetadataDatabase, tmp_path: Path) -> None:
    database.up()
    database.down()
    (tmp_path / "airflow" / "database" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(UpdraftError, match=r"could not be started(.|\n)*9\.6"):
        database.up()
