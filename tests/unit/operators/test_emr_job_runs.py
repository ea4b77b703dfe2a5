"""Job runs of EMR Serverless and EMR on EKS: what is sent, found again and cancelled."""

from types import MappingProxyType, SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred
from botocore.stub import ANY, Stubber

from updraft.operators.emr import EmrContainersJobOperator, EmrServerlessJobOperator
from updraft.operators.kill_switch import TaskStoppedError
from updraft.operators.try_series import series_digest
from updraft.resource_owner import ResourceOwner

OWNER = ResourceOwner("airflow", "d", "r", "job")
SHORT = OWNER.token().replace("-", "")[:12]
SERIES = series_digest({"ti": SimpleNamespace(max_tries=0)})
ROLE = "arn:aws:iam::123456789012:role/emr"
DRIVER = {"sparkSubmit": {"entryPoint": "s3://data/job.py"}}
CONTAINERS_DRIVER = {"sparkSubmitJobDriver": {"entryPoint": "s3://data/job.py"}}
WHEN = "2026-11-23T04:00:00Z"
NEVER = {"retries": {"total_max_attempts": 1}}


class Serverless:
    """What differs between the services: names of calls, members and states."""

    service = "emr-serverless"
    parent = MappingProxyType({"applicationId": "00abc"})
    one = MappingProxyType({"applicationId": "00abc", "jobRunId": "jr-1"})
    look = "get_job_run"
    since = "createdAtAfter"
    name = "nightly job"
    driver = DRIVER
    active, cancelling, succeeded = "QUEUED", "CANCELLING", "SUCCESS"

    @staticmethod
    def operator(**others):
        return EmrServerlessJobOperator(
            task_id="job",
            application_id="00abc",
            execution_role_arn=ROLE,
            job_driver=DRIVER,
            name="nightly job",
            aws_conn_id=None,
            **{"deferrable": False, **others},
        )

    @staticmethod
    def described(state, run_id="jr-1", **others):
        return {
            "jobRun": {
                "applicationId": "00abc",
                "jobRunId": run_id,
                "arn": "arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00abc",
                "createdBy": "x" * 20,
                "createdAt": WHEN,
                "updatedAt": WHEN,
                "executionRole": ROLE,
                "state": state,
                "stateDetails": "because",
                "releaseLabel": "emr-7.5.0",
                "jobDriver": DRIVER,
                **others,
            }
        }

    @staticmethod
    def listed(name, state, run_id="jr-1"):
        return {
            "applicationId": "00abc",
            "id": run_id,
            "name": name,
            "arn": "arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00abc",
            "createdBy": "x" * 20,
            "createdAt": WHEN,
            "updatedAt": WHEN,
            "executionRole": ROLE,
            "state": state,
            "stateDetails": "x",
            "releaseLabel": "emr-7.5.0",
        }

    @staticmethod
    def started(run_id="jr-1"):
        arn = "arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00abc"
        return {"applicationId": "00abc", "jobRunId": run_id, "arn": arn}

    @staticmethod
    def prepare(stubber, state="STARTED", automatic=True):
        application = {
            "applicationId": "00abc",
            "arn": "arn:aws:emr-serverless:eu-west-1:123456789012:/applications/00abc",
            "releaseLabel": "emr-7.5.0",
            "type": "SPARK",
            "state": state,
            "createdAt": WHEN,
            "updatedAt": WHEN,
            "autoStartConfiguration": {"enabled": automatic},
        }
        stubber.add_response(
            "get_application", {"application": application}, {"applicationId": "00abc"}
        )


class Containers:
    """The same for EMR on EKS."""

    service = "emr-containers"
    parent = MappingProxyType({"virtualClusterId": "abc"})
    one = MappingProxyType({"virtualClusterId": "abc", "id": "jr-1"})
    look = "describe_job_run"
    since = "createdAfter"
    name = "nightly_job"
    driver = CONTAINERS_DRIVER
    active, cancelling, succeeded = "SUBMITTED", "CANCEL_PENDING", "COMPLETED"

    @staticmethod
    def operator(**others):
        return EmrContainersJobOperator(
            task_id="job",
            name="nightly job",
            virtual_cluster_id="abc",
            execution_role_arn=ROLE,
            release_label="emr-7.5.0",
            job_driver=CONTAINERS_DRIVER,
            aws_conn_id=None,
            **{"deferrable": False, **others},
        )

    @staticmethod
    def described(state, run_id="jr-1", **others):
        return {"jobRun": {"id": run_id, "state": state, "stateDetails": "because", **others}}

    @staticmethod
    def listed(name, state, run_id="jr-1"):
        return {"id": run_id, "name": name, "state": state}

    @staticmethod
    def started(run_id="jr-1"):
        return {"id": run_id, "name": "x", "virtualClusterId": "abc"}

    @staticmethod
    def prepare(stubber):
        pass


@pytest.fixture(params=[Serverless, Containers], ids=["serverless", "containers"])
def emr(request, monkeypatch):
    """One of the services with a client whose answers the test writes down."""
    kind = request.param
    client = boto3.client(
        kind.service, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr("updraft.hooks.service_calls.connected_client", lambda _: client)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with Stubber(client) as stubber:
        yield SimpleNamespace(kind=kind, stubber=stubber)
        stubber.assert_no_pending_responses()


def _list(emr, *runs):
    expected = {**emr.kind.parent, emr.kind.since: ANY}
    emr.stubber.add_response("list_job_runs", {"jobRuns": list(runs)}, expected)


def _start(emr, number=1, run_id="jr-1", series=SERIES):
    suffix = f"-{SHORT}-{series}" + (f"-{number}" if number > 1 else "")
    expected = {
        **emr.kind.parent,
        "clientToken": OWNER.token("job run", series, number),
        "name": f"{emr.kind.name}{suffix}",
        "executionRoleArn": ROLE,
        "jobDriver": emr.kind.driver,
        "tags": OWNER.tags(),
    }
    if emr.kind is Containers:
        expected["releaseLabel"] = "emr-7.5.0"
    emr.stubber.add_response("start_job_run", emr.kind.started(run_id), expected)


def _look(emr, state, run_id="jr-1", **others):
    answer = emr.kind.described(state, run_id, **others)
    expected = {name: run_id if value == "jr-1" else value for name, value in emr.kind.one.items()}
    emr.stubber.add_response(emr.kind.look, answer, expected)


def _context(max_tries=0):
    instance = SimpleNamespace(
        dag_id="d",
        run_id="r",
        task_id="job",
        map_index=-1,
        try_number=1,
        max_tries=max_tries,
        xcom_push=lambda **_: 0,
    )
    return {"ti": instance}


def test_a_first_attempt_starts_a_run_with_its_owners_token(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr)
    _start(emr)
    _look(emr, emr.kind.active)
    _look(emr, emr.kind.succeeded)

    assert emr.kind.operator().execute(_context()) == "jr-1"


@pytest.mark.parametrize("state", ["active", "succeeded"])
def test_a_run_that_goes_on_or_succeeded_is_taken_over(emr, state):
    emr.kind.prepare(emr.stubber)
    foreign = emr.kind.listed("nightly", emr.kind.active, "jr-9")
    own = emr.kind.listed(f"nightly-{SHORT}-{SERIES}", getattr(emr.kind, state))
    _list(emr, foreign, own)
    _look(emr, emr.kind.succeeded)

    assert emr.kind.operator().execute(_context()) == "jr-1"


def test_a_task_that_was_cleared_runs_the_job_anew(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", emr.kind.succeeded))
    cleared = _context(max_tries=1)
    _start(emr, 2, "jr-2", series_digest(cleared))
    _look(emr, emr.kind.succeeded, "jr-2")

    assert emr.kind.operator().execute(cleared) == "jr-2"


def test_a_task_that_was_cleared_takes_over_what_goes_on(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", emr.kind.active))
    _look(emr, emr.kind.succeeded)

    assert emr.kind.operator().execute(_context(max_tries=1)) == "jr-1"


def test_a_task_that_was_told_to_stop_starts_nothing(emr):
    operator = emr.kind.operator()
    operator.on_kill()
    emr.kind.prepare(emr.stubber)
    _list(emr)

    with pytest.raises(AirflowException, match="told to stop"):
        operator.execute(_context())


def test_a_run_that_starts_while_the_task_is_told_to_stop_is_cancelled(emr, monkeypatch):
    operator = emr.kind.operator()
    emr.kind.prepare(emr.stubber)
    _list(emr)
    _list(emr)  # the kill comes before the answer, and finds nothing
    _start(emr)
    emr.stubber.add_response("cancel_job_run", dict(emr.kind.one), dict(emr.kind.one))
    runs = type(operator._make_runs(_context()))
    send = runs._send

    def killed_meanwhile(self, *arguments):
        operator.on_kill()
        return send(self, *arguments)

    monkeypatch.setattr(runs, "_send", killed_meanwhile)
    with pytest.raises(AirflowException, match="told to stop"):
        operator.execute(_context())


def test_a_run_that_failed_is_followed_by_another_one(emr):
    emr.kind.prepare(emr.stubber)
    _list(
        emr,
        emr.kind.listed(f"nightly-{SHORT}-{SERIES}-2", "FAILED", "jr-2"),
        emr.kind.listed(f"nightly-{SHORT}-{SERIES}", "CANCELLED"),
    )
    _start(emr, 3, "jr-3")
    _look(emr, emr.kind.succeeded, "jr-3")

    assert emr.kind.operator().execute(_context()) == "jr-3"


def test_the_end_of_a_run_that_is_being_cancelled_is_waited_for(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", emr.kind.cancelling))
    _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", "CANCELLED"))
    _start(emr, 2, "jr-2")
    _look(emr, emr.kind.succeeded, "jr-2")

    assert emr.kind.operator().execute(_context()) == "jr-2"


def test_a_token_that_another_attempt_has_used_leads_to_its_run(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr)
    emr.stubber.add_client_error("start_job_run", "ConflictException", "the token was used")
    _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", emr.kind.active))
    _look(emr, emr.kind.succeeded)

    assert emr.kind.operator().execute(_context()) == "jr-1"


def test_any_refusal_leads_to_the_run_that_another_attempt_has_started(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr)
    emr.stubber.add_client_error("start_job_run", "ValidationException", "the token differs")
    _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", emr.kind.active))
    _look(emr, emr.kind.succeeded)

    assert emr.kind.operator().execute(_context()) == "jr-1"


@pytest.mark.parametrize("may_look", [True, False])
def test_a_refusal_without_a_run_is_the_error(emr, may_look):
    emr.kind.prepare(emr.stubber)
    _list(emr)
    emr.stubber.add_client_error("start_job_run", "ValidationException", "the role is wrong")
    if may_look:
        _list(emr)
    else:
        emr.stubber.add_client_error("list_job_runs", "AccessDeniedException", "no")

    with pytest.raises(AirflowException, match="the role is wrong"):
        emr.kind.operator().execute(_context())


@pytest.mark.parametrize("retries", [0, 1])
def test_a_trigger_that_failed_leaves_no_run_unless_a_retry_adopts_it(emr, retries):
    context = _context(retries)
    if not retries:
        _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", emr.kind.active))
        emr.stubber.add_response("cancel_job_run", dict(emr.kind.one), dict(emr.kind.one))

    with pytest.raises(Exception, match="Trigger"):
        emr.kind.operator().resume_execution("__fail__", {"error": "Trigger timeout"}, context)


@pytest.mark.parametrize("name", ["clientToken", "applicationId", "executionRoleArn", "jobDriver"])
def test_what_the_operator_says_itself_must_not_stand_in_config(name):
    operator = Serverless.operator(config={name: "x"})

    with pytest.raises(AirflowFailException, match=f"config: it must not have {name}; "):
        operator.execute(_context())


@pytest.mark.parametrize(
    ("driver", "place"), [("hive", "HIVE_DRIVER"), ("sparkSubmit", "SPARK_DRIVER")]
)
def test_the_logs_of_hive_and_of_spark_stand_in_places_of_their_own(driver, place):
    run = {
        "id": "jr-1",
        "jobDriver": {driver: {}},
        "configurationOverrides": {
            "monitoringConfiguration": {"s3MonitoringConfiguration": {"logUri": "s3://logs/emr/"}}
        },
    }
    runs = Serverless.operator()._make_runs(_context())

    expected = f"s3://logs/emr/applications/00abc/jobs/jr-1/{place}"
    assert runs._logs(run)[1] == expected


def test_limits_and_throttling_are_waited_for(emr):
    emr.kind.prepare(emr.stubber)
    emr.stubber.add_client_error("list_job_runs", "ThrottlingException", "slow down")
    _list(emr)
    emr.stubber.add_client_error("start_job_run", "ServiceQuotaExceededException", "vCPU")
    _list(emr)
    _start(emr)
    _look(emr, emr.kind.succeeded)

    assert emr.kind.operator().execute(_context()) == "jr-1"


def test_a_failed_run_is_one_error(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr)
    _start(emr)
    _look(emr, "FAILED")

    with pytest.raises(AirflowException, match=r"jr-1 of \w+ ended as FAILED: because.*logUri"):
        emr.kind.operator().execute(_context())


def test_waiting_is_deferred_with_everything_that_is_needed(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr)
    _start(emr)
    _look(emr, emr.kind.active)
    operator = emr.kind.operator(
        deferrable=True, verify=False, botocore_config=NEVER, poll_interval=7
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(_context())
    trigger = deferred.value.trigger

    assert trigger.service == emr.kind.service
    assert trigger.identifiers() == dict(emr.kind.one)
    assert (trigger.region_name, trigger.verify, trigger.botocore_config) == (
        "eu-west-1",
        False,
        NEVER,
    )
    assert trigger.poll_interval == 7
    _look(emr, emr.kind.succeeded)
    event = {"status": "error", "message": "no network", "carried": trigger.carried}
    assert emr.kind.operator().execute_complete(_context(), event) == "jr-1"


def test_a_kill_cancels_the_run(emr):
    emr.kind.prepare(emr.stubber)
    _list(emr)
    _start(emr)
    _look(emr, emr.kind.active)
    operator = emr.kind.operator(deferrable=True)
    with pytest.raises(TaskDeferred):
        operator.execute(_context())
    emr.stubber.add_response("cancel_job_run", dict(emr.kind.one), dict(emr.kind.one))

    operator.on_kill()


def test_a_kill_before_the_id_is_known_finds_the_run(emr):
    operator = emr.kind.operator()
    operator._make_runs(_context())
    _list(emr, emr.kind.listed(f"nightly-{SHORT}-{SERIES}", emr.kind.active))
    emr.stubber.add_response("cancel_job_run", dict(emr.kind.one), dict(emr.kind.one))

    operator.on_kill()

    emr.stubber.assert_no_pending_responses()  # the run was found and cancelled
    with pytest.raises(TaskStoppedError):
        operator._kill_switch.check()


@pytest.mark.parametrize("emr", [Serverless], indirect=True)
def test_an_application_that_does_not_start_by_itself_is_started(emr):
    Serverless.prepare(emr.stubber, state="STOPPED", automatic=False)
    emr.stubber.add_response("start_application", {}, {"applicationId": "00abc"})
    _list(emr)
    _start(emr)
    _look(emr, emr.kind.succeeded)

    assert emr.kind.operator().execute(_context()) == "jr-1"
