"""The workflows that load and unload Redshift, run from their files with the values of a form."""

import json
import time
import uuid

import pytest

from tests.integration.redshift_warehouse import ROLE, new_warehouse
from updraft.lineage.local_outbox import LocalOutbox

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture
def place(warehouse):
    return {"cluster_identifier": warehouse.cluster, "database": "dev", "db_user": "awsuser"}


def told(dag_runs, job):
    """Give inputs, outputs and column lineage of a task that has succeeded."""
    outbox, until = LocalOutbox(dag_runs.airflow.state.outbox), time.monotonic() + 30
    while time.monotonic() < until:
        for name in outbox.event_names():
            event = json.loads(outbox.read(name))
            if event["job"]["name"] == job and event["eventType"] == "COMPLETE":
                [output] = event["outputs"]
                fields = output["facets"]["columnLineage"]["fields"]
                columns = {
                    column: [f"{one['name']}.{one['field']}" for one in of["inputFields"]]
                    for column, of in fields.items()
                }
                return [one["name"] for one in event["inputs"]], output["name"], columns
        time.sleep(0.5)
    raise AssertionError(f"{job} has told nothing")


def test_load_and_unload_by_their_forms(warehouse, dag_runs, place):
    folder = f"dag/{uuid.uuid4()}"
    form = {
        **place,
        "table": "orders",
        "s3_uri": warehouse.put(f"{folder}/in/a", b"n,v\n1,it's\n2,b\n"),
        "iam_role": ROLE,
        "insert_mode": "OVERWRITE_EXISTING",
        "primary_keys": ["n"],
        "transform_sql": "select n, v || '!' from staging where v <> 'b'",
        "create_table_sql": "create table orders (n int, v varchar(9))",
        "file_format": "csv",
        "ignore_header": 1,
        "copy_options": ["EMPTYASNULL"],
        "query_group": "it's",
    }
    run = dag_runs.run("redshift_copy", form)
    assert run.state == "success", run.output[-3000:]
    assert warehouse.rows("select * from orders") == [[1, "it's!"]]
    source = f"{folder}/in/a"
    assert told(dag_runs, "redshift_copy.load") == (
        [source],
        "dev.public.orders",
        {"n": [f"{source}.n"], "v": [f"{source}.v"]},
    )

    out = f"{folder}/out/"
    form = {
        **place,
        "query": "select n, v from orders where v <> 'x'",
        "s3_uri": f"s3://{warehouse.bucket}/{out}",
        "iam_role": ROLE,
        "header": True,
        "parallel": False,
    }
    run = dag_runs.run("redshift_unload", form)
    assert run.state == "success", run.output[-3000:]
    assert warehouse.files(out) == {"000": b"n,v\n1,it's!\n"}
    orders = "dev.public.orders"
    assert told(dag_runs, "redshift_unload.unload") == (
        [orders],
        out.strip("/"),
        {"n": [f"{orders}.n"], "v": [f"{orders}.v"]},
    )


def test_what_cannot_be_loaded_is_in_the_log(warehouse, dag_runs, place):
    warehouse.run("create table numbers (n int)")
    uri = warehouse.put(f"dag/{uuid.uuid4()}", b"one\n")
    form = {**place, "table": "numbers", "s3_uri": uri, "iam_role": ROLE}
    run = dag_runs.run_until_failure("redshift_copy", form, "load")
    assert "line 1, column n" in run.output
