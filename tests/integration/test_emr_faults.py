"""What AWS does to clusters, steps and job runs: throttling, errors, lost answers, limits.

Each ends well, or in one error that says what happened. Limits are waited for without a slot.
"""

import asyncio
import json
import re
import time
import urllib.request
import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred

from include.local.fault_proxy import fault_proxy
from tests.integration.fault_pairs import some_pairs
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrServerlessJobOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)

pytestmark = pytest.mark.integration

LIVE = ["STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING"]
ROLE = "arn:aws:iam::123456789012:role/emr"
THROTTLING = {"code": "ThrottlingException", "message": "Rate exceeded"}
SERVER_ERROR = {"code": "InternalServerException", "status": 500, "message": "Out of order"}
LOST = {"response": {"abort_frac": 0.5}}


@pytest.fixture(scope="module")
def faults(local_stack, tmp_path_factory):
    with fault_proxy(local_stack.endpoint_url, tmp_path_factory.mktemp("faults")) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session("local", "local", region_name="us-east-1")
    emr, serverless, s3 = (
        session.client(name, endpoint_url=local_stack.endpoint_url)
        for name in ("emr", "emr-serverless", "s3")
    )
    bucket = f"faults-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="wait.py", Body=b"import time\ntime.sleep(600)\n")
    s3.put_object(Bucket=bucket, Key="quick.py", Body=b"print('done')\n")

    def failures(method, **rule):
        url, body = f"{local_stack.endpoint_url}/_local/emr/failures", json.dumps(rule).encode()
        urllib.request.urlopen(urllib.request.Request(url, body, method=method)).close()

    def fail_clusters(name, code, message):
        failures("PUT", name=name, code=code, message=message)

    def mend_clusters(name):
        failures("DELETE", name=name)

    return SimpleNamespace(
        emr=emr,
        serverless=serverless,
        s3=s3,
        bucket=bucket,
        fail_clusters=fail_clusters,
        mend_clusters=mend_clusters,
    )


def _make_context(run_id):
    def context(task_id, attempt=1):
        instance = SimpleNamespace(
            dag_id="d",
            run_id=run_id,
            task_id=task_id,
            map_index=-1,
            try_number=attempt,
            max_tries=2,
            xcom_push=lambda **_: None,
        )
        return {"ti": instance, "dag_run": SimpleNamespace(start_date=None)}

    return context


@pytest.fixture
def run(cloud, faults, local_stack, monkeypatch):
    """A run of a DAG whose calls go through the proxy; it pauses shortly where it waits for EMR."""
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", faults.endpoint_url)
    monkeypatch.setattr("updraft.operators.emr_clusters._PAUSE", 0.2)
    monkeypatch.setattr("updraft.operators.emr_step_runs._PAUSE", 0.2)
    for module in ("emr_cluster", "emr_job_runs"):
        monkeypatch.setattr(f"updraft.operators.{module}._LIMIT_PAUSE", 0.5)
    monkeypatch.setattr("updraft.operators.emr_steps._ROOM_PAUSE", 0.5)
    run_id = f"run-{uuid.uuid4()}"
    yield SimpleNamespace(context=_make_context(run_id), name=f"faults-{run_id}", faults=faults)
    faults.set_rules([])
    assert _live(cloud, f"faults-{run_id}") == []


@pytest.fixture
def cluster(cloud, run):
    """A cluster that is ended after the test."""
    cluster_id = _create(cloud, run).execute(run.context("create"))
    yield cluster_id
    cloud.emr.terminate_job_flows(JobFlowIds=[cluster_id])


def _create(cloud, run, *, deferrable=False, market="ON_DEMAND"):
    group = {
        "InstanceRole": "MASTER",
        "InstanceType": "m5.xlarge",
        "InstanceCount": 1,
        "Market": market,
    }
    return EmrClusterOperator(
        task_id="create",
        cluster={
            "Name": run.name,
            "ReleaseLabel": "emr-7.9.0",
            "LogUri": f"s3://{cloud.bucket}/logs/",
            "Instances": {"InstanceGroups": [group]},
            "JobFlowRole": "EMR_EC2_DefaultRole",
            "ServiceRole": "EMR_DefaultRole",
        },
        aws_conn_id=None,
        poll_interval=1,
        deferrable=deferrable,
    )


def _end(run, cluster_id):
    return EmrTerminateClusterOperator(
        task_id="end",
        cluster_id=cluster_id,
        setup_task_id="create",
        aws_conn_id=None,
        poll_interval=1,
    ).execute(run.context("end"))


def _steps(cluster_id, *scripts, deferrable=False, **others):
    steps = [
        {
            "Name": f"step {number}",
            "ActionOnFailure": "CANCEL_AND_WAIT",
            "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", script]},
        }
        for number, script in enumerate(scripts)
    ]
    return EmrStepsOperator(
        task_id="run",
        cluster_id=cluster_id,
        steps=steps,
        aws_conn_id=None,
        poll_interval=1,
        deferrable=deferrable,
        **others,
    )


def _job(cloud, application, script, **others):
    return EmrServerlessJobOperator(
        task_id="job",
        application_id=application,
        execution_role_arn=ROLE,
        job_driver={"sparkSubmit": {"entryPoint": f"s3://{cloud.bucket}/{script}"}},
        configuration_overrides={
            "monitoringConfiguration": {
                "s3MonitoringConfiguration": {"logUri": f"s3://{cloud.bucket}/logs"}
            }
        },
        aws_conn_id=None,
        poll_interval=1,
        **others,
    )


@pytest.fixture(scope="module")
def application(cloud):
    return cloud.serverless.create_application(
        name="faults", releaseLabel="emr-7.5.0", type="SPARK", clientToken=str(uuid.uuid4())
    )["applicationId"]


@pytest.fixture(scope="module", autouse=True)
def overdue(cloud, application, local_stack):
    """A job that exceeds a minute, the shortest timeout that there is, while other tests run."""
    context = _make_context(f"run-{uuid.uuid4()}")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_stack.environment.items():
            patch.setenv(name, value)
        config = {"executionTimeoutMinutes": 1}
        operator = _job(cloud, application, "wait.py", deferrable=True, config=config)
        with pytest.raises(TaskDeferred) as deferred:
            operator.execute(context("job"))
    return lambda: _resume(operator, context("job"), deferred.value.trigger)


def _event(trigger):
    """Do what the triggerer does: store the trigger, load it elsewhere, run it."""
    _, arguments = json.loads(json.dumps(trigger.serialize()))

    async def events():
        return [event.payload async for event in type(trigger)(**arguments).run()]

    (event,) = asyncio.run(asyncio.wait_for(events(), 120))
    return event


def _finish(operator, context):
    """Run a deferrable task to its end; give its result and its triggers."""
    try:
        return operator.execute(context), []
    except TaskDeferred as deferred:
        first = deferred.trigger
    result, more = _resume(operator, context, first)
    return result, [first, *more]


def _resume(operator, context, trigger):
    """Run a task that was deferred to its end; give its result and the triggers after this one."""
    more = []
    while True:
        try:
            return operator.execute_complete(context, _event(trigger)), more
        except TaskDeferred as deferred:
            trigger = deferred.trigger
            more.append(trigger)


def _all(cloud, name):
    pages = cloud.emr.get_paginator("list_clusters").paginate()
    return [one for page in pages for one in page["Clusters"] if one["Name"].startswith(name)]


def _live(cloud, name):
    return [one["Id"] for one in _all(cloud, name) if one["Status"]["State"] in LIVE]


def _operations(faults):
    return [event["operation"] for event in faults.fired()]


def _is_one_line(error):
    text = str(error.value)
    assert "\n" not in text
    return text


STARTING_CALLS = ("RunJobFlow", "AddJobFlowSteps")


FAULTS = {
    "throttled": {"error": THROTTLING},
    "server-error": {"error": SERVER_ERROR},
    "reset": {"reset": True},
    "answer-lost": LOST,
}


@pytest.mark.parametrize(("operation", "fault"), some_pairs(STARTING_CALLS, FAULTS))
def test_a_call_that_starts_something_has_its_effect_once(cloud, run, tmp_path, operation, fault):
    effects = tmp_path / "effects"
    run.faults.set_rules([{"service": "emr", "operation": operation, "times": 1, **FAULTS[fault]}])

    cluster_id = _create(cloud, run).execute(run.context("create"))
    _steps(cluster_id, f"echo one >> {effects}").execute(run.context("run"))
    assert _end(run, cluster_id) == [cluster_id]

    assert operation in _operations(run.faults)
    assert len(_all(cloud, run.name)) == 1
    assert len(cloud.emr.list_steps(ClusterId=cluster_id)["Steps"]) == 1
    assert effects.read_text() == "one\n"


@pytest.mark.thorough
@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"probability": 0.4, "error": THROTTLING}, id="throttled"),
        pytest.param({"probability": 0.15, "error": SERVER_ERROR}, id="server-errors"),
        pytest.param({"probability": 0.15, **LOST}, id="answers-lost"),
    ],
)
def test_all_calls_fail_now_and_then(cloud, run, faults, tmp_path, fault):
    effects = tmp_path / "effects"
    faults.set_rules([{"service": "emr", **fault}])

    cluster_id, _ = _retried(lambda: _create(cloud, run, deferrable=True), run, "create")
    steps = [f"sleep 1; echo {number} >> {effects}" for number in range(2)]
    _retried(lambda: _steps(cluster_id, *steps, deferrable=True), run, "run")
    faults.set_rules([])
    _end(run, cluster_id)

    assert len(_all(cloud, run.name)) == 1
    assert effects.read_text() == "0\n1\n"


def _retried(make, run, task_id, most=8):
    """Run a task, and again after an error, as Airflow does."""
    for attempt in range(1, most + 1):
        try:
            return _finish(make(), run.context(task_id, attempt))
        except AirflowException as error:
            last = error
    raise AssertionError(f"{most} attempts have failed") from last


def test_too_many_clusters_are_waited_for_without_a_slot(cloud, run, faults):
    message = "The maximum number of active clusters for this account has been exceeded"
    error = {"code": "ValidationException", "message": message}
    faults.set_rules([{"service": "emr", "operation": "RunJobFlow", "times": 2, "error": error}])

    cluster_id, triggers = _finish(_create(cloud, run, deferrable=True), run.context("create"))

    names = [type(trigger).__name__ for trigger in triggers]
    assert names == ["EmrPauseTrigger", "EmrPauseTrigger", "EmrClusterTrigger"]
    assert _live(cloud, run.name) == [cluster_id]
    _end(run, cluster_id)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "VALIDATION_ERROR",
            "You have requested more vCPU capacity than your current vCPU limit of 32 allows",
        ),
        (
            "INTERNAL_ERROR",
            "InsufficientInstanceCapacity: We currently do not have sufficient m5.xlarge capacity "
            "in the Availability Zone you requested",
        ),
    ],
    ids=["quota", "capacity"],
)
def test_a_cluster_without_room_in_ec2_is_made_again_without_a_slot(cloud, run, code, message):
    cloud.fail_clusters(f"{run.name}*", code, message)
    operator, context = _create(cloud, run, deferrable=True), run.context("create")
    with pytest.raises(TaskDeferred) as starting:
        operator.execute(context)
    event = _event(starting.value.trigger)
    with pytest.raises(TaskDeferred) as pausing:
        operator.execute_complete(context, event)
    assert _live(cloud, run.name) == []
    cloud.mend_clusters(f"{run.name}*")

    later = _create(cloud, run, deferrable=True)  # Airflow goes on in another process
    cluster_id, more = _resume(later, context, pausing.value.trigger)

    names = [type(one.value.trigger).__name__ for one in (starting, pausing)]
    assert names == ["EmrClusterTrigger", "EmrPauseTrigger"]
    assert {type(trigger).__name__ for trigger in more} <= {"EmrClusterTrigger"}
    assert _live(cloud, run.name) == [cluster_id]
    assert len(_all(cloud, run.name)) == 2
    _end(run, cluster_id)


def test_a_cluster_that_takes_no_more_steps_is_waited_for(run, faults, cluster, tmp_path):
    effects = tmp_path / "effects"
    # The words of EMR, https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-work-with-steps.html
    message = (
        "Maximum number of active steps(State = 'Running', 'Pending' or 'Cancel_Pending') for "
        "cluster exceeded."
    )
    error = {"code": "ValidationException", "message": message}
    faults.set_rules(
        [{"service": "emr", "operation": "AddJobFlowSteps", "times": 1, "error": error}]
    )

    operator = _steps(cluster, f"echo one >> {effects}", deferrable=True)
    _, triggers = _finish(operator, run.context("run"))

    assert type(triggers[0]).__name__ == "EmrPauseTrigger"
    assert effects.read_text() == "one\n"


def test_too_many_job_runs_are_waited_for(cloud, run, faults, application):
    message = "The maximum number of concurrent vCPUs per account has been exceeded"
    error = {"code": "ServiceQuotaExceededException", "message": message}
    faults.set_rules(
        [{"service": "emr-serverless", "operation": "StartJobRun", "times": 1, "error": error}]
    )

    operator = _job(cloud, application, "quick.py", deferrable=True)
    run_id, triggers = _finish(operator, run.context("job"))

    assert [type(trigger).__name__ for trigger in triggers] == [
        "EmrPauseTrigger",
        "EmrServerlessJobRunTrigger",
    ]
    answer = cloud.serverless.get_job_run(applicationId=application, jobRunId=run_id)
    assert answer["jobRun"]["state"] == "SUCCESS"


def test_what_emr_does_not_like_is_one_error_and_no_cluster(cloud, run, faults):
    message = "The supplied release label is invalid: emr-9.9.9."
    error = {"code": "ValidationException", "message": message}
    faults.set_rules([{"service": "emr", "operation": "RunJobFlow", "error": error}])

    with pytest.raises(AirflowFailException) as raised:  # no retry would mend it
        _create(cloud, run).execute(run.context("create"))

    text = _is_one_line(raised)
    assert text.startswith("EMR refuses a new cluster, and would do so again. It says: Validation")
    assert message.rstrip(".") in text
    assert len(faults.fired()) >= 1
    assert _all(cloud, run.name) == []


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("VALIDATION_ERROR", "Your account has no default VPC"),
        ("INSTANCE_FLEET_TIMEOUT", "Failed to provision instances within the timeout period"),
        ("INSTANCE_FAILURE", "Master - 1: Error provisioning instances"),
        ("INTERNAL_ERROR", "Failed to start the job flow due to an internal error"),
    ],
)
def test_a_cluster_that_fails_is_one_error_with_its_reason(cloud, run, code, message):
    cloud.fail_clusters(f"{run.name}*", code, message)

    with pytest.raises(AirflowException) as raised:
        _finish(_create(cloud, run, deferrable=True), run.context("create"))

    text = _is_one_line(raised)
    assert re.match(rf"Cluster j-\w+ ended as TERMINATED_WITH_ERRORS \({code}: {message}\)", text)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"code": "AccessDeniedException", "message": "no"}, "ListSteps on .* is not permitted"),
        (
            {"code": "ExpiredTokenException", "message": "it has expired"},
            "The credentials have expired; renew those of the connection",
        ),
    ],
    ids=["denied", "expired"],
)
def test_a_trigger_that_may_not_look_lets_the_task_say_so(cloud, run, cluster, error, told):
    operator = _steps(cluster, "sleep 1", deferrable=True)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(run.context("run"))
    run.faults.set_rules([{"service": "emr", "operation": "ListSteps", "error": error}])

    event = _event(deferred.value.trigger)
    assert event["status"] == "error"
    with pytest.raises(AirflowException, match=told) as raised:
        operator.execute_complete(run.context("run"), event)

    _is_one_line(raised)
    # Mended, the next attempt adopts the step.
    run.faults.set_rules([])
    _finish(_steps(cluster, "sleep 1", deferrable=True), run.context("run", 2))
    assert len(cloud.emr.list_steps(ClusterId=cluster)["Steps"]) == 1


def test_a_step_that_fails_tells_the_exception_and_where_its_log_is(cloud, run, faults, cluster):
    program = "def refuse():\n    raise ValueError('no such day')\nrefuse()\n"
    script = f"echo {json.dumps(program)} > /dev/null; python3 -c {_quoted(program)}"
    # The first look finds no logs, which EMR uploads later.
    faults.set_rules(
        [
            {
                "service": "s3",
                "operation": "ListObjectsV2",
                "times": 1,
                "error": {"code": "SlowDown", "status": 503},
            }
        ]
    )

    with pytest.raises(AirflowException) as raised:
        _finish(_steps(cluster, script, deferrable=True), run.context("run"))

    text = _is_one_line(raised)
    (step,) = cloud.emr.list_steps(ClusterId=cluster)["Steps"]
    assert text.startswith(f"Step {step['Id']} (step 0 ")
    assert "ended as FAILED" in text
    assert "ValueError: no such day" in text
    assert f"Its logs are below s3://{cloud.bucket}/logs/{cluster}/steps/{step['Id']}/" in text


def _quoted(text):
    return "'" + text.replace("'", "'\\''") + "'"


def test_steps_of_a_cluster_that_has_ended_are_one_error(cloud, run, cluster):
    cloud.emr.terminate_job_flows(JobFlowIds=[cluster])
    deadline = time.monotonic() + 30
    while _live(cloud, run.name):
        assert time.monotonic() < deadline
        time.sleep(0.1)

    with pytest.raises(AirflowException) as raised:
        _finish(_steps(cluster, "true", deferrable=True), run.context("run"))
    text = _is_one_line(raised)
    assert re.match(rf"Cluster {cluster} ended as TERMINAT\w+ \(USER_REQUEST", text)

    with pytest.raises(AirflowException) as raised:
        _steps("j-NEVERWAS", "true").execute(run.context("run"))
    assert "'j-NEVERWAS'" in _is_one_line(raised)


@pytest.mark.usefixtures("run")
def test_a_job_run_that_takes_too_long_says_so(cloud, application, overdue):
    with pytest.raises(AirflowException, match=r"ended as FAILED: .*timeout") as raised:
        overdue()

    assert f"s3://{cloud.bucket}/logs/applications/{application}/jobs/" in _is_one_line(raised)
