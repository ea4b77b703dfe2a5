"""The workflows of Glue, run from their files by a real Airflow with the values of a form."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]
ROLE = "arn:aws:iam::123456789012:role/glue"
SCRIPT = """
import sys, boto3
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
boto3.client("s3").put_object(
    Bucket=arguments["--bucket"], Key="done/" + arguments["--JOB_RUN_ID"], Body=b""
)
"""

# Triggers run in line, so that no other process is needed. After the run, what Airflow does when a
# task is tried again and when a user clears it.
RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.models.taskinstance import clear_task_instances
from airflow.sdk.definitions.dag import _run_task
from airflow.utils.session import create_session

bag = DagBag(dag_folder=sys.argv[1])
(dag,) = bag.dags.values()
run = dag.test(run_conf=json.loads(sys.argv[2]))
print("states:", json.dumps({f"{i.task_id}{i.map_index}": i.state
    for i in run.get_task_instances()}))
for step in sys.argv[3:]:
    with create_session() as session:
        (ti,) = run.get_task_instances(session=session)
        if step == "clear":
            clear_task_instances([ti], session)
        ti.state = None
        ti.try_number += 1
        session.commit()
        numbers = [ti.try_number, ti.max_tries]
    _run_task(ti=ti, task=dag.get_task(ti.task_id), run_triggerer=True)
    with create_session() as session:
        (ti,) = run.get_task_instances(session=session)
        print(f"{step}:", json.dumps([*numbers, ti.state]))
"""


@pytest.fixture(scope="module")
def cloud(local_stack, dag_runs, tmp_path_factory):
    home = tmp_path_factory.mktemp("airflow")
    environment = {
        **os.environ,
        **local_stack.environment,
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__CORE__DAGS_FOLDER": str(PROJECT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PROJECT / "plugins"),
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
        "PYTHONPATH": str(PROJECT / "plugins"),
    }
    _python(environment, "-m", "airflow", "db", "migrate")
    s3, glue = (
        boto3.client(
            name,
            endpoint_url=local_stack.endpoint_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        for name in ("s3", "glue")
    )
    name = f"dags-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="script.py", Body=SCRIPT.encode())
    glue.create_database(DatabaseInput={"Name": name})
    return SimpleNamespace(runs=dag_runs, environment=environment, s3=s3, glue=glue, name=name)


def _python(environment, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def _run(cloud, name, conf, *steps):
    """Run a DAG; give the states of its tasks, and what came of each further step."""
    file = PROJECT / "dags" / f"{name}.py"
    output = _python(cloud.environment, "-c", RUN, str(file), json.dumps(conf), *steps)

    def told(word):
        return [
            json.loads(line.removeprefix(f"{word}: "))
            for line in output.splitlines()
            if line.startswith(f"{word}: ")
        ]

    assert told("states"), output[-5000:]
    return SimpleNamespace(states=told("states")[0], **{step: told(step) for step in steps})


def test_a_job_by_its_form(cloud):
    form = _form(cloud)
    run = cloud.runs.run("glue_job", form)

    assert run.state == "success", run.output[-3000:]
    (found,) = cloud.glue.get_job_runs(JobName=form["job_name"])["JobRuns"]
    assert found["Arguments"]["--note"] == "a <b> & 'c'"
    key = f"done/{found['Id']}"
    assert cloud.s3.list_objects_v2(Bucket=cloud.name, Prefix=key)["KeyCount"] == 1


@pytest.mark.thorough
def test_a_retry_adopts_the_run_and_a_cleared_task_begins_another(cloud):
    form = _form(cloud)
    outcome = _run(cloud, "glue_job", form, "retry", "clear")

    assert outcome.states == {"run-1": "success"}
    # The numbers of Airflow that the operator tells a retry from a clear by.
    assert outcome.retry == [[2, 2, "success"]]
    assert outcome.clear == [[3, 4, "success"]]
    runs = cloud.glue.get_job_runs(JobName=form["job_name"])["JobRuns"]
    assert [run["Arguments"]["--updraft_attempt"] for run in runs] == ["3", "1"]


def _form(cloud):
    definition = {
        "Role": ROLE,
        "Command": {
            "Name": "pythonshell",
            "ScriptLocation": f"s3://{cloud.name}/script.py",
            "PythonVersion": "3.9",
        },
        "MaxCapacity": 0.0625,
    }
    return {
        "job_name": f"job-{uuid.uuid4()}",
        "job_definition": definition,
        "script_arguments": {"--bucket": cloud.name, "--note": "a <b> & 'c'"},
    }


def test_statistics_by_form(cloud):
    for table in ("orders", "other"):
        cloud.s3.put_object(Bucket=cloud.name, Key=f"{table}/a.csv", Body=b"1\n2\n")
        storage = {
            "Columns": [{"Name": "n", "Type": "bigint"}],
            "Location": f"s3://{cloud.name}/{table}",
        }
        cloud.glue.create_table(
            DatabaseName=cloud.name,
            TableInput={
                "Name": table,
                "Parameters": {"classification": "csv"},
                "StorageDescriptor": storage,
            },
        )
    form = {"databases": [cloud.name], "role": ROLE, "table_pattern": "ord*"}
    run = cloud.runs.run("iceberg_column_statistics", form)

    assert run.states == {"databases": "success", "statistics[0]": "success"}, run.output[-3000:]
    answer = cloud.glue.get_column_statistics_for_table(
        DatabaseName=cloud.name, TableName="orders", ColumnNames=["n"]
    )
    (found,) = answer["ColumnStatisticsList"]
    assert found["StatisticsData"]["LongColumnStatisticsData"]["MaximumValue"] == 2
    runs = cloud.glue.get_column_statistics_task_runs(DatabaseName=cloud.name, TableName="other")
    assert runs["ColumnStatisticsTaskRuns"] == []


def test_statistics_without_anything_to_do(cloud):
    run = cloud.runs.run("iceberg_column_statistics", {})
    assert run.states == {"databases": "success", "statistics": "skipped"}
