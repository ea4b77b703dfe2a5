"""The workflow with a cluster of its own, run from its file with the values of a form."""

import gzip
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

# Triggers run in line, so that no other process is needed.
RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag

bag = DagBag(dag_folder=sys.argv[1])
(dag,) = bag.dags.values()
for task in dag.tasks:
    task.retries = 0
    if hasattr(task, "poll_interval"):
        task.poll_interval = 1
run = dag.test(**json.loads(sys.argv[2]))
print("states:", json.dumps({i.task_id: i.state for i in run.get_task_instances()}))
print("run ended:", run.state)
"""


@pytest.fixture(scope="module")
def cloud(local_stack, tmp_path_factory):
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
    _python(environment, "-m", "airflow", "dags", "reserialize")
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    emr, s3 = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("emr", "s3")
    )
    bucket = f"dags-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    return SimpleNamespace(environment=environment, emr=emr, s3=s3, bucket=bucket)


def _python(environment, *arguments):
    done = subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    return done.stdout


def _run(cloud, **form):
    """Run the DAG; give the states of its tasks, the state of the run and what it said."""
    name = f"dag-{uuid.uuid4()}"
    output = _python(
        cloud.environment,
        "-c",
        RUN,
        str(PROJECT / "dags" / "emr_steps.py"),
        json.dumps({"run_conf": {"name": name, **form}}),
    )
    states = json.loads(output.partition("states: ")[2].splitlines()[0])
    (cluster,) = [
        one for one in cloud.emr.list_clusters()["Clusters"] if one["Name"].startswith(name)
    ]
    return states, output.partition("run ended: ")[2].split()[0], output, cluster


def _log(cloud, cluster, step, name):
    key = f"logs/{cluster['Id']}/steps/{step['Id']}/{name}.gz"
    body = cloud.s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read()
    return gzip.decompress(body).decode()


def test_pi_is_calculated_on_a_cluster_that_is_gone_afterwards(cloud):
    states, ended, output, cluster = _run(cloud, log_uri=f"s3://{cloud.bucket}/logs", spot=True)

    assert states == {"create": "success", "run_steps": "success", "terminate": "success"}
    assert ended == "success", output[-3000:]
    assert "At most 3 instance hours per hour" in output
    (step,) = cloud.emr.list_steps(ClusterId=cluster["Id"])["Steps"]
    assert step["Name"].startswith("calculate_pi [")
    assert step["Status"]["State"] == "COMPLETED"
    assert "Pi is roughly 3.1" in _log(cloud, cluster, step, "stdout")
    waiter = cloud.emr.get_waiter("cluster_terminated")
    waiter.wait(ClusterId=cluster["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def test_a_failing_step_fails_the_run_and_ends_the_cluster(cloud):
    steps = [
        {
            "Name": "fails",
            "HadoopJarStep": {
                "Jar": "command-runner.jar",
                "Args": ["bash", "-c", "echo 'ValueError: no such day' >&2; exit 1"],
            },
        }
    ]
    states, ended, output, cluster = _run(
        cloud,
        steps=steps,
        log_uri=f"s3://{cloud.bucket}/logs",
        core_instance_count=0,
    )

    assert states == {"create": "success", "run_steps": "failed", "terminate": "success"}
    assert ended == "failed"
    assert "ended as FAILED" in output
    assert "ValueError: no such day" in output
    waiter = cloud.emr.get_waiter("cluster_terminated")
    waiter.wait(ClusterId=cluster["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
