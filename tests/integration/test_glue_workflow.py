"""Workflows and data quality rules that the local stack really carries out."""

import asyncio
import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, TaskDeferred

from tests.integration.glue_tasks import event_of, finish, task_context
from updraft.operators.glue_data_quality import GlueDataQualityRulesetRunOperator
from updraft.operators.glue_workflow import GlueWorkflowRunOperator

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/glue"
SCRIPT = """
import sys, time, boto3
from urllib.parse import urlsplit
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
s3, glue = boto3.client("s3"), boto3.client("glue")
name = arguments["--bucket"]
properties = glue.get_workflow_run_properties(
    Name=arguments["--WORKFLOW_NAME"], RunId=arguments["--WORKFLOW_RUN_ID"])["RunProperties"]
while "Contents" in s3.list_objects_v2(Bucket=name, Prefix="hold"):
    time.sleep(0.1)
if properties["day"] == "bad":
    raise ValueError("no such day")
s3.put_object(Bucket=name, Key="data/days/" + arguments["--JOB_RUN_ID"] + ".csv",
    Body=("day,n\\n" + properties["day"] + ",1\\n").encode())
"""


@pytest.fixture
def cloud(local_stack, monkeypatch):
    """A workflow of a job and, after it, a crawler."""
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    s3, glue = (
        boto3.client(
            name,
            endpoint_url=local_stack.endpoint_url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
            region_name="us-east-1",
        )
        for name in ("s3", "glue")
    )
    name = f"flow-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="script.py", Body=SCRIPT.encode())
    glue.create_database(DatabaseInput={"Name": name})
    target = {"S3Targets": [{"Path": f"s3://{name}/data/"}]}
    glue.create_crawler(Name=name, Role=ROLE, DatabaseName=name, Targets=target)
    glue.create_job(
        Name=name,
        Role=ROLE,
        Command={"Name": "pythonshell", "ScriptLocation": f"s3://{name}/script.py"},
        DefaultArguments={"--bucket": name},
    )
    glue.create_workflow(Name=name, MaxConcurrentRuns=1)
    glue.create_trigger(
        Name=f"start-{name}", WorkflowName=name, Type="ON_DEMAND", Actions=[{"JobName": name}]
    )
    condition = {"LogicalOperator": "EQUALS", "JobName": name, "State": "SUCCEEDED"}
    glue.create_trigger(
        Name=f"then-{name}",
        WorkflowName=name,
        Type="CONDITIONAL",
        StartOnCreation=True,
        Predicate={"Logical": "AND", "Conditions": [condition]},
        Actions=[{"CrawlerName": name}],
    )
    return SimpleNamespace(s3=s3, glue=glue, name=name)


def _workflow(cloud, day="2026-11-02", **others):
    arguments = {"workflow_name": cloud.name, "run_properties": {"day": day}, **others}
    return GlueWorkflowRunOperator(task_id="work", aws_conn_id=None, poll_interval=1, **arguments)


def _quality(cloud, *rulesets, **others):
    arguments = {"database_name": cloud.name, "table_name": "t", "role": ROLE, **others}
    return GlueDataQualityRulesetRunOperator(
        task_id="work",
        aws_conn_id=None,
        poll_interval=1,
        ruleset_names=[f"{name}-{cloud.name}" for name in rulesets],
        **arguments,
    )


def _runs(cloud):
    return cloud.glue.get_workflow_runs(Name=cloud.name)["Runs"]


def test_a_workflow_runs_its_job_and_then_its_crawler(cloud):
    result = finish(_workflow(cloud), task_context(cloud.name))

    assert result["statistics"]["SucceededActions"] == 2
    (table,) = cloud.glue.get_tables(DatabaseName=cloud.name)["TableList"]
    assert table["Name"] == "days"
    # Killed after the end: the retry runs nothing again; after a clear all runs anew.
    assert finish(_workflow(cloud), task_context(cloud.name, attempt=2)) == result
    assert len(_runs(cloud)) == 1
    again = finish(_workflow(cloud), task_context(cloud.name, attempt=3, max_tries=4))
    assert again["run_id"] != result["run_id"]
    assert len(cloud.glue.get_job_runs(JobName=cloud.name)["JobRuns"]) == 2


@pytest.mark.thorough
def test_a_workflow_is_adopted_stopped_and_waits_for_room(cloud):
    cloud.s3.put_object(Bucket=cloud.name, Key="hold", Body=b"")
    with pytest.raises(TaskDeferred) as deferred:
        _workflow(cloud).execute(task_context(cloud.name))
    with pytest.raises(TaskDeferred) as adopted:
        _workflow(cloud).execute(task_context(cloud.name, attempt=2))
    assert adopted.value.trigger.run_id == deferred.value.trigger.run_id
    other = task_context(cloud.name, task_id="other")
    with pytest.raises(TaskDeferred) as waiting:
        _workflow(cloud).execute(other)
    assert waiting.value.trigger.run_id == ""

    asyncio.run(adopted.value.trigger.on_kill())
    with pytest.raises(AirflowException, match=rf"STOPPED: job {cloud.name} is STOPPED"):
        _workflow(cloud).execute_complete(
            task_context(cloud.name), event_of(deferred.value.trigger)
        )
    cloud.s3.delete_object(Bucket=cloud.name, Key="hold")
    assert finish(_workflow(cloud), other)["state"] == "COMPLETED"
    assert len(_runs(cloud)) == 2


def test_a_job_that_fails_in_a_workflow_fails_the_task(cloud):
    with pytest.raises(AirflowException, match="is FAILED: ValueError: no such day"):
        finish(_workflow(cloud, day="bad"), task_context(cloud.name))
    result = finish(_workflow(cloud), task_context(cloud.name, attempt=2))
    assert result["state"] == "COMPLETED"


def _table(cloud, body):
    cloud.s3.put_object(Bucket=cloud.name, Key="t/a.csv", Body=body)
    columns = [{"Name": "id", "Type": "bigint"}, {"Name": "city", "Type": "string"}]
    cloud.glue.create_table(
        DatabaseName=cloud.name,
        TableInput={
            "Name": "t",
            "Parameters": {"classification": "csv"},
            "StorageDescriptor": {"Columns": columns, "Location": f"s3://{cloud.name}/t"},
        },
    )


def _ruleset(cloud, name, rules):
    cloud.glue.create_data_quality_ruleset(
        Name=f"{name}-{cloud.name}", Ruleset=f"Rules = [{rules}]"
    )


def test_rules_that_hold_and_rules_that_do_not(cloud):
    _table(cloud, b"1,Ulm\n2,\n2,Bonn\n")
    _ruleset(
        cloud,
        "good",
        'RowCount between 2 and 4, IsComplete "id", Completeness "city" > 0.6,\n'
        'ColumnValues "id" in [1, 2], # with a comment\n ColumnValues "id" <= 2, RowCount = 3',
    )
    _ruleset(cloud, "bad", 'IsUnique "id", IsComplete "city", IsComplete "town", RowCount > 1')
    _ruleset(cloud, "unknown", 'RowCount > 1, Mean "id" > 1')

    result = finish(_quality(cloud, "good"), task_context(cloud.name))
    assert (result["score"], result["passed"], result["failed"]) == (1.0, 6, 0)
    assert finish(_quality(cloud, "good"), task_context(cloud.name, attempt=2)) == result
    cleared = finish(_quality(cloud, "good"), task_context(cloud.name, attempt=3, max_tries=4))
    assert cleared["run_id"] != result["run_id"]

    other = task_context(cloud.name, task_id="other")
    with pytest.raises(AirflowException) as told:
        finish(_quality(cloud, "good", "bad"), other)
    assert str(told.value) == (
        f'3 of 10 rules do not hold for {cloud.name}.t: IsUnique "id": FAIL, 3 values of id are '
        '2 different ones; IsComplete "city": FAIL, 1 of 3 values of city are missing; '
        'IsComplete "town": ERROR, There is no column \'Field "town" does not exist in schema\''
    )
    lenient = _quality(cloud, "good", "bad", fail_on_failed_rules=False)
    result = finish(lenient, other)
    assert (result["score"], result["passed"], result["failed"]) == (0.25, 7, 3)
    (table,) = lenient.get_openlineage_facets_on_complete(None).inputs
    assert table.name == f"table/{cloud.name}/t"
    other["ti"].task_id = "third"
    with pytest.raises(AirflowException, match="does not evaluate Mean"):
        finish(_quality(cloud, "unknown"), other)


def test_an_evaluation_is_adopted_cancelled_and_begun_anew(cloud):
    _table(cloud, b"1,Ulm\n")
    _ruleset(cloud, "good", "RowCount > 0")
    cloud.s3.put_object(Bucket=cloud.name, Key="t/_hold", Body=b"")
    with pytest.raises(TaskDeferred) as deferred:
        _quality(cloud, "good").execute(task_context(cloud.name))
    with pytest.raises(TaskDeferred) as adopted:
        _quality(cloud, "good").execute(task_context(cloud.name, attempt=2))
    run_id = adopted.value.trigger.evaluation_run_id
    assert deferred.value.trigger.evaluation_run_id == run_id
    asyncio.run(adopted.value.trigger.on_kill())
    with pytest.raises(AirflowException, match=f"{run_id}.* ended as STOPPED"):
        _quality(cloud, "good").execute_complete(
            task_context(cloud.name), event_of(adopted.value.trigger)
        )
    cloud.s3.delete_object(Bucket=cloud.name, Key="t/_hold")
    result = finish(_quality(cloud, "good"), task_context(cloud.name, attempt=3))
    assert result["run_id"] != run_id
