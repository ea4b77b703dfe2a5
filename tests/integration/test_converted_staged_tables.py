"""Converted activities of Pig and Hive between tables of a database, on the local stack."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pendulum
import pytest

from tests.integration import sql_databases
from tests.integration.copy_tasks import Bucket, attempt, converted_tasks
from tests.integration.emr_clusters import Clusters
from tests.unit.migration.golden_files import FOLDER
from updraft.datapipeline.macros import template_macros
from updraft.operators.emr import EmrStepsOperator

pytestmark = pytest.mark.integration

_TIME = datetime(2026, 11, 23, 4, tzinfo=UTC)
_MACROS = SimpleNamespace(**{one.__name__: one for one in template_macros()})


class _Attempt:
    """A task instance that knows what earlier tasks have returned."""

    def __init__(self, number, task_id, returned):
        self.__dict__ |= vars(attempt(number, "run")["ti"])
        self.task_id = task_id
        self._returned = returned

    def xcom_pull(self, task_ids, **_):
        return self._returned[task_ids]


class _Run:
    """A run of a converted golden definition, whose connection leads to an SQLite database."""

    def __init__(self, name, params):
        tasks = converted_tasks(FOLDER / name / f"{name}.json")
        self._tasks = {task.task_id: task for task in tasks}
        self._returned = {one: "j-1" for one in self._tasks if one.endswith("_cluster")}
        self._params = params

    def run(self, task_id, number=1):
        """Run a task, or where it needs a cluster only render what it would run there."""
        task = self._tasks[task_id]
        context = {
            "ti": _Attempt(number, task_id, self._returned),
            "params": self._params,
            "data_interval_start": pendulum.instance(_TIME),
            "dag_run": SimpleNamespace(run_after=_TIME),
            "macros": SimpleNamespace(updraft=_MACROS),
        }
        task.render_template_fields(context)
        if isinstance(task, EmrStepsOperator):
            return task.steps
        self._returned[task_id] = task.execute(context)
        return self._returned[task_id]


@pytest.fixture
def bucket(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    return Bucket(local_stack.endpoint_url)


@pytest.fixture
def database(tmp_path, monkeypatch):
    with sql_databases.sqlite(tmp_path) as found:
        for name in ("SHOP", "LEDGER"):
            address = found.environment["AIRFLOW_CONN_TEST_SQLITE"]
            monkeypatch.setenv(f"AIRFLOW_CONN_{name}", address)
        yield found


def test_pig_gets_the_rows_of_a_query_and_what_it_stores_is_loaded(bucket, database):
    day = f"{_TIME:%Y-%m-%d}"
    database.run("create table orders (id int, country text, amount numeric, day text)")
    database.run("create table scores (order_id int, score numeric)")
    database.run(
        f"insert into orders values (1, 'de', 5, '{day}'), (2, null, 7, '{day}'), "
        "(3, 'fr', 9, '2020-01-01')"
    )
    run = _Run("pig_order_scores", {"staging_s3_uri": bucket.uri("staging")})
    run.run("score_orders_read_input1")
    remove, work = (step["HadoopJarStep"]["Args"] for step in run.run("score_orders_pig"))
    folder = "staging/score_orders/2026-11-23-04-00-00"
    # There is no Pig here. This is what it leaves behind: PigStorage writes null as nothing.
    bucket.put(f"{folder}/output1/_SUCCESS", b"")
    bucket.put(f"{folder}/output1/part-r-00000", b"1\x0112.5\n2\x01\n")
    bucket.put(f"{folder}/output1/part-r-00001", b"")
    for number in (1, 2):  # a retry finds what the first attempt has done
        run.run("score_orders", number)

    assert bucket.get(f"{folder}/input1/rows") == b"1\x01de\x015\n2\x01\x017\n"
    uri = bucket.uri(folder)
    assert remove[-1] == f"{uri}/output1"
    script = work[4].splitlines()
    using = "USING PigStorage('\\u0001')"
    assert f"input1 = LOAD '{uri}/input1' {using} AS (id, country, amount);" in script
    assert f"STORE output1 INTO '{uri}/output1' {using};" in script
    found = database.run("select order_id, score from scores order by order_id")
    assert found == [(1, 12.5), (2, None)]


def test_hive_reads_the_rows_of_a_query_and_what_it_writes_is_loaded(bucket, database, local_stack):
    database.run(
        "create table invoices (id int, customer text, currency text, amount numeric, month text)"
    )
    database.run("create table amounts (invoice_id int, customer text, euros numeric)")
    database.run(
        "insert into invoices values (1, 'a,b\\n', 'USD', 8, '2026-11'), "
        "(2, null, 'EUR', 7, '2026-11'), (3, '', 'XXX', 9, '2026-11'), "
        "(4, 'd', 'EUR', 9, '2026-10')"
    )
    bucket.put("rates/a.csv", b"USD,0.5\nEUR,1\n")
    run = _Run(
        "hive_invoice_amounts",
        {
            "staging_s3_uri": bucket.uri("staging"),
            "myRates": bucket.uri("rates/"),
            "myMonth": "2026-11",
        },
    )
    run.run("convert_invoices_read_input1")
    # What a try before this one has left is not loaded.
    bucket.put("staging/convert_invoices/2026-11-23-04-00-00/output1/old", b"9\x01x\x019\n")
    clusters = Clusters(local_stack.endpoint_url)
    cluster = clusters.run(*run.run("convert_invoices_hive"))
    clusters.until(cluster, "TERMINATED", "TERMINATED_WITH_ERRORS", seconds=180)
    steps = clusters.steps(cluster)
    for step in steps.values():
        errors = clusters.log(cluster, step["Id"], "stderr")
        assert step["State"] == "COMPLETED", errors
    for number in (1, 2):  # a retry finds what the first attempt has done
        run.run("convert_invoices", number)

    found = database.run("select invoice_id, customer, euros from amounts order by invoice_id")
    assert found == [(1, "a,b\\n", 4), (2, None, 7), (3, "", None)]
