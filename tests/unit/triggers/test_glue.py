"""The triggers of Glue against a Glue that answers as it is told."""

import asyncio
import json
import time
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError

from updraft.compat import AirflowException
from updraft.triggers.glue import GlueJobCapacityTrigger, GlueJobRunTrigger
from updraft.triggers.glue_catalog import (
    GlueColumnStatisticsTrigger,
    GlueCrawlTrigger,
    GlueWorkflowRunTrigger,
)
from updraft.triggers.glue_polling import GluePollingTrigger

AWS = {
    "waiter_delay": 0,
    "aws_conn_id": "aws_default",
    "region_name": "eu-west-1",
    "verify": None,
    "botocore_config": {"read_timeout": 5},
}


class Glue:
    """An asynchronous client, whose answers come one after the other; the last one stays."""

    def __init__(self, **answers):
        self.answers = answers
        self.calls = []

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    def __getattr__(self, operation):
        async def call(**parameters):
            self.calls.append((operation, parameters))
            given = self.answers.get(operation, [{}])
            answer = given[0] if len(given) == 1 else given.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


@pytest.fixture
def events_of(monkeypatch):
    def run(trigger, glue):
        async def connect(self):
            return glue

        monkeypatch.setattr(GluePollingTrigger, "_connect", connect)
        _, arguments = json.loads(json.dumps(trigger.serialize()))

        async def events():
            return [event.payload async for event in type(trigger)(**arguments).run()]

        return asyncio.run(asyncio.wait_for(events(), 10))

    return run


def _run(state):
    return {"JobRun": {"JobRunState": state}}


def _trigger(**others):
    return GlueJobRunTrigger(
        **{"job_name": "j", "run_id": "jr", "give_up_at": time.time() + 60, **AWS, **others}
    )


@pytest.mark.parametrize("end", ["SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "ERROR", "EXPIRED"])
def test_it_waits_for_any_end(events_of, end):
    states = [_run(state) for state in ("WAITING", "STARTING", "RUNNING", "STOPPING", end)]
    glue = Glue(get_job_run=states)
    (event,) = events_of(_trigger(), glue)
    assert (event["status"], event["run_id"], event["job_name"]) == ("success", "jr", "j")
    assert len(glue.calls) == 5


def test_the_end_of_the_waiting_and_errors_are_events(events_of):
    (event,) = events_of(_trigger(give_up_at=1.0), Glue(get_job_run=[_run("RUNNING")]))
    assert (event["status"], event["give_up_at"]) == ("timeout", 1.0)
    error = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetJobRun")
    (event,) = events_of(_trigger(), Glue(get_job_run=[error]))
    assert event["status"] == "error"
    assert "AccessDenied" in event["message"]


def test_a_kill_stops_what_was_started(events_of):
    glue = Glue(get_job_run=[_run("RUNNING")])
    events_of(_trigger(give_up_at=1.0), glue)
    asyncio.run(_trigger().on_kill())
    assert glue.calls[-1] == ("batch_stop_job_run", {"JobName": "j", "JobRunIds": ["jr"]})


def test_room_is_there_once_fewer_runs_go_on(events_of):
    full = {"JobRuns": [{"JobRunState": "RUNNING"}, {"JobRunState": "WAITING"}], "NextToken": "2"}
    rest = {"JobRuns": [{"JobRunState": "RUNNING"}]}
    room = {"JobRuns": [{"JobRunState": "SUCCEEDED"}, {"JobRunState": "RUNNING"}]}
    glue = Glue(
        get_job=[{"Job": {"ExecutionProperty": {"MaxConcurrentRuns": 3}}}],
        get_job_runs=[full, rest, room],
    )
    trigger = GlueJobCapacityTrigger(job_name="j", give_up_at=time.time() + 60, **AWS)
    (event,) = events_of(trigger, glue)
    assert event["status"] == "success"
    assert [name for name, _ in glue.calls].count("get_job_runs") == 3


def test_one_ended_run_of_many_is_enough(events_of):
    states = [{"ColumnStatisticsTaskRun": {"Status": s}} for s in ("RUNNING", "RUNNING", "FAILED")]
    glue = Glue(get_column_statistics_task_run=states)
    trigger = GlueColumnStatisticsTrigger(
        own=[],
        database_name="d",
        runs={"a": "1", "b": "2"},
        progress={"waiting": ["c"]},
        give_up_at=time.time() + 60,
        **AWS,
    )
    (event,) = events_of(trigger, glue)
    assert event["progress"] == {"waiting": ["c"]}


def test_without_room_for_a_workflow_there_is_nothing_to_stop(events_of):
    glue = Glue()
    trigger = GlueWorkflowRunTrigger(
        workflow_name="w", run_id="", give_up_at=time.time() + 60, **AWS
    )
    (event,) = events_of(trigger, glue)
    asyncio.run(trigger.on_kill())
    assert event["run_id"] == ""
    assert glue.calls == []


@pytest.mark.parametrize("error", [AirflowException("no connection"), OSError("no"), ValueError()])
def test_whatever_keeps_the_triggerer_from_looking_is_an_event(events_of, monkeypatch, error):
    async def refuse(self):
        raise error

    _, arguments = _trigger().serialize()
    trigger = GlueJobRunTrigger(**arguments)
    monkeypatch.setattr(GluePollingTrigger, "_connect", refuse)

    async def events():
        return [event.payload async for event in trigger.run()]

    (event,) = asyncio.run(events())
    assert (event["status"], event["errors"]) == ("error", 1)


def test_errors_are_counted_until_a_look_gets_through(events_of):
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetJobRun")
    (event,) = events_of(_trigger(errors=1), Glue(get_job_run=[refused]))
    assert event["errors"] == 2
    (event,) = events_of(_trigger(errors=2), Glue(get_job_run=[_run("RUNNING"), refused]))
    assert event["errors"] == 1
    (event,) = events_of(_trigger(errors=2), Glue(get_job_run=[_run("SUCCEEDED")]))
    assert event["errors"] == 0


def test_after_errors_there_is_a_pause_that_grows_and_has_an_end():
    def pause(errors, **others):
        return _trigger(waiter_delay=30, errors=errors, **others)._pause_after_errors()

    ends = {"give_up_at": time.time() + 3600}
    assert [pause(n, **ends) for n in (0, 1, 2, 3, 50)] == [0, 30, 60, 120, 300]
    assert pause(3, give_up_at=1.0) == 0


def _stopped(trigger, operation):
    glue = Glue()
    glue.exceptions = SimpleNamespace(
        CrawlerNotRunningException=KeyError,
        CrawlerStoppingException=KeyError,
        ColumnStatisticsTaskNotRunningException=KeyError,
        ColumnStatisticsTaskStoppingException=KeyError,
        EntityNotFoundException=KeyError,
    )
    asyncio.run(trigger.stop(glue))
    return [parameters for name, parameters in glue.calls if name == operation]


@pytest.mark.parametrize(("own", "stopped"), [(True, [{"Name": "c"}]), (False, [])])
def test_only_the_tasks_own_crawl_is_stopped(own, stopped):
    trigger = GlueCrawlTrigger(crawler_name="c", after="1", own=own, give_up_at=1.0, **AWS)
    assert _stopped(trigger, "stop_crawler") == stopped


def test_only_the_tasks_own_statistics_are_stopped():
    trigger = GlueColumnStatisticsTrigger(
        database_name="d",
        runs={"own": "1", "other": "2"},
        own=["own", "ended"],
        progress={},
        give_up_at=1.0,
        **AWS,
    )
    assert _stopped(trigger, "stop_column_statistics_task_run") == [
        {"DatabaseName": "d", "TableName": "own"}
    ]
