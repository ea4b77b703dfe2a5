"""The workflow for SQL on Redshift, run by a real Airflow with the values of a form."""

import json
import time

import pytest

from tests.integration.redshift_warehouse import new_warehouse
from updraft.lineage.local_outbox import LocalOutbox

pytestmark = pytest.mark.integration

# PostgreSQL takes it. Redshift has no USING, so that its lineage can't be read.
UNREADABLE = "insert into u select a from t order by n using <"


def told(dag_runs, job):
    """Give the event by which the listener says that a task has succeeded."""
    outbox, until = LocalOutbox(dag_runs.airflow.state.outbox), time.monotonic() + 30
    while time.monotonic() < until:
        for name in outbox.event_names():
            event = json.loads(outbox.read(name))
            if event["job"]["name"] == job and event["eventType"] == "COMPLETE":
                return event
        time.sleep(0.5)
    raise AssertionError(f"{job} has told nothing")


def test_sql_by_its_form(local_stack, dag_runs):
    warehouse = new_warehouse(local_stack.endpoint_url)
    text = "a <b> & 'c' {{ ds }}; -- \\"
    form = {
        "cluster_identifier": warehouse.cluster,
        "db_user": "awsuser",
        "sql": "create table t (a varchar(99), n int);\ninsert into t values (:a, ?);\n"
        f"create table u (a varchar(99));\n{UNREADABLE};\n"
        "select a, n from t",
        "parameters": {"a": text},
        "script_arguments": [5],
        "query_group": "etl",
    }
    run = dag_runs.run("redshift_sql", form, 150)
    assert run.state == "success", run.output[-3000:]
    assert warehouse.rows("select a, n from t") == [[text, 5]]
    assert warehouse.rows("select a from u") == [[text]]
    event = told(dag_runs, "redshift_sql.run")
    assert event["inputs"] == []
    facets = {one["name"]: one["facets"] for one in event["outputs"]}
    assert facets.keys() == {"dev.public.t", "dev.public.u"}
    assert "columnLineage" not in facets["dev.public.u"]
    facet = event["run"]["facets"]["extractionError"]
    assert (facet["totalTasks"], facet["failedTasks"]) == (5, 1)
    (error,) = facet["errors"]
    assert (error["task"], error["taskNumber"]) == (UNREADABLE, 3)
    assert error["errorMessage"].startswith("line 4: ")
