"""Converted definitions: rows between files, tables and scripts of Pig, on the local stack."""

import gzip
from datetime import UTC, datetime
from types import SimpleNamespace

import pendulum
import pytest

from include.local.layout import PROJECT
from tests.integration import sql_databases
from tests.integration.copy_tasks import Bucket, attempt
from updraft.compat import BaseOperator
from updraft.datapipeline.macros import template_macros
from updraft.migration.conversion import convert_file
from updraft.operators.emr import EmrStepsOperator

pytestmark = pytest.mark.integration

_SAMPLE = PROJECT / "include" / "definitions" / "copy-between-s3-and-database.json"
_PIG = PROJECT / "tests" / "golden" / "pig_order_scores" / "pig_order_scores.json"
_TIME = datetime(2026, 11, 23, 4, tzinfo=UTC)


def _tasks(definition=_SAMPLE):
    conversion = convert_file(definition, "converted")
    assert all(task.migrated for task in conversion.report.tasks)
    namespace = {}
    exec(compile(conversion.dag_source, "copy.py", "exec"), namespace)
    dag = next(one.dag for one in namespace.values() if isinstance(one, BaseOperator))
    return dag.topological_sort()


@pytest.fixture
def bucket(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    return Bucket(local_stack.endpoint_url)


def test_the_sample_loads_reports_and_archives(bucket, tmp_path, monkeypatch):
    bucket.put("in/a", b'1,de,5\n2,fr,"7"\n')
    bucket.put("in/b", b"3,de,\\n\n")
    bucket.put("inside/a", b"no row\n")
    params = {
        "myInputS3Loc": bucket.uri("in"),
        "myOutputS3Loc": bucket.uri("out"),
        "myTableName": "orders",
    }
    with sql_databases.sqlite(tmp_path) as database:
        text = database.environment["AIRFLOW_CONN_TEST_SQLITE"]
        monkeypatch.setenv("AIRFLOW_CONN_SALES_DATABASE", text)
        for number in (1, 2):  # a retry finds what the first attempt has done
            for task in _tasks():
                context = {
                    **attempt(number, "run"),
                    "params": params,
                    "dag_run": SimpleNamespace(run_after=_TIME),
                }
                context["ti"].task_id = task.task_id
                task.render_template_fields(context)
                task.execute(context)
        rows = database.run("select id, country, amount from orders order by id")
    assert rows == [(1, "DE", 5), (2, "FR", '"7"'), (3, "DE", None)]
    assert bucket.get("out/report/2026-11-23.tsv") == b"DE\t5\nFR\t0.0\n"
    archived = {key: gzip.decompress(bucket.get(key)) for key in bucket.keys("out/archive/")}
    assert archived == {
        "out/archive/2026-11-23/a.gz": b'1,de,5\n2,fr,"7"\n',
        "out/archive/2026-11-23/b.gz": b"3,de,\\n\n",
    }


class _Try:
    """An attempt that knows what earlier tasks have returned."""

    def __init__(self, number, task_id, returned):
        self.__dict__ |= vars(attempt(number, "run")["ti"])
        self.task_id = task_id
        self._returned = returned

    def xcom_pull(self, task_ids, **_):
        return self._returned[task_ids]


def _run(task, bucket, returned, number=1):
    """Run a task, or where it needs a cluster only render what it would run there."""
    context = {
        "ti": _Try(number, task.task_id, returned),
        "params": {"staging_s3_uri": bucket.uri("staging")},
        "data_interval_start": pendulum.instance(_TIME),
        "macros": SimpleNamespace(
            updraft=SimpleNamespace(**{one.__name__: one for one in template_macros()})
        ),
    }
    task.render_template_fields(context)
    if not isinstance(task, EmrStepsOperator):
        returned[task.task_id] = task.execute(context)
    return task


def test_pig_gets_the_rows_of_a_query_and_what_it_stores_is_loaded(bucket, tmp_path, monkeypatch):
    folder = "staging/score_orders/2026-11-23-04-00-00"
    with sql_databases.sqlite(tmp_path) as database:
        monkeypatch.setenv("AIRFLOW_CONN_SHOP", database.environment["AIRFLOW_CONN_TEST_SQLITE"])
        database.run("create table orders (id int, country text, amount numeric, day text)")
        database.run("create table scores (order_id int, score numeric)")
        day = f"{_TIME:%Y-%m-%d}"
        database.run(
            f"insert into orders values (1, 'de', 5, '{day}'), (2, null, 7, '{day}'), "
            "(3, 'fr', 9, '2020-01-01')"
        )
        tasks = {task.task_id: task for task in _tasks(_PIG)}
        returned = {"pig_cluster": "j-1"}
        _run(tasks["score_orders_read_input1"], bucket, returned)
        remove, work = _run(tasks["score_orders_pig"], bucket, returned).steps
        # What Pig leaves behind: PigStorage writes null as nothing.
        bucket.put(f"{folder}/output1/_SUCCESS", b"")
        bucket.put(f"{folder}/output1/part-r-00000", b"1\x0112.5\n2\x01\n")
        bucket.put(f"{folder}/output1/part-r-00001", b"")
        for number in (1, 2):  # a retry finds what the first attempt has done
            _run(tasks["score_orders"], bucket, returned, number)
        scores = database.run("select order_id, score from scores order by order_id")
    assert bucket.get(f"{folder}/input1/rows") == b"1\x01de\x015\n2\x01\x017\n"
    assert remove["HadoopJarStep"]["Args"][-1] == bucket.uri(f"{folder}/output1")
    script = work["HadoopJarStep"]["Args"][4].splitlines()
    assert (
        f"input1 = LOAD '{bucket.uri(folder)}/input1/rows' USING PigStorage('\\u0001') "
        "AS (id, country, amount);"
    ) in script
    assert (
        f"STORE output1 INTO '{bucket.uri(folder)}/output1' USING PigStorage('\\u0001');"
    ) in script
    assert scores == [(1, 12.5), (2, None)]
