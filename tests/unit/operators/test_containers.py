"""Containers on Amazon ECS and in AWS Batch: one for all attempts, and none that outlives them."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.exceptions import TaskDeferralError, TaskDeferred
from airflow.providers.amazon.aws.hooks.batch_client import BatchClientHook
from botocore.exceptions import ClientError, ReadTimeoutError

from updraft.compat import AirflowException
from updraft.errors import UpdraftError
from updraft.hooks.batch import SubmitOnceHook
from updraft.operators.containers import BatchCommandOperator, EcsCommandOperator
from updraft.operators.kill_switch import TaskStoppedError
from updraft.resource_owner import ResourceOwner
from updraft.triggers.containers import BatchCommandTrigger, EcsTaskTrigger

LIMIT = timedelta(minutes=5)


class Service:
    """Remembers what runs, as ECS and AWS Batch do, and what was ended."""

    def __init__(self):
        self.work = []
        self.ended = []
        self.on_start = lambda: None

    def start(self, name, tags):
        self.work.append(
            {"id": f"work-{len(self.work)}", "name": name, "status": "RUNNING", "tags": tags}
        )
        self.on_start()
        return self.work[-1]["id"]

    def end(self, name):
        self.ended.append(name)
        (found,) = (one for one in self.work if one["id"] == name)
        found["status"] = "FAILED"

    def get_paginator(self, operation):
        return SimpleNamespace(paginate=lambda **given: [getattr(self, operation)(**given)])

    def run_task(self, **given):
        return {
            "failures": [],
            "tasks": [{"taskArn": self.start(given["startedBy"], given["tags"])}],
        }

    def list_tasks(self, *, startedBy, desiredStatus, cluster):  # noqa: N803 - boto's
        found = [one for one in self.work if one["name"] == startedBy]
        runs = desiredStatus == "RUNNING"
        return {"taskArns": [one["id"] for one in found if (one["status"] == "RUNNING") is runs]}

    def describe_tasks(self, *, cluster, tasks, include):
        assert include == ["TAGS"]
        code = {"SUCCEEDED": 0, "FAILED": 1}
        return {
            "tasks": [
                {
                    "taskArn": one["id"],
                    "lastStatus": "STOPPED",
                    "stopCode": "UserInitiated"
                    if one["id"] in self.ended
                    else "EssentialContainerExited",
                    "containers": [{"exitCode": code[one["status"]]}],
                    "tags": one["tags"],
                }
                for one in self.work
                if one["id"] in tasks
            ]
        }

    def stop_task(self, *, cluster, task, reason):
        self.end(task)

    def submit_job(self, **given):
        return {"jobId": self.start(given["jobName"], given["tags"])}

    def list_jobs(self, *, jobQueue, filters):  # noqa: N803 - boto's
        (prefix,) = filters[0]["values"]
        return {
            "jobSummaryList": [
                {
                    "jobId": one["id"],
                    "jobName": one["name"],
                    "status": one["status"],
                    "createdAt": number,
                }
                for number, one in enumerate(self.work)
                if one["name"].startswith(prefix.removesuffix("*"))
            ]
        }

    def describe_jobs(self, *, jobs):
        return {"jobs": [{"jobId": job, "isTerminated": job in self.ended} for job in jobs]}

    def terminate_job(self, *, jobId, reason):  # noqa: N803 - boto's
        self.end(jobId)


@pytest.fixture(params=["ecs", "batch"])
def kind(request):
    return request.param


@pytest.fixture
def service(kind, monkeypatch):
    made = Service()
    operator = EcsCommandOperator if kind == "ecs" else BatchCommandOperator
    hook = SimpleNamespace(
        client=made,
        INTERMEDIATE_STATES=("RUNNING",),
        SUCCESS_STATE="SUCCEEDED",
        FAILURE_STATE="FAILED",
        conn_region_name="eu-west-1",
        conn_partition="aws",
        get_job_description=lambda job_id: {"status": "RUNNING"},
    )
    monkeypatch.setattr(operator, "client", made, raising=False)
    monkeypatch.setattr(operator, "hook", hook)
    return made


def _task(kind):
    shared = {"task_id": "t", "deferrable": True, "execution_timeout": LIMIT, "do_xcom_push": False}
    shared["tags"] = {"team": "sales"}
    if kind == "ecs":
        return EcsCommandOperator(
            task_definition="d", cluster="c", overrides={}, launch_type="FARGATE", **shared
        )
    return BatchCommandOperator(job_name="n" * 128, job_queue="q", job_definition="d", **shared)


def _context(max_tries=2, try_number=1):
    instance = SimpleNamespace(
        dag_id="d",
        run_id="r",
        task_id="t",
        map_index=-1,
        try_number=try_number,
        max_tries=max_tries,
        xcom_push=lambda **_: None,
    )
    run = SimpleNamespace(start_date=datetime(2024, 2, 29, tzinfo=UTC))
    return {"ti": instance, "dag_run": run}


def _run(kind, context=None):
    with pytest.raises(TaskDeferred) as deferred:
        _task(kind).execute(context or _context())
    return deferred.value


def test_a_retry_goes_on_with_what_runs_or_has_succeeded_and_a_cleared_task_does_not(kind, service):
    for status, expected in [("RUNNING", 1), ("SUCCEEDED", 1), ("FAILED", 2)]:
        _run(kind)
        service.work[0]["status"] = status
        _run(kind)
        assert len(service.work) == expected
    cleared = _context(max_tries=5, try_number=4)
    _run(kind, cleared)
    assert len(service.work) == 2  # what runs is adopted, whoever has started it
    service.work[1]["status"] = "SUCCEEDED"
    _run(kind, cleared)
    assert len(service.work) == 3  # a result of other attempts is none
    assert len({one["name"] for one in service.work}) == (1 if kind == "ecs" else 2)
    assert all(len(one["name"]) <= 128 for one in service.work)


def test_the_trigger_waits_no_longer_than_the_attempt_and_ends_the_container(
    kind, service, monkeypatch
):
    deferred = _run(kind)
    assert deferred.timeout == LIMIT
    trigger = type(deferred.trigger)(**deferred.trigger.serialize()[1])
    assert isinstance(trigger, EcsTaskTrigger if kind == "ecs" else BatchCommandTrigger)

    async def done(value=None):
        return value

    @asynccontextmanager
    async def connection():
        yield SimpleNamespace(
            stop_task=lambda **given: done(service.stop_task(**given)),
            terminate_job=lambda **given: done(service.terminate_job(**given)),
        )

    hook = SimpleNamespace(get_async_conn=lambda: done(connection()))
    monkeypatch.setattr("updraft.triggers.containers.EcsHook", lambda **_: hook)
    monkeypatch.setattr(BatchCommandTrigger, "hook", lambda _: hook)
    asyncio.run(trigger.on_kill())
    assert service.ended == ["work-0"]


@pytest.mark.parametrize(
    ("error", "try_number", "ended"),
    [("Trigger timeout", 1, True), ("Trigger failure", 1, False), ("Trigger failure", 3, True)],
)
def test_what_a_failed_trigger_leaves(kind, service, error, try_number, ended):
    _run(kind)
    with pytest.raises((AirflowException, TaskDeferralError)):
        _task(kind).resume_execution("__fail__", {"error": error}, _context(try_number=try_number))
    assert bool(service.ended) is ended


def test_a_task_that_is_told_to_stop_while_it_starts_leaves_nothing(kind, service):
    task = _task(kind)
    service.on_start = task.on_kill
    with pytest.raises(TaskStoppedError):
        task.execute(_context())
    assert service.ended == ["work-0"]
    with pytest.raises(TaskStoppedError, match="starts nothing"):
        task.execute(_context(max_tries=9))


def test_a_container_that_was_stopped_has_not_done_its_work(service, kind):
    _run(kind)
    service.ended, service.work[0]["status"] = (
        ["work-0"],
        "SUCCEEDED" if kind == "ecs" else "FAILED",
    )
    _run(kind)
    assert len(service.work) == 2


def test_what_is_there_a_second_time_is_ended(kind, service):
    _run(kind)
    service.work.append({**service.work[0], "id": "work-1"})
    _run(kind)
    assert service.ended == ["work-1"]


def test_tags_say_whose_it_is(kind, service):
    _run(kind)
    tags = service.work[0]["tags"]
    tags = {one["key"]: one["value"] for one in tags} if kind == "ecs" else tags
    assert ResourceOwner.from_tags(tags) == ResourceOwner.of(_context())
    assert tags["team"] == "sales"


@pytest.fixture
def quickly(monkeypatch):
    monkeypatch.setattr("updraft.operators.batch_command.time.sleep", lambda _: None)


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("kind", ["batch"])
def test_a_job_whose_submission_got_no_answer_is_found(kind, service):
    def lose():
        raise ReadTimeoutError(endpoint_url="https://batch")

    service.on_start = lose
    _run(kind)
    assert len(service.work) == 1


@pytest.mark.usefixtures("quickly")
@pytest.mark.parametrize("kind", ["batch"])
@pytest.mark.parametrize(
    ("code", "calls"), [("TooManyRequestsException", 3), ("AccessDeniedException", 1)]
)
def test_a_submission_that_is_throttled_is_made_again(kind, service, monkeypatch, code, calls):
    made, submit = [], service.submit_job

    def refuse(**given):
        made.append(given)
        if len(made) < 3:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, "SubmitJob")
        return submit(**given)

    monkeypatch.setattr(service, "submit_job", refuse)
    if calls == 1:
        with pytest.raises(UpdraftError, match="batch:SubmitJob on queue 'q' is not permitted"):
            _task(kind).execute(_context())
    else:
        _run(kind)
    assert len(made) == calls


def test_the_hook_makes_a_submission_once(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    sent = []

    def lose(request, **_):
        sent.append(request.url)
        raise ReadTimeoutError(endpoint_url=request.url)

    class Losing(BatchClientHook):
        @property
        def client(self):
            client = super().client
            client.meta.events.register("before-send.batch", lose)
            return client

    monkeypatch.setattr("updraft.hooks.batch.BatchClientHook", Losing)
    client = SubmitOnceHook(aws_conn_id=None, region_name="eu-west-1").client
    with pytest.raises(ReadTimeoutError):
        client.submit_job(jobName="j", jobQueue="q", jobDefinition="d")
    assert len(sent) == 1
