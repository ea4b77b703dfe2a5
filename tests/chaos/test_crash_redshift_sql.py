"""Statements on Redshift, harmed at every call of AWS: an INSERT takes effect exactly once."""

import time
import uuid

import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_sweep import KILLS, USER_ACTIONS, WAYS, Sweep
from tests.integration.redshift_warehouse import new_warehouse
from updraft.compat import DAG
from updraft.operators.redshift_sql import RedshiftSqlOperator

pytestmark = pytest.mark.integration

CHANGES = r"redshift-data:(Batch)?ExecuteStatement"


def sql_dag(cluster, table, deferrable, transaction, rows):
    with DAG("crash", schedule=None) as dag:
        RedshiftSqlOperator(
            task_id="run",
            cluster_identifier=cluster,
            database="dev",
            db_user="awsuser",
            sql=[
                f"select count(*) from generate_series(1, {rows})",
                f"insert into {table} values (:n)",
            ],
            parameters={"n": 1},
            transaction=transaction,
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
        )
    return dag


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture
def harm(warehouse, local_stack, tmp_path):
    def harm(check, faults, *, deferrable, transaction=True, rows=1):
        def fresh():
            table = f"t{uuid.uuid4().hex[:12]}"
            warehouse.run(f"create table {table} (n int)")
            return {
                "cluster": warehouse.cluster,
                "table": table,
                "deferrable": deferrable,
                "transaction": transaction,
                "rows": rows,
            }

        def checked(arguments, outcome):
            until = time.monotonic() + 10
            going_on = "select count(*) from pg_stat_activity where state = 'active'"
            while warehouse.rows(f"{going_on} and pid <> pg_backend_pid()") != [[0]]:
                assert time.monotonic() < until, "a statement goes on"
                time.sleep(0.1)
            check(outcome, warehouse.rows(f"select count(*) from {arguments['table']}")[0][0])

        subject = Subject(sql_dag, ("run",))
        Sweep(subject, local_stack.environment, tmp_path, fresh, checked, CHANGES).run(faults)

    return harm


@pytest.mark.parametrize("transaction", [True, False], ids=["together", "one by one"])
@pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")
def test_an_insert_takes_effect_once(harm, deferrable, transaction):
    def check(outcome, rows):
        assert outcome.states == {"run": "success"}
        assert rows == 1

    harm(check, KILLS, deferrable=deferrable, transaction=transaction)


@pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")
def test_a_user_who_ends_the_task(harm, deferrable):
    def check(outcome, rows):
        if outcome.states["run"] == "success":
            assert 1 <= rows <= 1 + outcome.happened
        else:
            assert rows <= 1

    harm(check, USER_ACTIONS, deferrable=deferrable)
