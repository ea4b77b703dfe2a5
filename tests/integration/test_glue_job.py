"""Glue jobs that the local stack really runs, by the operator and by its DAG.

Most are Python shell jobs, which start at once; what concerns Spark takes one run.
"""

import asyncio
import json
import logging
import os
import threading
import uuid
from datetime import UTC, datetime
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred

from tests.integration.glue_tasks import event_of, task_context, wait_until
from updraft.operators.glue_job import GlueJobRunOperator

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/glue"
GOING_ON = {"STARTING", "RUNNING", "STOPPING"}

# What it does is said by its arguments: wait for an object, fail, write what it was given.
SCRIPT = """
import json, os, sys, time
import boto3

arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
s3 = boto3.client("s3")
bucket = arguments["--bucket"]
print("begun", flush=True)
while "--wait_for" in arguments:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=arguments["--wait_for"])
    if found["KeyCount"]:
        break
    time.sleep(0.1)


def refuse():
    raise ValueError("no such day: " + arguments["--fail"])


if "--fail" in arguments:
    refuse()
s3.put_object(
    Bucket=bucket, Key="done/" + arguments["--JOB_RUN_ID"], Body=json.dumps(arguments)
)
print("done", flush=True)
"""


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, glue, logs = (
        session.client(name, endpoint_url=local_stack.endpoint_url)
        for name in ("s3", "glue", "logs")
    )
    return SimpleNamespace(s3=s3, glue=glue, logs=logs, stack=local_stack)


@pytest.fixture
def job(cloud, local_stack, monkeypatch):
    """A job of its own in a bucket of its own."""
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    name = f"job-{uuid.uuid4()}"
    cloud.s3.create_bucket(Bucket=name)
    cloud.s3.put_object(Bucket=name, Key="script.py", Body=SCRIPT.encode())
    cloud.glue.create_job(Name=name, **_definition(name))
    return name


def _definition(bucket, **others):
    return {
        "Role": ROLE,
        "Command": {
            "Name": "pythonshell",
            "ScriptLocation": f"s3://{bucket}/script.py",
            "PythonVersion": "3.9",
        },
        "DefaultArguments": {"--bucket": bucket},
        "MaxCapacity": 0.0625,
        **others,
    }


def _operator(job, **others):
    arguments = {
        "task_id": "run",
        "job_name": job,
        "aws_conn_id": None,
        "deferrable": False,
        "poll_interval": 1,
        **others,
    }
    return GlueJobRunOperator(**arguments)


def _runs(cloud, job):
    return cloud.glue.get_job_runs(JobName=job)["JobRuns"]


def _results(cloud, job):
    found = cloud.s3.list_objects_v2(Bucket=job, Prefix="done/")
    return [entry["Key"].removeprefix("done/") for entry in found.get("Contents", ())]


def _release(cloud, job):
    cloud.s3.put_object(Bucket=job, Key="go", Body=b"")


def test_a_run_whose_log_is_shown_while_it_grows(cloud, job, caplog):
    caplog.set_level(logging.INFO)
    outcome = []
    operator = _operator(job, script_arguments={"--wait_for": "go", "--day": "2026-11-02"})
    thread = threading.Thread(target=lambda: outcome.append(operator.execute(task_context(job))))
    thread.start()
    wait_until(lambda: "[output] begun" in caplog.text)
    assert "[output] done" not in caplog.text
    _release(cloud, job)
    thread.join(60)

    (run,) = _runs(cloud, job)
    assert outcome[0]["run_id"] == run["Id"]
    assert outcome[0]["state"] == "SUCCEEDED"
    assert [line for line in caplog.messages if line.startswith("[")] == [
        "[output] begun",
        "[output] done",
    ]
    body = cloud.s3.get_object(Bucket=job, Key=f"done/{run['Id']}")["Body"].read()
    assert json.loads(body)["--day"] == "2026-11-02"
    assert "The run uses 3.0 DPU hours at most (0.0625 DPU, 2880 minutes)" in caplog.text
    lineage = operator.get_openlineage_facets_on_complete(None)
    assert lineage.run_facets["externalQuery"].externalQueryId == run["Id"]


def test_a_retry_adopts_and_clearing_runs_anew(cloud, job):
    first = _operator(job).execute(task_context(job))
    # Killed between the end of the run and that of the task.
    again = _operator(job).execute(task_context(job, attempt=2))
    assert again == first
    # As Airflow counts after a user has cleared the task: max_tries = try_number + retries.
    cleared = _operator(job).execute(task_context(job, attempt=3, max_tries=4))
    assert cleared["run_id"] != first["run_id"]
    # A retry of that.
    assert _operator(job).execute(task_context(job, attempt=4, max_tries=4)) == cleared
    # Other arguments, since somebody has mended the DAG.
    mended = _operator(job, script_arguments={"--day": "1"})
    assert mended.execute(task_context(job, attempt=5, max_tries=4))["run_id"] not in {
        first["run_id"],
        cleared["run_id"],
    }
    # The DAG run was deleted and made anew under the same id.
    anew = _operator(job).execute(task_context(job, started=_moment()))
    assert anew["run_id"] not in {first["run_id"], cleared["run_id"]}
    assert len(_results(cloud, job)) == len(_runs(cloud, job)) == 4


def _moment():
    return datetime(2026, 11, 2, tzinfo=UTC)


def test_deferred_adopted_and_stopped(cloud, job):
    operator = _operator(job, deferrable=True, script_arguments={"--wait_for": "go"})
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(task_context(job))
    second = _operator(job, deferrable=True, script_arguments={"--wait_for": "go"})
    with pytest.raises(TaskDeferred) as adopted:
        second.execute(task_context(job, attempt=2))
    (run,) = _runs(cloud, job)
    assert adopted.value.trigger.run_id == deferred.value.trigger.run_id == run["Id"]

    # A user marks the task as failed while it is deferred.
    asyncio.run(adopted.value.trigger.on_kill())
    event = event_of(adopted.value.trigger)
    assert event["status"] == "success"
    (run,) = _runs(cloud, job)
    assert run["JobRunState"] == "STOPPED"
    assert _results(cloud, job) == []

    # The stop was meant for the attempt that began the run; one that had adopted it goes on.
    with pytest.raises(TaskDeferred) as anew:
        second.execute_complete(task_context(job, attempt=2), event)
    _release(cloud, job)
    result = second.execute_complete(task_context(job, attempt=2), event_of(anew.value.trigger))
    assert _results(cloud, job) == [result["run_id"]]


def test_killed_while_it_waits_in_its_slot(cloud, job, caplog):
    caplog.set_level(logging.INFO)
    operator = _operator(job, script_arguments={"--wait_for": "go"})
    outcome = []

    def execute():
        try:
            operator.execute(task_context(job, attempt=2))
        except AirflowException as error:
            outcome.append(str(error))

    thread = threading.Thread(target=execute)
    thread.start()
    wait_until(lambda: " is RUNNING: " in caplog.text)
    operator.on_kill()
    thread.join(60)

    assert "ended as STOPPED" in outcome[0]
    assert [run["JobRunState"] for run in _runs(cloud, job)] == ["STOPPED"]


def test_a_failed_run_is_explained(cloud, job):
    operator = _operator(job, script_arguments={"--fail": "30 February"})
    with pytest.raises(AirflowException) as told:
        operator.execute(task_context(job))
    (run,) = _runs(cloud, job)
    text = str(told.value)
    assert text.startswith(
        f"Run {run['Id']} of the Glue job '{job}' ended as FAILED: "
        "ValueError: no such day: 30 February Its log is at https://console.aws.amazon.com/"
    )
    assert "Traceback (most recent call last)" in text
    assert "in refuse" in text

    result = _operator(job).execute(task_context(job, attempt=2))
    assert _results(cloud, job) == [result["run_id"]]


def test_room_is_waited_for_without_a_slot(cloud, job):
    blocking = cloud.glue.start_job_run(JobName=job, Arguments={"--wait_for": "go"})["JobRunId"]
    operator = _operator(job, deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(task_context(job))
    assert type(deferred.value.trigger).__name__ == "GlueJobCapacityTrigger"
    _release(cloud, job)
    event = event_of(deferred.value.trigger)
    # The waiting continues where it was: there is no run yet.
    assert "run_id" not in event
    with pytest.raises(TaskDeferred) as running:
        _operator(job, deferrable=True).execute_complete(task_context(job), event)
    result = operator.execute_complete(task_context(job), event_of(running.value.trigger))

    assert set(_results(cloud, job)) == {blocking, result["run_id"]}


def test_the_definition_from_code(cloud, job, caplog, tmp_path):
    caplog.set_level(logging.INFO)
    script = tmp_path / "report.py"
    script.write_text(SCRIPT)
    definition = _definition(job, Name=f"code-{job}", Tags={"team": "sales"}, Description="first")
    definition["Command"].pop("ScriptLocation")
    arguments = {
        "job_name": None,
        "script_path": str(script),
        "script_s3_prefix": f"s3://{job}/scripts/",
    }

    def run(number):
        operator = _operator(job, job_definition=definition, **{**arguments, "job_name": None})
        return operator.execute(task_context(f"{job}-{number}"))

    run(1)
    assert f"Created job code-{job}" in caplog.text
    first = cloud.glue.get_job(JobName=f"code-{job}")["Job"]
    assert first["Command"]["ScriptLocation"].startswith(f"s3://{job}/scripts/report-")
    caplog.clear()
    run(2)
    assert f"Job code-{job} is as it should be" in caplog.text
    assert cloud.glue.get_job(JobName=f"code-{job}")["Job"] == first

    caplog.clear()
    script.write_text(SCRIPT + "\nprint('changed')\n")
    del definition["Description"]
    definition["DefaultArguments"]["--day"] = "1"
    run(3)
    changed = cloud.glue.get_job(JobName=f"code-{job}")["Job"]
    assert changed["Command"]["ScriptLocation"] != first["Command"]["ScriptLocation"]
    assert not changed.get("Description")
    assert "[output] changed" in caplog.text
    assert '-  "Description": "first",' in caplog.text
    assert '+    "--day": "***' in caplog.text  # the value may be a secret
    assert '"1"' not in caplog.text
    old = first["Command"]["ScriptLocation"].partition(f"{job}/")[2]
    cloud.s3.head_object(Bucket=job, Key=old)  # a run that goes on may still read it


def test_what_the_user_has_to_mend(cloud, job):
    with pytest.raises(AirflowException, match=r"^There is no Glue job 'missing' in [\w-]+"):
        _operator("missing").execute(task_context(job))
    for arguments, message in (
        ({"bookmark": "enabled"}, "bookmark: 'enabled' is unknown; did you mean 'enable'?"),
        ({"bookmark_from": "jr_1"}, "need each other and bookmark='pause'"),
        ({"number_of_workers": "one", "worker_type": "G.1X"}, "number_of_workers: 'one'"),
        ({"script_arguments": '{"day": "1"}'}, "'day' with a value of type str is no argument"),
        ({"script_arguments": {"--updraft_owner": "me"}}, "is set by the operator"),
        ({"job_definition": {"Role": "r"}}, "'Command' is missing"),
        ({"inputs": "[1"}, "inputs: '\\[1' is no list in JSON"),
    ):
        with pytest.raises(AirflowFailException, match=message.replace("?", r"\?")):
            _operator(job, **arguments).execute(task_context(job))
    assert _runs(cloud, job) == []


def test_on_spark_with_conf_and_bookmark(cloud, job):
    """One run on Spark, which keeps the job's own --conf beside what lineage adds."""
    script = (
        "import sys, json, boto3\n"
        "from pyspark.sql import SparkSession\n"
        "conf = dict(SparkSession.builder.getOrCreate().sparkContext.getConf().getAll())\n"
        f"boto3.client('s3').put_object(Bucket='{job}', Key='conf',"
        " Body=json.dumps([conf, sys.argv]))\n"
    )
    cloud.s3.put_object(Bucket=job, Key="spark.py", Body=script.encode())
    cloud.glue.create_job(
        Name=f"spark-{job}",
        Role=ROLE,
        Command={"Name": "glueetl", "ScriptLocation": f"s3://{job}/spark.py"},
        DefaultArguments={"--conf": "spark.sql.shuffle.partitions=3"},
        GlueVersion="5.0",
        WorkerType="G.1X",
        NumberOfWorkers=2,
    )
    context = task_context(job)
    context["ti"].logical_date = context["ti"].start_date = _moment()
    context["ti"].dag_run = SimpleNamespace(
        run_id=job, logical_date=_moment(), run_after=_moment(), clear_number=0, conf={}
    )
    context["ti"].task = SimpleNamespace(task_id="run", dag_id="d", retries=2)
    context["ti"].get_template_context = lambda: context
    operator = _operator(
        f"spark-{job}",
        bookmark="disable",
        number_of_workers=3,
        worker_type="G.1X",
        openlineage_inject_parent_job_info=True,
        inputs=[f"s3://{job}/script.py"],
    )
    operator.execute(context)

    conf, argv = json.loads(cloud.s3.get_object(Bucket=job, Key="conf")["Body"].read())
    assert conf["spark.sql.shuffle.partitions"] == "3"
    assert conf["spark.openlineage.parentJobName"] == "d.work"
    assert argv[argv.index("--job-bookmark-option") + 1] == "job-bookmark-disable"
    (run,) = _runs(cloud, f"spark-{job}")
    assert run["NumberOfWorkers"] == 3
    assert os.environ["AWS_ENDPOINT_URL"] == cloud.stack.endpoint_url
