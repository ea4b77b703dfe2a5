"""The triggers for EMR: their way to the triggerer, what they wait for and what a kill does."""

import asyncio
import importlib
import json
import socket
import time
from contextlib import asynccontextmanager

import pytest
from airflow.triggers.base import BaseTrigger
from botocore.exceptions import ClientError

from updraft.triggers.emr import (
    EmrClusterTrigger,
    EmrPauseTrigger,
    EmrStepsTrigger,
)
from updraft.triggers.emr_job_runs import (
    EmrContainersJobRunTrigger,
    EmrServerlessJobRunTrigger,
)

AWS = {
    "aws_conn_id": None,
    "region_name": "eu-west-1",
    "verify": False,
    "botocore_config": {"retries": {"mode": "standard", "total_max_attempts": 1}},
}
COMMON = {"carried": {"cluster_id": "j-1"}, "give_up_at": 1795486596.5, "poll_interval": 7}
RUN = {"parent_id": "p", "run_id": "r", "states": ["RUNNING"]}
TRIGGERS = [
    (EmrClusterTrigger, {"cluster_id": "j-1", "states": ["STARTING"], "terminates": True}),
    (EmrStepsTrigger, {"cluster_id": "j-1", "step_ids": ["s-1"], "first": True}),
    (EmrPauseTrigger, {}),
    (EmrServerlessJobRunTrigger, RUN),
    (EmrContainersJobRunTrigger, RUN),
]


@pytest.mark.parametrize(("kind", "fields"), TRIGGERS)
def test_everything_survives_the_way_to_the_triggerer(kind, fields):
    trigger = kind(**fields, **COMMON, **AWS)
    path, arguments = json.loads(json.dumps(trigger.serialize()))
    module, _, name = path.rpartition(".")
    loaded = getattr(importlib.import_module(module), name)(**arguments)

    assert isinstance(loaded, BaseTrigger)
    assert loaded.serialize() == trigger.serialize()
    assert loaded.serialize()[1] == {**fields, **COMMON, **AWS}
    hook = loaded.hook()
    assert hook.client_type == kind.service
    assert hook.region_name == "eu-west-1"
    assert hook.verify is False
    assert hook.config.retries == {"mode": "standard", "total_max_attempts": 1}


class Client:
    """Answers as it was told, and remembers what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.calls = []

    def __getattr__(self, operation):
        async def call(**request):
            self.calls.append((operation, request))
            answer = self.answers[operation]
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call


def _error(code, status=400):
    response = {
        "Error": {"Code": code, "Message": "m"},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(response, "Operation")


def _cluster(state):
    return {"Cluster": {"Status": {"State": state}}}


def _steps(marker="", **states):
    steps = [{"Id": key, "Status": {"State": state}} for key, state in states.items()]
    return {"Steps": steps, **({"Marker": marker} if marker else {})}


def _run(trigger, client, action="run"):
    @asynccontextmanager
    async def opened():
        yield client

    async def connection():
        return opened()

    hook = type("Hook", (), {"get_async_conn": staticmethod(connection)})
    trigger.hook = lambda: hook

    async def go():
        if action == "on_kill":
            return await trigger.on_kill()
        return [event.payload async for event in trigger.run()]

    return asyncio.run(asyncio.wait_for(go(), 20))


def _trigger(kind, seconds=60.0, **fields):
    return kind(
        **fields,
        carried={"x": 1},
        give_up_at=time.time() + seconds,
        poll_interval=0.01,
        **AWS,
    )


def _cluster_trigger(**others):
    fields = {"cluster_id": "j-1", "states": ["STARTING"], "terminates": True}
    return _trigger(EmrClusterTrigger, **{**fields, **others})


def test_a_cluster_is_waited_for_until_it_leaves_the_states():
    client = Client(describe_cluster=[_cluster("STARTING"), _cluster("STARTING"), _cluster("RUN")])

    events = _run(_cluster_trigger(), client)

    assert events == [{"status": "ended", "message": None, "carried": {"x": 1}}]
    assert len(client.calls) == 3


def test_throttling_and_server_errors_are_waited_out():
    answers = [_error("ThrottlingException"), _error("Oops", 503), OSError("reset"), _cluster("W")]

    events = _run(_cluster_trigger(), Client(describe_cluster=answers))

    assert events[0]["status"] == "ended"


def test_a_refusal_is_an_event_and_no_crash():
    client = Client(describe_cluster=[_error("AccessDeniedException")])

    (event,) = _run(_cluster_trigger(), client)

    assert event["status"] == "error"
    assert "AccessDeniedException" in event["message"]
    assert event["carried"] == {"x": 1}


def test_the_waiting_ends_in_time():
    (event,) = _run(_cluster_trigger(seconds=0.05), Client(describe_cluster=_cluster("STARTING")))

    assert event["status"] == "timeout"


def test_a_kill_ends_a_cluster_only_if_the_task_made_it():
    client = Client(terminate_job_flows={})
    _run(_cluster_trigger(), client, "on_kill")
    _run(_cluster_trigger(terminates=False), client, "on_kill")

    assert client.calls == [("terminate_job_flows", {"JobFlowIds": ["j-1"]})]


def test_steps_are_waited_for_until_all_have_ended():
    client = Client(
        list_steps=[
            _steps(a="RUNNING", b="PENDING"),
            _steps(a="COMPLETED", b="RUNNING"),
            _steps(a="COMPLETED", b="FAILED"),
        ],
        describe_cluster=_cluster("RUNNING"),
    )

    _run(_trigger(EmrStepsTrigger, cluster_id="j-1", step_ids=["a", "b"]), client)

    assert [name for name, _ in client.calls] == ["list_steps"] * 3
    assert client.calls[0][1] == {"ClusterId": "j-1", "StepIds": ["a", "b"]}


def test_the_end_of_the_first_step_may_be_enough():
    client = Client(list_steps=[_steps(a="RUNNING", b="PENDING"), _steps(a="FAILED", b="RUNNING")])

    _run(_trigger(EmrStepsTrigger, cluster_id="j-1", step_ids=["a", "b"], first=True), client)

    assert len(client.calls) == 2


def test_many_steps_are_listed_by_their_state_through_all_pages():
    ids = [f"s-{number}" for number in range(30)]
    client = Client(
        list_steps=[_steps("next", foreign="RUNNING"), _steps(**{ids[3]: "RUNNING"})] * 2
    )
    trigger = _trigger(EmrStepsTrigger, cluster_id="j-1", step_ids=ids)

    assert asyncio.run(trigger._active(client)) == [ids[3]]
    assert client.calls[0][1]["StepStates"] == ["PENDING", "RUNNING", "CANCEL_PENDING"]
    assert client.calls[1][1]["Marker"] == "next"


def test_the_end_of_the_cluster_ends_the_waiting_for_its_steps():
    client = Client(
        list_steps=_steps(a="RUNNING"), describe_cluster=_cluster("TERMINATED_WITH_ERRORS")
    )

    (event,) = _run(_trigger(EmrStepsTrigger, cluster_id="j-1", step_ids=["a"]), client)

    assert event["status"] == "ended"


def test_a_kill_cancels_the_steps_that_have_not_ended():
    client = Client(list_steps=_steps(a="COMPLETED", b="RUNNING", c="PENDING"), cancel_steps={})

    _run(_trigger(EmrStepsTrigger, cluster_id="j-1", step_ids=["a", "b", "c"]), client, "on_kill")

    assert client.calls[1] == (
        "cancel_steps",
        {
            "ClusterId": "j-1",
            "StepIds": ["b", "c"],
            "StepCancellationOption": "TERMINATE_PROCESS",
        },
    )


@pytest.mark.parametrize(
    ("kind", "look", "identifiers"),
    [
        (EmrServerlessJobRunTrigger, "get_job_run", {"applicationId": "p", "jobRunId": "r"}),
        (EmrContainersJobRunTrigger, "describe_job_run", {"virtualClusterId": "p", "id": "r"}),
    ],
)
def test_a_job_run_is_waited_for_and_cancelled(kind, look, identifiers):
    client = Client(
        **{look: [{"jobRun": {"state": "RUNNING"}}, {"jobRun": {"state": "FAILED"}}]},
        cancel_job_run={},
    )
    trigger = _trigger(kind, **RUN)

    (event,) = _run(trigger, client)
    _run(trigger, client, "on_kill")

    assert event["status"] == "ended"
    assert client.calls == [(look, identifiers)] * 2 + [("cancel_job_run", identifiers)]


def test_a_pause_is_over_in_time_and_asks_nothing():
    (event,) = _run(_trigger(EmrPauseTrigger, seconds=0.05), Client())

    assert event["status"] == "ended"


def test_a_service_that_cannot_be_reached_is_an_event_and_no_crash(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    trigger = _cluster_trigger(seconds=1.0)

    async def events():
        return [event.payload async for event in trigger.run()]

    (event,) = asyncio.run(events())

    assert event["status"] in {"error", "timeout"}
