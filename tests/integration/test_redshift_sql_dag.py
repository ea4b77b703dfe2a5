"""The workflow for SQL on Redshift, run by a real Airflow with the values of a form."""

import pytest

from tests.integration.redshift_warehouse import new_warehouse

pytestmark = pytest.mark.integration


def test_sql_by_its_form(local_stack, dag_runs):
    warehouse = new_warehouse(local_stack.endpoint_url)
    text = "a <b> & 'c' {{ ds }}; -- \\"
    form = {
        "cluster_identifier": warehouse.cluster,
        "db_user": "awsuser",
        "sql": "create table t (a varchar(99), n int);\ninsert into t values (:a, ?);\n"
        "select a, n from t",
        "parameters": {"a": text},
        "script_arguments": [5],
        "query_group": "etl",
    }
    run = dag_runs.run("redshift_sql", form, 150)
    assert run.state == "success", run.output[-3000:]
    assert warehouse.rows("select a, n from t") == [[text, 5]]
