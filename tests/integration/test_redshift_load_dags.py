"""The workflows that load and unload Redshift, run from their files with the values of a form."""

import uuid

import pytest

from tests.integration.redshift_warehouse import ROLE, new_warehouse

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture
def place(warehouse):
    return {"cluster_identifier": warehouse.cluster, "database": "dev", "db_user": "awsuser"}


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


def test_what_cannot_be_loaded_is_in_the_log(warehouse, dag_runs, place):
    warehouse.run("create table numbers (n int)")
    uri = warehouse.put(f"dag/{uuid.uuid4()}", b"one\n")
    form = {**place, "table": "numbers", "s3_uri": uri, "iam_role": ROLE}
    run = dag_runs.run_until_failure("redshift_copy", form, "load")
    assert "line 1, column n" in run.output
