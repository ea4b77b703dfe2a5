"""The engine ``glue`` against a Glue that answers as it is told."""

import re
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowFailException
from botocore.exceptions import ClientError, ConnectionClosedError

from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks import glue as glue_hooks
from updraft.hooks.glue import GlueClientHook
from updraft.operators import glue_job_calls, glue_job_runs
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator
from updraft.operators.glue_job_runs import GlueJobRuns
from updraft.operators.glue_job_settings import merged_arguments
from updraft.operators.kill_switch import TaskStoppedError

FIRST_PAGE = {"JobNames": ["nightly"], "NextToken": "1"}
ARGUMENTS = {"--export_id": "mine", "--table_name": "orders", "--attempt": "2", "--series": "b"}


class Glue:
    """Runs, the latest first, two on each page."""

    meta = SimpleNamespace(region_name="eu-west-1")

    def __init__(self, *runs, refusals=()):
        self.runs = list(runs)
        self.refusals = list(refusals)
        self.started = []
        self.while_starting = lambda: None
        self.stopped = []
        self.names_refusal = None

    def get_job_runs(self, **request):
        start = int(request.get("NextToken", 0))
        page = {"JobRuns": self.runs[start : start + 2]}
        return page | ({"NextToken": str(start + 2)} if start + 2 < len(self.runs) else {})

    def get_job_run(self, **request):
        (run,) = [run for run in self.runs if run["Id"] == request["RunId"]]
        if run["JobRunState"] == "STOPPING":
            run = {**run, "JobRunState": "STOPPED"}
        return {"JobRun": run}

    def start_job_run(self, **request):
        if self.refusals:
            refusal = self.refusals.pop(0)
            if callable(refusal):
                refusal = refusal(self)
            raise refusal
        self.started.append(request)
        self.while_starting()
        self.runs.insert(0, _run("new", "RUNNING", **request["Arguments"]))
        return {"JobRunId": "new"}

    def list_jobs(self, **request):  # in two pages
        if self.names_refusal is not None and "NextToken" in request:
            raise self.names_refusal
        return {"JobNames": ["capy"]} if "NextToken" in request else FIRST_PAGE

    def batch_stop_job_run(self, **request):
        self.stopped += request["JobRunIds"]


def _run(run_id, state, days=0, **arguments):
    return {
        "Id": run_id,
        "JobRunState": state,
        "StartedOn": datetime.now(UTC) - timedelta(days=days),
        "Arguments": {**ARGUMENTS, "--attempt": "1", "--series": "a", **arguments},
    }


def _refusal(code):
    return ClientError({"Error": {"Code": code, "Message": "no"}}, "StartJobRun")


@pytest.fixture
def runs_of(monkeypatch):
    def made(glue, **settings):
        monkeypatch.setattr(glue_job_calls, "connected_client", lambda hook: glue)
        monkeypatch.setattr(glue_hooks, "connected_client", lambda hook: glue)
        monkeypatch.setattr(GlueClientHook, "client_without_retries", glue)
        monkeypatch.setattr(glue_job_runs.time, "sleep", lambda seconds: None)
        return GlueJobRuns(
            {"aws_conn_id": None, "region_name": "eu-west-1"},
            "copy",
            identity="--export_id",
            deferrable=False,
            poll_interval=1,
            overrides=settings,
        )

    return made


@pytest.mark.parametrize("state", ["STARTING", "RUNNING", "WAITING"])
def test_a_run_that_goes_on_is_adopted(runs_of, state):
    other = {"--export_id": "another task's"}
    glue = Glue(*[_run(f"o{n}", "RUNNING", **other) for n in range(5)], _run("a", state))

    assert runs_of(glue).adopt_or_start(ARGUMENTS, 2)["Id"] == "a"
    assert glue.started == []


@pytest.mark.parametrize(
    "run",
    [
        _run("a", "FAILED"),
        _run("a", "TIMEOUT"),
        _run("a", "STOPPING"),
        _run("a", "SUCCEEDED"),
        _run("a", "RUNNING", days=9),
        _run("a", "RUNNING", **{"--export_id": "another task's"}),
    ],
    ids=["failed", "timeout", "stopping", "without result", "too old", "of another task"],
)
def test_otherwise_one_is_started(runs_of, run):
    glue = Glue(run)

    found = runs_of(glue, NumberOfWorkers=10).adopt_or_start(ARGUMENTS, 2)

    assert found["Id"] == "new"
    assert glue.started == [{"JobName": "copy", "Arguments": ARGUMENTS, "NumberOfWorkers": 10}]


def test_the_first_attempt_does_not_look_before_it_starts(runs_of):
    glue = Glue(_run("a", "SUCCEEDED"))
    glue.while_starting = lambda: looked.append("started")
    looked = []
    list_runs = glue.get_job_runs
    glue.get_job_runs = lambda **request: looked.append("looked") or list_runs(**request)

    assert runs_of(glue).adopt_or_start(ARGUMENTS, 1)["Id"] == "new"
    assert looked == ["started", "looked"]


def _older(run):
    return {**run, "StartedOn": run["StartedOn"] - timedelta(seconds=3)}


def test_an_attempt_that_is_still_alive_and_its_successor_keep_one_run(runs_of):
    glue = Glue()
    glue.while_starting = lambda: glue.runs.append(_older(_run("zombie's", "RUNNING")))

    assert runs_of(glue).adopt_or_start(ARGUMENTS, 2)["Id"] == "zombie's"
    assert glue.stopped == ["new"]


def test_of_two_runs_the_older_one_is_adopted(runs_of):
    others = _run("o", "RUNNING", **{"--export_id": "another task's"})
    glue = Glue(_run("b", "RUNNING"), _older(_run("a", "STARTING")), others)

    assert runs_of(glue).adopt_or_start(ARGUMENTS, 2)["Id"] == "a"
    assert (glue.started, glue.stopped) == ([], ["b"])


def test_a_run_that_is_not_listed_yet_is_kept(runs_of):
    glue = Glue()
    glue.runs = Unlisted()

    assert runs_of(glue).adopt_or_start(ARGUMENTS, 1)["Id"] == "new"
    assert glue.stopped == []


class Unlisted(list):
    """Runs that Glue does not list."""

    def insert(self, *_):
        """Keep nothing."""


def test_a_task_whose_triggers_cannot_look_waits_in_its_slot(runs_of):
    event = {"status": "error", "message": "no", "run_id": "a", "give_up_at": time.time() + 60}

    def looked_after(errors):
        glue = Glue(_run("a", "RUNNING"))
        looks = iter(["RUNNING", "RUNNING", "SUCCEEDED"])
        glue.get_job_run = lambda **request: {"JobRun": _run(request["RunId"], next(looks))}
        runs = runs_of(glue)
        runs._deferrable = True
        return runs.look_again({**event, "errors": errors})

    deferral = looked_after(2)
    assert deferral.trigger.errors == 2
    assert looked_after(3)["JobRunState"] == "SUCCEEDED"


def test_a_run_with_other_arguments_is_not_adopted_and_not_doubled(runs_of):
    glue = Glue(_run("a", "RUNNING", **{"--table_name": "customers"}))

    with pytest.raises(UpdraftError, match="other values of --table_name") as caught:
        runs_of(glue).adopt_or_start(ARGUMENTS, 2)
    assert "customers" not in str(caught.value)  # a value may be a secret
    assert glue.started == []


def test_a_start_whose_answer_was_lost_is_not_repeated(runs_of):
    def begun_but_lost(glue):
        glue.runs.insert(0, _run("lost", "STARTING"))
        return ConnectionClosedError(endpoint_url="https://glue")

    glue = Glue(refusals=[begun_but_lost])

    assert runs_of(glue).adopt_or_start(ARGUMENTS, 1)["Id"] == "lost"
    assert glue.started == []


def test_a_start_that_is_throttled_is_repeated(runs_of):
    glue = Glue(refusals=[_refusal("ThrottlingException")] * 3)

    assert runs_of(glue).adopt_or_start(ARGUMENTS, 1)["Id"] == "new"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("ConcurrentRunsExceededException", "Raise its MaxConcurrentRuns"),
        ("AccessDeniedException", "Allow glue:StartJobRun"),
    ],
)
def test_a_start_that_is_refused(runs_of, code, message):
    with pytest.raises(UpdraftError, match=message):
        runs_of(Glue(refusals=[_refusal(code)])).adopt_or_start(ARGUMENTS, 1)


@pytest.mark.parametrize(
    ("refusal", "hint"),
    [(None, "; did you mean 'capy'?"), (_refusal("AccessDeniedException"), ".")],
)
@pytest.mark.parametrize("attempt", [1, 2])
def test_a_job_that_does_not_exist_is_one_sentence_with_the_nearest_name(
    runs_of, attempt, refusal, hint
):
    missing = _refusal("EntityNotFoundException")
    glue = Glue(refusals=[missing])
    glue.names_refusal = refusal
    if attempt > 1:

        def get_job_runs(**request):
            raise missing

        glue.get_job_runs = get_job_runs

    with pytest.raises(UpdraftError) as raised:
        runs_of(glue).adopt_or_start(ARGUMENTS, attempt)
    assert str(raised.value) == (
        f"There is no Glue job 'copy' in eu-west-1{hint} AWS says: EntityNotFoundException: no."
    )


def test_a_run_can_be_stopped_as_soon_as_it_has_begun(runs_of):
    glue = Glue()
    runs = runs_of(glue)

    runs.adopt_or_start(ARGUMENTS, 1)
    runs.stop()
    assert glue.stopped == ["new"]


def test_a_task_that_was_told_to_stop_starts_no_run(runs_of):
    glue = Glue()
    runs = runs_of(glue)
    runs.stop()

    with pytest.raises(TaskStoppedError):
        runs.adopt_or_start(ARGUMENTS, 1)
    assert glue.stopped == []
    assert glue.started == []


def test_a_run_that_starts_while_the_task_is_told_to_stop_is_stopped(runs_of):
    glue = Glue()
    runs = runs_of(glue)
    glue.while_starting = runs.stop

    with pytest.raises(TaskStoppedError):
        runs.adopt_or_start(ARGUMENTS, 1)
    assert glue.stopped == ["new"]


def test_a_task_that_is_resumed_after_it_was_told_to_stop_stops_its_run(runs_of):
    glue = Glue(_run("a", "RUNNING"))
    runs = runs_of(glue)
    runs.stop()
    assert glue.stopped == []

    event = {"status": "success", "run_id": "a", "give_up_at": time.time() + 60}
    with pytest.raises(TaskStoppedError):
        runs.look_again(event)
    assert glue.stopped == ["a"]


def test_a_run_that_failed_is_told_with_its_log(runs_of):
    run = _run("a", "FAILED") | {"ErrorMessage": "UpdraftError: no table."}

    with pytest.raises(UpdraftError) as told:
        runs_of(Glue(run)).wait(run)

    assert str(told.value) == (
        "Run a of the Glue job 'copy' ended as FAILED: UpdraftError: no table. Its log is at "
        "https://console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/"
        "log-group/$252Faws-glue$252Fjobs$252Ferror/log-events/a"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "glue_job_name: engine='glue' needs the name"),
        ({"glue_job_name": "j", "glue_workers": 1}, "glue_workers: 1 is not a whole number from 2"),
        ({"glue_job_name": "j", "glue_arguments": {"x": "y"}}, "glue_arguments: 'x': 'y' is no"),
        ({"glue_job_name": "j", "poll_interval": 0}, "poll_interval: 0 is not a whole number"),
    ],
)
@pytest.mark.parametrize("kind", [DynamoDBExportOperator, DynamoDBImportOperator])
def test_wrong_arguments(kind, arguments, message):
    operator = kind(task_id="t", table_name="orders", s3_uri="s3://b/p", engine="glue", **arguments)
    instance = SimpleNamespace(dag_id="d", task_id="t", map_index=-1, run_id="r", try_number=1)

    with pytest.raises(AirflowFailException, match=re.escape(message)):
        operator.execute({"ti": instance})


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            DynamoDBExportOperator,
            {"engine": "glue", "kms_key_id": "k"},
            "kms_key_id are for engine='native'",
        ),
        (
            DynamoDBExportOperator,
            {"engine": "worker", "export_type": "INCREMENTAL_EXPORT"},
            "export_view_type and kms_key_id need 'native'",
        ),
        (
            DynamoDBImportOperator,
            {"engine": "glue", "table_creation_parameters": {"KeySchema": []}},
            "table_creation_parameters: the engine glue writes into an existing table",
        ),
        (
            DynamoDBImportOperator,
            {"engine": "worker", "table_creation_parameters": {"KeySchema": []}},
            "table_creation_parameters: the engine worker writes into an existing table",
        ),
    ],
)
def test_arguments_of_another_engine_fail_for_good(kind, arguments, message, monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    operator = kind(
        task_id="t",
        table_name="orders",
        s3_uri="s3://bucket/p",
        glue_job_name="j",
        aws_conn_id=None,
        **arguments,
    )
    instance = SimpleNamespace(dag_id="d", task_id="t", map_index=-1, run_id="r", try_number=1)

    with pytest.raises(AirflowFailException, match=re.escape(message)):
        operator.execute({"ti": instance})


def test_arguments_of_the_engine_cannot_be_replaced():
    assert merged_arguments({"--a": "1"}, {"--b": "2"}) == {"--a": "1", "--b": "2"}
    with pytest.raises(ArgumentError, match="'--a' is set by the operator"):
        merged_arguments({"--a": "1"}, {"--a": "2"})
