"""The workflow with a cluster of its own, run by a real Airflow with the values of a form."""

import gzip
import uuid
from types import SimpleNamespace

import boto3
import pytest

from include.local.layout import PROJECT

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def cloud(local_stack, dag_runs):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    emr, s3 = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("emr", "s3")
    )
    bucket = f"dags-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    return SimpleNamespace(runs=dag_runs, emr=emr, s3=s3, bucket=bucket)


def _cluster(cloud, name):
    (cluster,) = [
        one for one in cloud.emr.list_clusters()["Clusters"] if one["Name"].startswith(name)
    ]
    return cluster


def _log(cloud, cluster, step, name):
    key = f"logs/{cluster['Id']}/steps/{step['Id']}/{name}.gz"
    body = cloud.s3.get_object(Bucket=cloud.bucket, Key=key)["Body"].read()
    return gzip.decompress(body).decode()


def test_pi_is_calculated_on_a_cluster_that_is_gone_afterwards(cloud):
    name = f"dag-{uuid.uuid4()}"
    form = {"name": name, "log_uri": f"s3://{cloud.bucket}/logs", "spot": True}
    run = cloud.runs.run("emr_steps", form)

    assert run.state == "success", run.output[-3000:]
    assert run.states == {"create": "success", "run_steps": "success", "terminate": "success"}
    assert "At most 3 instance hours per hour" in run.output
    cluster = _cluster(cloud, name)
    (step,) = cloud.emr.list_steps(ClusterId=cluster["Id"])["Steps"]
    assert step["Name"].startswith("calculate_pi [")
    assert step["Status"]["State"] == "COMPLETED"
    assert "Pi is roughly 3.1" in _log(cloud, cluster, step, "stdout")
    waiter = cloud.emr.get_waiter("cluster_terminated")
    waiter.wait(ClusterId=cluster["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})


def _failing_form(cloud, name):
    steps = [
        {
            "Name": "fails",
            "HadoopJarStep": {
                "Jar": "command-runner.jar",
                "Args": ["bash", "-c", "echo 'ValueError: no such day' >&2; exit 1"],
            },
        }
    ]
    return {
        "name": name,
        "steps": steps,
        "log_uri": f"s3://{cloud.bucket}/logs",
        "core_instance_count": 0,
    }


@pytest.fixture
def impatient(cloud):
    """The same DAG, but that its one retry comes at once."""
    dag_id = f"emr_steps_impatient_{uuid.uuid4().hex}"
    source = (PROJECT / "dags" / "emr_steps.py").read_text()
    for old, new in (
        ('dag_id="emr_steps"', f'dag_id="{dag_id}"'),
        ('"retries": 2', '"retries": 1'),
        ('"retry_delay": timedelta(minutes=1)', '"retry_delay": timedelta(seconds=1)'),
    ):
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    path = cloud.runs.airflow.state.dags / f"{dag_id}.py"
    path.write_text(source)
    yield dag_id
    path.unlink()


def test_a_failing_step_fails_the_run_and_ends_the_cluster(cloud, impatient):
    name = f"dag-{uuid.uuid4()}"
    run = cloud.runs.run(impatient, _failing_form(cloud, name))

    assert run.state == "failed", run.output[-3000:]
    assert run.states == {"create": "success", "run_steps": "failed", "terminate": "success"}
    assert "ended as FAILED" in run.output
    assert "ValueError: no such day" in run.output
    cluster = _cluster(cloud, name)
    steps = cloud.emr.list_steps(ClusterId=cluster["Id"])["Steps"]
    assert [step["Status"]["State"] for step in steps] == ["FAILED", "FAILED"]  # one per attempt
    waiter = cloud.emr.get_waiter("cluster_terminated")
    waiter.wait(ClusterId=cluster["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})


@pytest.mark.thorough
def test_a_run_that_is_marked_as_failed_ends_its_cluster(cloud):
    name = f"dag-{uuid.uuid4()}"
    run = cloud.runs.run_until_failure("emr_steps", _failing_form(cloud, name), "run_steps")

    # What would have been tried again is skipped, and the teardown runs. Airflow then takes the
    # state of the run from that of run_steps, and skipped is no failure to it.
    assert run.states == {"create": "success", "run_steps": "skipped", "terminate": "success"}
    assert "ended as FAILED" in run.output
    cluster = _cluster(cloud, name)
    waiter = cloud.emr.get_waiter("cluster_terminated")
    waiter.wait(ClusterId=cluster["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 30})
