"""A converted definition: load, summary and unload run on the local stack's Redshift."""

import gzip
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from include.local.layout import PROJECT
from tests.integration.redshift_tasks import attempt, quick_looks
from tests.integration.redshift_warehouse import ROLE, new_warehouse
from updraft.compat import BaseOperator
from updraft.migration.conversion import convert_file

pytestmark = pytest.mark.integration

_SAMPLE = PROJECT / "include" / "definitions" / "load-redshift-from-s3.json"
_TIME = datetime(2026, 11, 23, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url, DefaultIamRoleArn=ROLE)


@pytest.fixture(autouse=True)
def surroundings(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    quick_looks(monkeypatch)


def _dag():
    conversion = convert_file(_SAMPLE, "load_redshift_from_s3")
    assert conversion.findings == ()
    assert all(task.migrated for task in conversion.report.tasks)
    namespace = {}
    exec(compile(conversion.dag_source, "load_redshift_from_s3.py", "exec"), namespace)
    return next(one.dag for one in namespace.values() if isinstance(one, BaseOperator))


def _run(params, number=1, run=None):
    """Run the tasks of a new DAG in their order, rendered as Airflow renders them."""
    results = {}
    for task in _dag().topological_sort():
        context = {
            **attempt(number, run),
            "params": params,
            "dag_run": SimpleNamespace(run_after=_TIME),
        }
        task.render_template_fields(context)
        task.deferrable = False
        results[task.task_id] = task.execute(context)
    return results


def test_the_sample_loads_sums_up_and_unloads(warehouse):
    folder = f"in/{uuid.uuid4()}"
    lines = ["id,country,amount,sold", "1,de,5,2026-11-23", '2,"fr",7,2026-11-23', "3,de,0,"]
    first = gzip.compress("\n".join(lines).encode(), mtime=0)
    warehouse.put(f"{folder}/a.gz", first)
    # A folder that only begins alike is none of its files.
    warehouse.put(f"{folder}x/a.gz", gzip.compress(b"no,such,row,at all\n", mtime=0))
    warehouse.run("create schema sales")
    params = {
        "myInputS3Loc": f"s3://{warehouse.bucket}/{folder}",
        "myOutputS3Loc": f"s3://{warehouse.bucket}/out",
        "myRedshiftJdbcConnectStr": (
            f"jdbc:redshift://{warehouse.cluster}.abc.us-east-1.redshift.amazonaws.com:5439/dev"
        ),
        "myRedshiftDbName": "dev",
        "myRedshiftUsername": "awsuser",
        "myRedshiftTableName": "orders",
    }
    run = str(uuid.uuid4())
    results = _run(params, run=run)
    load, unload = results["redshift_load_activity"], results["redshift_unload_activity"]
    assert (load["loaded"], load["inserted"]) == (3, 2)
    orders = "select id, country, amount, sold::varchar from sales.orders order by id"
    assert warehouse.rows(orders) == [[1, "DE", 5, "2026-11-23"], [2, "FR", 7, "2026-11-23"]]
    assert unload["rows"] == 2
    written = warehouse.files("out/2026-11-23-04-00-00/")
    found = b"".join(written.values()).splitlines()
    assert sorted(found) == [b"2026-11-23\tDE\t5", b"2026-11-23\tFR\t7"]

    # A retry finds what has been done, and does none of it again.
    assert _run(params, number=2, run=run) == results
    assert len(warehouse.rows(orders)) == 2
    assert warehouse.files("out/2026-11-23-04-00-00/") == written
