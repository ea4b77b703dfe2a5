"""The triggers of Glue against a Glue that answers as it is told."""

import asyncio
import json
import time

import pytest
from botocore.exceptions import ClientError

from updraft.triggers.glue import GlueJobCapacityTrigger, GlueJobRunTrigger
from updraft.triggers.glue_catalog import GlueColumnStatisticsTrigger, GlueWorkflowRunTrigger
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
