"""The base of the operators that run SQL on Redshift: once, whatever happens to the task."""

import asyncio
import threading
import time
import uuid

import pytest
from airflow.exceptions import TaskDeferred
from airflow.sdk.exceptions import AirflowException

from tests.integration.glue_tasks import finish, resume, task_context
from tests.integration.redshift_warehouse import new_warehouse
from updraft.operators.redshift_statements_base import RedshiftStatementsOperator
from updraft.redshift.statement import RedshiftStatement

pytestmark = pytest.mark.integration

LONG = "select count(pg_sleep(900)) as n"
# Longer than an operator waits before it defers.
WHILE = "select count(pg_sleep(6)) as n"


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture(autouse=True)
def _environment(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def table(warehouse):
    name = f"t{uuid.uuid4().hex[:8]}"
    warehouse.run(f"create table {name} (a varchar(100))")
    return name


class Statements(RedshiftStatementsOperator):
    def __init__(self, *, sqls, parameters=None, **kwargs):
        super().__init__(database="dev", aws_conn_id=None, **kwargs)
        self.sqls = sqls
        self.parameters = parameters or {}
        self.asked = 0

    def statements(self, context):
        self.asked += 1
        return [RedshiftStatement(sql, self.parameters.get(sql, {})) for sql in self.sqls]


class Named(Statements):
    def identity(self):
        return "the work"


@pytest.fixture
def operator(warehouse):
    def make(*sqls, kind=Statements, **kwargs):
        kwargs.setdefault("poll_interval", 1)
        kwargs.setdefault("db_user", "awsuser")
        return kind(task_id="work", sqls=sqls, cluster_identifier=warehouse.cluster, **kwargs)

    return make


def new_run():
    return task_context(uuid.uuid4().hex)


def again(context, **changes):
    return task_context(context["ti"].run_id, context["ti"].try_number + 1, **changes)


def count(warehouse, table):
    return warehouse.rows(f"select count(*) from {table}")[0][0]


@pytest.mark.parametrize("transaction", [True, False])
@pytest.mark.parametrize("group", [None, "it's; drop"])
def test_statements_take_effect_once_in_all_attempts(
    warehouse, table, operator, transaction, group
):
    sqls = [f"insert into {table} values ('{letter}')" for letter in "ab"]
    context = new_run()
    results = [
        finish(operator(*sqls, transaction=transaction, query_group=group), attempt)
        for attempt in (context, again(context))
    ]
    assert results[0] == results[1]
    assert results[0]["rows"] == [1, 1]
    assert count(warehouse, table) == 2
    finish(operator(*sqls, transaction=transaction, query_group=group), again(context, max_tries=3))
    assert count(warehouse, table) == 4, "a task that was cleared runs anew"


def test_a_transaction_that_fails_leaves_nothing_and_runs_again(warehouse, table, operator):
    missing = f"m{uuid.uuid4().hex[:8]}"
    sqls = [f"insert into {table} values ('a')", f"insert into {missing} values ('b')"]
    context = new_run()
    with pytest.raises(AirflowException, match=f'Statement 2 failed: .*"{missing}" does not exist'):
        finish(operator(*sqls, query_group="etl"), context)
    assert count(warehouse, table) == 0
    warehouse.run(f"create table {missing} (a varchar(10))")
    finish(operator(*sqls, query_group="etl"), again(context))
    assert (count(warehouse, table), count(warehouse, missing)) == (1, 1)


def test_statement_by_statement_goes_on_with_the_one_that_failed(warehouse, table, operator):
    missing = f"m{uuid.uuid4().hex[:8]}"
    sqls = [
        "create temp table mine as select 'x'::varchar(9) as a",
        f"insert into {table} select a from mine",
        f"insert into {missing} select a from mine",
        f"insert into {table} select a from mine",
    ]
    context = new_run()
    with pytest.raises(AirflowException, match="Statement 3 failed"):
        finish(operator(*sqls, transaction=False), context)
    assert count(warehouse, table) == 1
    warehouse.run(f"create table {missing} (a varchar(10))")
    finish(operator(*sqls, transaction=False), again(context))
    assert (count(warehouse, table), count(warehouse, missing)) == (2, 1)


def test_blocks_between_begin_and_commit_are_transactions(warehouse, table, operator):
    sqls = [
        f"insert into {table} values ('a')",
        "begin",
        f"insert into {table} values ('b')",
        "insert into nosuch values ('b')",
        "commit",
    ]
    with pytest.raises(AirflowException, match="Statement 4 failed"):
        finish(operator(*sqls, transaction=False), new_run())
    assert warehouse.rows(f"select a from {table}") == [["a"]]


def test_work_that_has_an_identity_is_found_although_its_statements_differ(
    warehouse, table, operator
):
    context = new_run()
    finish(operator(f"insert into {table} values ('a')", kind=Named), context)
    other = operator(f"insert into {table} values ('b')", kind=Named)
    assert finish(other, again(context))["rows"] == [1]
    assert other.asked == 0
    assert warehouse.rows(f"select a from {table}") == [["a"]]


def test_a_retry_adopts_what_goes_on(warehouse, table, operator):
    sql = f"insert into {table} select 'x' from generate_series(1, 5) group by 1"
    context = new_run()
    first = operator(WHILE, sql)
    with pytest.raises(TaskDeferred):
        first.execute(context)
    finish(operator(WHILE, sql), again(context))
    assert count(warehouse, table) == 1


def wait_until_active(warehouse, marker, number):
    query = "select count(*) from pg_stat_activity where query like :q and state = 'active'"
    until = time.monotonic() + 30
    while warehouse.rows(f"{query} and pid <> pg_backend_pid()", {"q": f"%{marker}%"}) != [
        [number]
    ]:
        assert time.monotonic() < until, f"{number} should be active"
        time.sleep(0.05)


@pytest.mark.parametrize("deferrable", [True, False])
def test_ending_the_task_really_ends_the_statement(warehouse, operator, deferrable):
    marker = uuid.uuid4().hex
    task = operator(f"{LONG} where '{marker}' <> ''", deferrable=deferrable)
    context = new_run()
    if deferrable:
        with pytest.raises(TaskDeferred) as deferred:
            task.execute(context)
        wait_until_active(warehouse, marker, 1)
        asyncio.run(deferred.value.trigger.on_kill())
    else:

        def end_it():
            wait_until_active(warehouse, marker, 1)
            task.on_kill()

        killer = threading.Thread(target=end_it)
        killer.start()
        with pytest.raises(AirflowException, match=r"was cancelled|was told to stop"):
            task.execute(context)
        killer.join()
    wait_until_active(warehouse, marker, 0)


def test_what_an_earlier_series_left_behind_is_ended(warehouse, operator, table):
    context = new_run()
    with pytest.raises(TaskDeferred) as left:
        operator(LONG).execute(context)
    sql = f"insert into {table} values ('a')"
    finish(operator(sql), again(context, max_tries=5))
    said = warehouse.finish(left.value.trigger.statement_id)
    assert said["Status"] == "ABORTED"
    assert count(warehouse, table) == 1


@pytest.mark.thorough
def test_what_was_cancelled_with_an_earlier_attempt_is_submitted_anew(warehouse, operator, table):
    sql = f"insert into {table} select 'x' from generate_series(1, 100000000) group by 1"
    context = new_run()
    with pytest.raises(TaskDeferred) as left:
        operator(sql).execute(context)
    threading.Timer(
        0.3, lambda: warehouse.data.cancel_statement(Id=left.value.trigger.statement_id)
    ).start()
    task = operator(sql)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(again(context))
    assert deferred.value.trigger.statement_id != left.value.trigger.statement_id
    task.on_kill()
    assert warehouse.finish(deferred.value.trigger.statement_id)["Status"] == "ABORTED"


def test_a_deferred_task_gets_its_result_elsewhere(operator, table, warehouse):
    task = operator(WHILE, f"insert into {table} values ('a')")
    context = new_run()
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context)
    later = operator(WHILE, f"insert into {table} values ('a')")
    assert resume(later, context, deferred.value.trigger)["rows"] == [1, 1]
