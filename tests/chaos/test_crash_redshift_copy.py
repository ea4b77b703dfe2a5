"""Loads and unloads of Redshift, harmed at every call of AWS.

What is in the table in the end tells how often the load has taken effect.
"""

import uuid

import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_sweep import IS_FULL, KILLS, WAYS, Sweep
from tests.integration.redshift_warehouse import ROLE, new_warehouse
from updraft.compat import DAG
from updraft.operators.redshift_copy import RedshiftCopyOperator
from updraft.operators.redshift_unload import RedshiftUnloadOperator

pytestmark = pytest.mark.integration

STARTS = "BatchExecuteStatement|DeleteObjects"
UNLOADS = "ExecuteStatement|DeleteObjects"
OLD = "(1, 'old'), (1, 'old'), (3, 'old')"
NEW = b"1|new\n1|newer\n2|new\n|new\n"
ADDED = [(1, "new"), (1, "newer"), (2, "new"), (None, "new")]
KEPT = [(1, "old"), (1, "old"), (3, "old")]
EXPECTED = {
    "APPEND": KEPT + ADDED,
    "TRUNCATE": ADDED,
    "KEEP_EXISTING": KEPT + ADDED[2:],
    "OVERWRITE_EXISTING": [(3, "old"), *ADDED],
}
# Longer than the task looks before it is deferred.
SLOW = "select s.id, s.v from staging s, (select count(pg_sleep(4)) as n) p where p.n = 1"


def copy_dag(*, place, table, s3_uri, mode, transformation, deferrable):
    with DAG("crash", schedule=None) as dag:
        RedshiftCopyOperator(
            task_id="load",
            **place,
            table=table,
            s3_uri=s3_uri,
            iam_role=ROLE,
            insert_mode=mode,
            primary_keys=["id"],
            transform_sql=transformation,
            create_table_sql=f"create table {table} (id int, v varchar(9))",
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
        )
    return dag


def unload_dag(place, table, s3_uri, if_exists):
    with DAG("crash", schedule=None) as dag:
        RedshiftUnloadOperator(
            task_id="unload",
            **place,
            table=table,
            s3_uri=s3_uri,
            iam_role=ROLE,
            if_exists=if_exists,
            partition_by=["v"],
            aws_conn_id=None,
            poll_interval=1,
        )
    return dag


@pytest.fixture(scope="module")
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    warehouse.arguments = {
        "cluster_identifier": warehouse.cluster,
        "database": "dev",
        "db_user": "awsuser",
    }
    return warehouse


@pytest.fixture
def harm(warehouse, local_stack, tmp_path):
    uri = warehouse.put("in/rows", NEW)

    def harm(mode, *, exists=True, transformation="", deferrable=True):
        def fresh():
            table = f"t_{uuid.uuid4().hex[:12]}"
            if exists:
                warehouse.run(f"create table {table} (id int, v varchar(9))")
                warehouse.run(f"insert into {table} values {OLD}")
            return {
                "place": warehouse.arguments,
                "table": table,
                "s3_uri": uri,
                "mode": mode,
                "transformation": transformation,
                "deferrable": deferrable,
            }

        def check(arguments, outcome):
            assert outcome.states == {"load": "success"}
            found = [tuple(row) for row in warehouse.rows(f"select * from {arguments['table']}")]
            expected = EXPECTED[mode] if exists else ADDED
            assert sorted(found, key=repr) == sorted(expected, key=repr)
            assert outcome.returned("load")["loaded"] == 4

        subject = Subject(copy_dag, ("load",))
        Sweep(subject, local_stack.environment, tmp_path, fresh, check, STARTS).run(KILLS)

    return harm


@pytest.mark.parametrize("mode", EXPECTED)
def test_rows_are_loaded_once(harm, mode):
    harm(mode)


def test_a_table_is_made_and_loaded_once(harm):
    harm("APPEND", exists=False)


@pytest.mark.skipif(not IS_FULL, reason="only in make chaos: each run takes seconds")
@pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")
def test_rows_are_loaded_once_by_a_task_that_waits(harm, deferrable):
    harm("APPEND", transformation=SLOW, deferrable=deferrable)


@pytest.mark.parametrize("if_exists", ["fail", "replace"])
def test_an_unload_writes_no_other_files(warehouse, local_stack, tmp_path, if_exists):
    warehouse.run(f"create table if not exists unloaded_{if_exists} (id int, v varchar(9))")
    warehouse.run(f"delete from unloaded_{if_exists}")
    warehouse.run(f"insert into unloaded_{if_exists} values {OLD}")

    def fresh():
        folder = f"out/{uuid.uuid4()}/"
        if if_exists == "replace":
            warehouse.put(f"{folder}v=stale/0000_part_00", b"old")
        return {
            "place": warehouse.arguments,
            "table": f"unloaded_{if_exists}",
            "s3_uri": f"s3://{warehouse.bucket}/{folder}",
            "if_exists": if_exists,
        }

    def check(arguments, outcome):
        assert outcome.states == {"unload": "success"}
        folder = arguments["s3_uri"].split("/", 3)[3]
        lines = [line for body in warehouse.files(folder).values() for line in body.split()]
        assert sorted(lines) == [b"1", b"1", b"3"]
        assert outcome.returned("unload")["rows"] == 3

    subject = Subject(unload_dag, ("unload",))
    Sweep(subject, local_stack.environment, tmp_path, fresh, check, UNLOADS).run(KILLS)
