"""The workflows for the capacity of Redshift, from their files by a real Airflow with a form."""

import json

import pytest

from tests.integration.redshift_warehouse import new_warehouse

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/redshift-schedules"
ALWAYS = {"at": "00:00", "action": "pause"}


@pytest.fixture
def warehouse(local_stack):
    warehouse = new_warehouse(local_stack.endpoint_url)
    yield warehouse
    warehouse.s3.delete_bucket(Bucket=warehouse.bucket)


def test_resize_by_form(dag_runs, warehouse):
    form = {"cluster_identifier": warehouse.cluster, "number_of_nodes": 4}
    planned = dag_runs.run("redshift_resize", {**form, "plan": True})
    assert planned.states == {"resize": "success"}, planned.output[-3000:]
    assert "resize (elastic): from 2 x ra3.xlplus to 4 x ra3.xlplus" in planned.output
    assert warehouse.describe()["NumberOfNodes"] == 2

    run = dag_runs.run("redshift_resize", form)
    assert run.states == {"resize": "success"}, run.output[-3000:]
    assert warehouse.describe()["NumberOfNodes"] == 4
    assert "2 node-hours an hour of ra3.xlplus become 4" in run.output
    (link,) = dag_runs.api.links("redshift_resize", run.run_id, "resize").values()
    assert link.endswith(f"#cluster-details?cluster={warehouse.cluster}")


def test_a_timetable_by_form_and_by_variable(dag_runs, warehouse):
    form = {"cluster_identifier": warehouse.cluster, "timetable": [ALWAYS]}
    run = dag_runs.run("redshift_pause_resume", {**form, "time_zone": "Europe/Berlin"})
    assert run.states == {"clusters": "success", "bring_about[0]": "success"}, run.output[-3000:]
    assert warehouse.describe()["ClusterStatus"] == "paused"

    # Scheduled runs, which have no form, take the clusters from a Variable.
    line = {**ALWAYS, "action": "resume"}
    entry = {"cluster_identifier": warehouse.cluster, "timetable": [line], "enforce": True}
    variable = {"key": "redshift_pause_resume", "value": json.dumps([entry])}
    dag_runs.api._call("POST", "/variables", json=variable)
    try:
        run = dag_runs.run("redshift_pause_resume", {})
    finally:
        empty = {**variable, "value": "[]"}
        dag_runs.api._call("PATCH", f"/variables/{variable['key']}", json=empty)
    assert run.states == {"clusters": "success", "bring_about[0]": "success"}, run.output[-3000:]
    assert warehouse.describe()["ClusterStatus"] == "available"


def test_scheduled_actions_by_form(dag_runs, warehouse):
    def run(**form):
        done = dag_runs.run(
            "redshift_scheduled_actions", {"cluster_identifier": warehouse.cluster, **form}
        )
        assert done.states == {"scheduled_actions": "success"}, done.output[-3000:]
        found = warehouse.redshift.describe_scheduled_actions(
            Filters=[{"Name": "cluster-identifier", "Values": [warehouse.cluster]}]
        )["ScheduledActions"]
        schedules = {one["ScheduledActionName"].split("-")[-2]: one["Schedule"] for one in found}
        return schedules, done.output

    article = {
        "resume": "cron(15 7 * * ? *)",
        "resize": "cron(15 14 * * ? *)",
        "pause": "cron(0 22 * * ? *)",
    }
    schedules, output = run(operation="apply", iam_role=ROLE)
    assert schedules == article
    assert f"create updraft-{warehouse.cluster}-pause-2200: cron(0 22 * * ? *)" in output
    assert run(operation="remove")[0] == {}
