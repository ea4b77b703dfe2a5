"""What takes the place of CopyActivity, harmed at every call of AWS and of the database.

A database is not spoken to by botocore, so the harness does not see it: there the process kills
itself before or after the n-th statement, in its first attempt.
"""

import itertools
import os
import signal
import uuid
from pathlib import Path

import pytest

from tests.chaos.crash_airflow import DagRun, Subject
from tests.chaos.crash_faults import Fault, Injection, Moment
from tests.chaos.crash_sweep import IS_FULL, KILLS, USER_ACTIONS, Sweep
from tests.integration import sql_databases
from tests.integration.copy_tasks import Bucket
from updraft.compat import DAG
from updraft.hooks.sql import SqlSession
from updraft.operators.s3_to_s3 import CopyS3ToS3Operator
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

pytestmark = pytest.mark.integration

WRITES = "s3:(PUT|POST)"

in_full = pytest.mark.skipif(not IS_FULL, reason="in the full sweep only")


def load_dag(conn_id, table, s3_uri, death=None):
    if death is not None:
        die_once(*death)
    with DAG("crash", schedule=None) as dag:
        CopyS3ToSqlOperator(
            task_id="copy",
            s3_uri=s3_uri,
            sql_conn_id=conn_id,
            table=table,
            create_table_sql=f"create table {table} (id int)",
            ledger_table=f"{table}_ledger",
            batch_rows=2,
            aws_conn_id=None,
        )
    return dag


def unload_dag(conn_id, query, s3_uri):
    with DAG("crash", schedule=None) as dag:
        CopySqlToS3Operator(
            task_id="copy", query=query, s3_uri=s3_uri, sql_conn_id=conn_id, aws_conn_id=None
        )
    return dag


def copy_dag(source, target, compression):
    with DAG("crash", schedule=None) as dag:
        CopyS3ToS3Operator(
            task_id="copy",
            source_s3_uri=source,
            dest_s3_uri=target,
            dest_compression=compression,
            max_concurrency=1,
            aws_conn_id=None,
        )
    return dag


def die_once(marker, number, moment):
    """Let this process die at its n-th word to the database, unless one has died so."""
    calls = itertools.count(1)

    def mortal(method):
        def called(session, *given):
            doomed = next(calls) == number and not Path(marker).exists()
            if doomed and moment == "before":
                die()
            try:
                return method(session, *given)
            finally:
                if doomed:
                    die()

        return called

    def die():
        Path(marker).touch()
        os.kill(os.getpid(), signal.SIGKILL)

    for name in ("execute", "execute_many", "commit"):
        setattr(SqlSession, name, mortal(getattr(SqlSession, name)))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    with sql_databases.postgresql(tmp_path_factory.mktemp("postgresql")) as found:
        yield found


@pytest.fixture(scope="module")
def bucket(local_stack):
    return Bucket(local_stack.endpoint_url)


@pytest.fixture
def environment(local_stack, database):
    return {**local_stack.environment, **database.environment}


def fresh_load(database, bucket):
    bucket.put("in/a", b"1\n2\n3\n")
    bucket.put("in/b", b"4\n")
    return {
        "conn_id": database.conn_id,
        "table": f"t{uuid.uuid4().hex[:12]}",
        "s3_uri": bucket.uri("in/"),
    }


def assert_loaded_once(database, arguments, outcome):
    assert outcome.states == {"copy": "success"}
    rows = database.run(f"select id from {arguments['table']} order by id")
    assert rows == [(1,), (2,), (3,), (4,)]
    assert outcome.returned("copy")["rows"] == 4


@pytest.mark.thorough
def test_rows_are_loaded_once_whatever_happens_at_s3(database, bucket, environment, tmp_path):
    Sweep(
        Subject(load_dag, ("copy",)),
        environment,
        tmp_path,
        lambda: fresh_load(database, bucket),
        lambda arguments, outcome: assert_loaded_once(database, arguments, outcome),
        "s3:GET",
    ).run(KILLS)


def test_rows_are_loaded_once_by_a_task_that_dies_before_it_says_so(
    database, bucket, environment, tmp_path
):
    def run(injection, name):
        arguments = fresh_load(database, bucket)
        subject = Subject(load_dag, ("copy",))
        outcome = DagRun(subject, arguments, environment, tmp_path / name, injection).run()
        assert_loaded_once(database, arguments, outcome)
        return outcome

    last = run(None, "undisturbed").counted.index("airflow:SucceedTask") + 1
    outcome = run(Injection(Fault.KILL, Moment.BEFORE, last), "killed")
    assert outcome.happened
    assert outcome.tries == {"copy": 2}
    assert outcome.returned("copy")["already_loaded"]


@pytest.mark.parametrize("moment", [pytest.param("before", marks=pytest.mark.thorough), "after"])
def test_rows_are_loaded_once_whatever_happens_at_the_database(
    database, bucket, environment, tmp_path, moment
):
    deaths = 0
    # The short way: the INSERTs of the rows and the last COMMIT.
    numbers = itertools.count(1) if IS_FULL else range(7, 12)
    for number in numbers:
        marker = tmp_path / f"died-{number}"
        arguments = fresh_load(database, bucket)
        arguments["death"] = (str(marker), number, moment)
        run = DagRun(Subject(load_dag, ("copy",)), arguments, environment, tmp_path / "log")
        outcome = run.run()
        assert_loaded_once(database, arguments, outcome)
        if not marker.exists():
            break
        assert outcome.tries == {"copy": 2}
        deaths += 1
    assert deaths >= 4


@in_full
def test_a_user_who_ends_a_load_gets_all_of_it_or_nothing(database, bucket, environment, tmp_path):
    def check(arguments, outcome):
        table, rows = arguments["table"], []
        if database.run("select to_regclass(?)::text", table) != [(None,)]:
            rows = database.run(f"select id from {table} order by id")
        done = [(one,) for one in (1, 2, 3, 4)]
        cleared = outcome.happened and outcome.injection.fault is Fault.CLEAR
        if outcome.states == {"copy": "success"}:
            assert rows == done or (cleared and rows == sorted(done * 2))
        else:
            assert outcome.injection.fault is Fault.MARK_FAILED
            assert rows in ([], done)

    fresh, subject = lambda: fresh_load(database, bucket), Subject(load_dag, ("copy",))
    Sweep(subject, environment, tmp_path, fresh, check, "s3:GET").run(USER_ACTIONS)


@pytest.fixture
def unload_sweep(database, bucket, environment, tmp_path):
    """Harm unloads, and look at their files."""

    def run(faults, check):
        # More than one part of an upload, so that there is something half done.
        query = "select i, repeat('x', 9000) from generate_series(1, 2000) as g (i)"

        def fresh():
            key = f"out/{uuid.uuid4()}"
            return {"conn_id": database.conn_id, "query": query, "s3_uri": bucket.uri(key)}

        def checked(arguments, outcome):
            key = arguments["s3_uri"].split("/", 3)[3]
            if bucket.keys(key):
                lines = bucket.get(key).splitlines()
                assert [line.split(b",")[0] for line in lines] == [
                    b"%d" % i for i in range(1, 2001)
                ]
            check(outcome, key)

        subject = Subject(unload_dag, ("copy",))
        Sweep(subject, environment, tmp_path, fresh, checked, WRITES).run(faults)

    return run


def test_a_file_is_as_the_query_whatever_happens(unload_sweep, bucket):
    def check(outcome, key):
        assert outcome.states == {"copy": "success"}
        assert bucket.keys(key) == [key]
        assert key not in bucket.uploads()
        assert outcome.returned("copy")["rows"] == 2000

    unload_sweep(KILLS, check)


@in_full
def test_a_user_who_ends_an_unload_gets_all_of_it_or_nothing(unload_sweep, bucket):
    def check(outcome, key):
        if outcome.states == {"copy": "success"}:
            assert bucket.keys(key) == [key]
        else:
            assert outcome.injection.fault is Fault.MARK_FAILED
        assert key not in bucket.uploads()

    unload_sweep(USER_ACTIONS, check)


@pytest.mark.parametrize("compression", [pytest.param("none", marks=pytest.mark.thorough), "gzip"])
def test_a_directory_is_copied_whatever_happens(bucket, environment, tmp_path, compression):
    bucket.put("from/a", b"1")
    bucket.put("from/b/c", b"2")
    suffix = ".gz" if compression == "gzip" else ""

    def fresh():
        target = f"to/{uuid.uuid4()}/"
        return {
            "source": bucket.uri("from/"),
            "target": bucket.uri(target),
            "compression": compression,
        }

    def check(arguments, outcome):
        assert outcome.states == {"copy": "success"}
        folder = arguments["target"].split("/", 3)[3]
        expected = [f"{folder}a{suffix}", f"{folder}b/c{suffix}"]
        assert bucket.keys(folder) == expected
        assert outcome.returned("copy")["files"] == 2

    subject = Subject(copy_dag, ("copy",))
    Sweep(subject, environment, tmp_path, fresh, check, WRITES).run(KILLS)
