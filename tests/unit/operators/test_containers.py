"""Containers on Amazon ECS and in AWS Batch: one for all attempts, and none that outlives them."""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.exceptions import TaskDeferralError, TaskDeferred

from updraft.compat import AirflowException
from updraft.operators.containers import BatchCommandOperator, EcsCommandOperator
from updraft.operators.kill_switch import TaskStoppedError
from updraft.triggers.containers import BatchCommandTrigger, EcsTaskTrigger

LIMIT = timedelta(minutes=5)


class Service:
    """Remembers what runs, as ECS and AWS Batch do, and what was ended."""

    def __init__(self):
        self.work = []
        self.ended = []
        self.on_start = lambda: None

    def start(self, name):
        self.on_start()
        self.work.append({"id": f"work-{len(self.work)}", "name": name, "status": "RUNNING"})
        return self.work[-1]["id"]

    def named(self, name, *states):
        return [one for one in self.work if one["name"] == name and one["status"] in states]

    def get_paginator(self, operation):
        return SimpleNamespace(paginate=lambda **given: [getattr(self, operation)(**given)])

    def run_task(self, **given):
        return {"failures": [], "tasks": [{"taskArn": self.start(given["startedBy"])}]}

    def list_tasks(self, *, startedBy, desiredStatus, cluster):  # noqa: N803 - boto's
        states = ["RUNNING"] if desiredStatus == "RUNNING" else ["SUCCEEDED", "FAILED"]
        return {"taskArns": [one["id"] for one in self.named(startedBy, *states)]}

    def describe_tasks(self, *, cluster, tasks):
        code = {"SUCCEEDED": 0, "FAILED": 1}
        return {
            "tasks": [
                {
                    "taskArn": one["id"],
                    "stopCode": "UserInitiated"
                    if one["id"] in self.ended
                    else "EssentialContainerExited",
                    "containers": [{"exitCode": code[one["status"]]}],
                }
                for one in self.work
                if one["id"] in tasks
            ]
        }

    def stop_task(self, *, cluster, task, reason):
        self.ended.append(task)

    def submit_job(self, **given):
        return {"jobId": self.start(given["jobName"])}

    def list_jobs(self, *, jobQueue, filters):  # noqa: N803 - boto's
        found = self.named(filters[0]["values"][0], "RUNNING", "SUCCEEDED", "FAILED")
        jobs = [{"jobId": one["id"], "status": one["status"]} for one in found]
        return {"jobSummaryList": jobs}

    def terminate_job(self, *, jobId, reason):  # noqa: N803 - boto's
        self.ended.append(jobId)


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
    for state, expected in [("RUNNING", 1), ("SUCCEEDED", 1), ("FAILED", 2)]:
        _run(kind)
        assert len(service.work) == expected
        service.work[-1]["status"] = {"RUNNING": "SUCCEEDED", "SUCCEEDED": "FAILED"}.get(state, "")
    service.work[-1]["status"] = "RUNNING"
    _run(kind, _context(max_tries=5, try_number=4))
    assert len(service.work) == 3
    assert len({one["name"] for one in service.work}) == 2
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
