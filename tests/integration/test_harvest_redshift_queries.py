"""Lineage out of the query history of the local Redshift: each query once, whoever has run it."""

import json
import time
import uuid

import pytest
from airflow.providers.amazon.aws.hooks.redshift_data import RUNNING_STATES

from tests.integration.glue_tasks import finish, finish_counting, task_context
from tests.integration.permission_proxy import Policy, permission_proxy
from tests.integration.redshift_warehouse import ROLE, StatementFailedError, new_warehouse
from updraft.compat import AirflowException, AirflowFailException
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.validation import problems
from updraft.operators import redshift_lookups
from updraft.operators.redshift_query_harvest import HarvestRedshiftQueriesOperator

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def warehouse(local_stack):
    return new_warehouse(local_stack.endpoint_url)


@pytest.fixture(autouse=True)
def _environment(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)


def harvester(warehouse, outbox, **more):
    return HarvestRedshiftQueriesOperator(
        task_id="harvest",
        aws_conn_id=None,
        cluster_identifier=warehouse.cluster,
        database="dev",
        db_user="awsuser",
        outbox_uri=outbox.uri,
        **more,
    )


def harvest(operator):
    """Harvest when the clock of Redshift, which goes by seconds, is past the last query."""
    time.sleep(1.1)
    return finish(operator, task_context(str(uuid.uuid4())))


def events(outbox):
    return [json.loads(outbox.read(name)) for name in outbox.event_names()]


def shown(event):
    names = [
        [f"{one['namespace']}/{one['name']}" for one in event.get(side, ())]
        for side in ("inputs", "outputs")
    ]
    return event["eventType"], *names


def test_what_the_catalog_leaves_out_arrives_once(local_stack, warehouse, tmp_path, monkeypatch):
    outbox = LocalOutbox(tmp_path)
    warehouse.put("in/a.csv", b"1,2\n")
    warehouse.run("create table t (a int, b int)")
    warehouse.run("create table s (a int, b int)")
    files = f"s3://{warehouse.bucket}"
    warehouse.run(f"copy t from '{files}/in/a.csv' iam_role '{ROLE}' csv")
    warehouse.run("insert into s values (1, 3)")
    long = " -- " + "x" * 5000 + "\n"
    warehouse.run(f"update t set b = {long} s.b from s where s.a = t.a")
    warehouse.run(
        "merge into t using s on t.a = s.a when matched then update set b = s.b "
        "when not matched then insert values (s.a, s.b)"
    )
    warehouse.run(f"unload ('select a from t') to '{files}/out/' iam_role '{ROLE}'")
    with pytest.raises(StatementFailedError):
        warehouse.run(f"copy t from '{files}/nothing' iam_role '{ROLE}' csv")
    cluster = f"redshift://{warehouse.cluster}.us-east-1:5439"
    policy = Policy(
        "redshift-query-history",
        cluster_arn=f"arn:aws:redshift:us-east-1:123456789012:cluster:{warehouse.cluster}",
        database_user_arn=f"arn:aws:redshift:us-east-1:123456789012:dbuser:{warehouse.cluster}/awsuser",
        database_arn=f"arn:aws:redshift:us-east-1:123456789012:dbname:{warehouse.cluster}/dev",
    )
    with permission_proxy(local_stack.endpoint_url, policy) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        time.sleep(1.1)
        with monkeypatch.context() as slow:
            # As if each query had not ended yet when the task looks, and had when the trigger does.
            slow.setattr(redshift_lookups, "RUNNING_STATES", {*RUNNING_STATES, "FINISHED"})
            slow.setattr(redshift_lookups, "_FIRST_LOOKS", ())
            counts, deferrals = finish_counting(
                harvester(warehouse, outbox, poll_interval=1), task_context("slow")
            )
    assert deferrals >= 3  # the time, the history, the columns
    assert (proxy.denied, proxy.used) == ([], policy.actions - {"redshift-data:CancelStatement"})
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_stack.endpoint_url)
    assert counts == {"queries": 5, "without_lineage": 0, "stored": 10, "duplicates": 0}

    found = events(outbox)
    assert [problems(event) for event in found] == [[]] * 10
    assert sum(event["eventType"] == "START" for event in found) == 5
    ends = sorted(shown(event) for event in found if event["eventType"] != "START")
    t, s = f"{cluster}/dev.public.t", f"{cluster}/dev.public.s"
    assert ends == sorted(
        [
            ("COMPLETE", [f"{files}/in/a.csv"], [t]),
            ("COMPLETE", [s], [t]),
            ("COMPLETE", [s], [t]),
            ("COMPLETE", [t], [f"{files}/out"]),
            ("FAIL", [f"{files}/nothing"], [t]),
        ]
    )
    (failed,) = (event for event in found if event["eventType"] == "FAIL")
    assert failed["run"]["facets"]["errorMessage"]["message"]
    updates = [event for event in found if ".update." in event["job"]["name"]]
    assert "from s where" in updates[0]["job"]["facets"]["sql"]["query"]

    # A column that is added meanwhile changes the schema in events, not which events there are.
    warehouse.run("alter table t add column c int")
    again = harvest(harvester(warehouse, outbox, deferrable=False, poll_interval=1))
    assert (again["stored"], again["duplicates"]) == (0, 10)
    warehouse.run("delete from t using s where s.a = t.a")
    warehouse.run("insert into s select a, b from t")
    everything = harvest(harvester(warehouse, outbox, every_statement=True))
    assert everything["stored"] == 2 * (1 + 2 + 2)  # the deletion, insertions, new tables
    assert everything["without_lineage"] == 1  # a column alone is no lineage
    silent = harvester(warehouse, LocalOutbox(tmp_path / "silent"), exclude_users="awsuser")
    assert harvest(silent)["queries"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"look_back_hours": 200}, "look_back_hours: 200 is more than the 168"),
        ({"workgroup_name": "w"}, "either cluster_identifier or workgroup_name"),
        ({"every_statement": "perhaps"}, "every_statement"),
        ({"exclude_users": "nobody"}, "exclude_users: there is no user 'nobody'"),
    ],
)
def test_wrong_arguments(warehouse, tmp_path, arguments, message):
    operator = harvester(warehouse, LocalOutbox(tmp_path), **arguments)
    with pytest.raises((AirflowFailException, AirflowException), match=message):
        finish(operator, task_context(str(uuid.uuid4())))
