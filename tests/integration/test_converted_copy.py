"""A converted definition: files into a table, a query of it, an archive, on the local stack."""

import gzip
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from include.local.layout import PROJECT
from tests.integration import sql_databases
from tests.integration.copy_tasks import Bucket, attempt, converted_tasks

pytestmark = pytest.mark.integration

_SAMPLE = PROJECT / "include" / "definitions" / "copy-between-s3-and-database.json"
_TIME = datetime(2026, 11, 23, 4, tzinfo=UTC)


def test_the_sample_loads_reports_and_archives(local_stack, tmp_path, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW_CONN_AWS_DEFAULT", '{"conn_type": "aws"}')
    bucket = Bucket(local_stack.endpoint_url)
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
            for task in converted_tasks(_SAMPLE):
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
