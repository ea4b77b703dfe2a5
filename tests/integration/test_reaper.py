"""Resources whose run has ended or vanished are found and ended, others are left alone."""

import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowFailException

from include.local.airflow import NAMESPACE
from tests.integration.container_places import ContainerPlaces
from tests.integration.glue_tasks import wait_until
from updraft.hooks.owned_glue_resources import owner_arguments
from updraft.operators.reaper import ReapOrphansOperator
from updraft.resource_owner import KEEP_TAG, ResourceOwner

pytestmark = pytest.mark.integration

SCRIPT = "import time\ntime.sleep(600)\n"
ENVIRONMENT = NAMESPACE  # of the Airflow that the tests run
ENDED = {"STOPPING", "STOPPED"}


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, glue, emr = (
        session.client(name, endpoint_url=local_stack.endpoint_url)
        for name in ("s3", "glue", "emr")
    )
    bucket, job = f"reaper-{uuid.uuid4()}", f"sleep-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="sleep.py", Body=SCRIPT.encode())
    glue.create_job(
        Name=job,
        Role="arn:aws:iam::123456789012:role/glue",
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{bucket}/sleep.py"},
        ExecutionProperty={"MaxConcurrentRuns": 10},
        GlueVersion="5.0",
    )
    glue.create_workflow(Name=job)
    glue.create_trigger(Name=job, WorkflowName=job, Type="ON_DEMAND", Actions=[{"JobName": job}])
    places = ContainerPlaces(local_stack.endpoint_url)
    yield SimpleNamespace(glue=glue, emr=emr, job=job, places=places)
    for run in glue.get_workflow_runs(Name=job)["Runs"]:
        if run["Status"] == "RUNNING":
            glue.stop_workflow_run(Name=job, RunId=run["WorkflowRunId"])
    runs = glue.get_job_runs(JobName=job)["JobRuns"]
    glue.batch_stop_job_run(JobName=job, JobRunIds=[run["Id"] for run in runs])
    clusters = emr.list_clusters(ClusterStates=["STARTING", "RUNNING", "WAITING"])["Clusters"]
    mine = [cluster["Id"] for cluster in clusters if cluster["Name"] == "reaped"]
    emr.terminate_job_flows(JobFlowIds=mine)
    places.end_all()


def _run_job(cloud, owner, **changed):
    arguments = {**owner_arguments(owner), **changed}
    return cloud.glue.start_job_run(JobName=cloud.job, Arguments=arguments)["JobRunId"]


def _run_workflow(cloud, owner):
    """Run a workflow of the job."""
    return cloud.glue.start_workflow_run(Name=cloud.job, RunProperties=owner.tags())["RunId"]


def _start_cluster(cloud, owner, **more):
    return cloud.emr.run_job_flow(
        Name="reaped",
        ReleaseLabel="emr-7.12.0",
        Instances={
            "MasterInstanceType": "m5.xlarge",
            "InstanceCount": 1,
            "KeepJobFlowAliveWhenNoSteps": True,
        },
        JobFlowRole="EMR_EC2_DefaultRole",
        ServiceRole="EMR_DefaultRole",
        Tags=[{"Key": key, "Value": value} for key, value in {**owner.tags(), **more}.items()],
    )["JobFlowId"]


def _start_containers(cloud, owner):
    """Run a task of ECS and a job of AWS Batch."""
    tags = owner.tags()
    pairs = [{"key": key, "value": value} for key, value in tags.items()]
    task = cloud.places.run("sleep 600", tags=pairs)["taskArn"]
    return [task, cloud.places.submit("sleep 600", tags=tags)]


def _live_containers(cloud):
    return {*cloud.places.live("ecs"), *cloud.places.live("batch")}


def _states(cloud, runs):
    return [
        cloud.glue.get_job_run(JobName=cloud.job, RunId=run)["JobRun"]["JobRunState"]
        for run in runs
    ]


def _workflow_states(cloud, runs):
    return [cloud.glue.get_workflow_run(Name=cloud.job, RunId=run)["Run"]["Status"] for run in runs]


def test_orphans_are_ended_and_others_are_not(cloud, dag_runs):
    form = {
        "services": ["batch", "ecs", "emr", "emr-containers", "emr-serverless", "glue"],
        "minutes": 0,
    }
    ended = dag_runs.run("reap_orphans", form).run_id
    # Its DAG is paused.
    waiting = dag_runs.trigger("dynamodb_incremental_export", {})
    of_ended, of_waiting, of_gone, of_others = (
        ResourceOwner(environment, dag_id, run_id, "load")
        for environment, dag_id, run_id in (
            (ENVIRONMENT, "reap_orphans", ended),
            (ENVIRONMENT, "dynamodb_incremental_export", waiting.run_id),
            (ENVIRONMENT, "reap_orphans", "gone"),
            ("another", "reap_orphans", "gone"),
        )
    )
    orphans = [_run_job(cloud, of_ended), _run_job(cloud, of_gone)]
    others = [_run_job(cloud, of_waiting), _run_job(cloud, of_others)]
    strange = _run_job(cloud, of_gone, **{"--updraft_dag_id": "renamed"})
    workflows = [_run_workflow(cloud, owner) for owner in (of_gone, of_waiting, of_others)]
    clusters = [_start_cluster(cloud, owner) for owner in (of_gone, of_waiting, of_others)]
    clusters.append(_start_cluster(cloud, of_gone, **{KEEP_TAG: "true"}))
    containers = [_start_containers(cloud, owner) for owner in (of_gone, of_waiting, of_others)]

    looked = dag_runs.run("reap_orphans", form)

    assert looked.state == "success"
    assert not set(_states(cloud, orphans)) & ENDED
    assert set(_workflow_states(cloud, workflows)) == {"RUNNING"}
    assert "0 ended, 6 orphans left (dry run), 1 without owner, 1 kept" in looked.output

    young = {**form, "minutes": 60, "dry_run": False}
    kept = dag_runs.run("reap_orphans", young)
    assert "0 ended, 0 orphans left, 0 without owner" in kept.output

    reaped = dag_runs.run("reap_orphans", {**form, "dry_run": False})

    assert reaped.state == "success", reaped.output[-5000:]
    assert "6 ended, 0 orphans left, 1 without owner, 1 kept" in reaped.output
    assert f"Ended Glue job run {orphans[0]}" in reaped.output
    assert f"Ended Glue workflow run {workflows[0]}" in reaped.output
    states = _workflow_states(cloud, workflows)
    assert [state in ENDED for state in states] == [True, False, False]
    assert f"run {ended} of DAG reap_orphans; that run ended as success" in reaped.output
    assert "run gone of DAG reap_orphans; that run is gone" in reaped.output
    assert set(_states(cloud, orphans)) <= ENDED
    assert not set(_states(cloud, [*others, strange])) & ENDED
    states = [
        cloud.emr.describe_cluster(ClusterId=cluster)["Cluster"]["Status"]["State"]
        for cluster in clusters
    ]
    assert [state.startswith("TERMINAT") for state in states] == [True, False, False, False]
    wait_until(lambda: _live_containers(cloud) == {*containers[1], *containers[2]})
    assert cloud.places.task(containers[0][0])["stopCode"] == "UserInitiated"
    assert f"Kept, as its teardown was told: EMR cluster {clusters[3]}" in reaped.output


def test_nameless_environment_ends_nothing(monkeypatch):
    monkeypatch.delenv("AIRFLOW__UPDRAFT__ENVIRONMENT", raising=False)
    monkeypatch.delenv("AIRFLOW_ENV_NAME", raising=False)
    operator = ReapOrphansOperator(task_id="reap", report_only=False)
    with pytest.raises(AirflowFailException, match="This environment has no name"):
        operator.execute({})
