"""What AWS does to runs of Glue: throttling, errors, lost answers, limits, timeouts.

Each ends well, or in one error that says what happened. Limits are waited for without a slot.
"""

import uuid
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, TaskDeferred

from include.local.fault_proxy import fault_proxy
from tests.integration.fault_pairs import some_pairs
from tests.integration.glue_tasks import event_of, finish, finish_counting, task_context
from updraft.operators.glue import (
    GlueColumnStatisticsOperator,
    GlueCrawlerOperator,
    GlueJobRunOperator,
    GlueWorkflowRunOperator,
)

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/glue"
THROTTLING = {"code": "ThrottlingException", "message": "Rate exceeded"}
SERVER_ERROR = {"code": "InternalServiceException", "status": 500, "message": "Out of order"}
LOST = {"response": {"abort_frac": 0.5}}
DONE = {"COMPLETED", "SUCCEEDED"}
SCRIPT = """
import sys, time
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
time.sleep(float(arguments.get("--seconds", 0)))
"""
# In few attempts, so that a test waits seconds where AWS makes wait minutes.
CONFIGURATION = {"retries": {"mode": "standard", "total_max_attempts": 4}}
AWS = {"aws_conn_id": None, "poll_interval": 1, "botocore_config": CONFIGURATION}


@pytest.fixture(scope="module")
def faults(local_stack, tmp_path_factory):
    with fault_proxy(local_stack.endpoint_url, tmp_path_factory.mktemp("faults")) as proxy:
        yield proxy


@pytest.fixture
def cloud(local_stack, faults, monkeypatch):
    """A cloud of its own, which operators reach through the proxy."""
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", faults.endpoint_url)
    yield _make_cloud(local_stack)
    faults.set_rules([])


def _make_cloud(local_stack):
    """Make a job, a workflow of it, a crawler and a table, all of one name."""
    session = boto3.Session("local", "local", region_name="us-east-1")
    s3, glue = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("s3", "glue")
    )
    name = f"faults-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="code/script.py", Body=SCRIPT.encode())
    s3.put_object(Bucket=name, Key="data/rows.jsonl", Body=b'{"id": 1}\n')
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{name}/code/script.py"}
    concurrency = {"MaxConcurrentRuns": 5}
    glue.create_job(Name=name, Role=ROLE, Command=command, ExecutionProperty=concurrency)
    glue.create_workflow(Name=name)
    glue.create_trigger(Name=name, WorkflowName=name, Type="ON_DEMAND", Actions=[{"JobName": name}])
    glue.create_database(DatabaseInput={"Name": name})
    targets = {"S3Targets": [{"Path": f"s3://{name}/data/"}]}
    glue.create_crawler(Name=name, Role=ROLE, DatabaseName=name, Targets=targets)
    columns = [{"Name": "id", "Type": "bigint"}]
    table = {
        "Name": "t",
        "Parameters": {"classification": "json"},
        "StorageDescriptor": {"Columns": columns, "Location": f"s3://{name}/data"},
    }
    glue.create_table(DatabaseName=name, TableInput=table)
    return SimpleNamespace(s3=s3, glue=glue, name=name)


@pytest.fixture(scope="module", autouse=True)
def overdue(local_stack):
    """A run that exceeds a minute, the shortest timeout that there is, while other tests run."""
    cloud = _make_cloud(local_stack)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_stack.environment.items():
            patch.setenv(name, value)
        operator = GlueJobRunOperator(
            task_id="work",
            job_name=cloud.name,
            script_arguments={"--seconds": "600"},
            timeout=1,
            **AWS,
        )
        with pytest.raises(TaskDeferred) as deferred:
            operator.execute(task_context(cloud.name))
    return SimpleNamespace(cloud=cloud, operator=operator, trigger=deferred.value.trigger)


class Job:
    start = "StartJobRun"

    @staticmethod
    def operator(name):
        return GlueJobRunOperator(task_id="work", job_name=name, **AWS)

    @staticmethod
    def states(glue, name):
        return [run["JobRunState"] for run in glue.get_job_runs(JobName=name)["JobRuns"]]


class Crawl:
    start = "StartCrawler"

    @staticmethod
    def operator(name):
        return GlueCrawlerOperator(task_id="work", crawler_name=name, **AWS)

    @staticmethod
    def states(glue, name):
        return [crawl["State"] for crawl in glue.list_crawls(CrawlerName=name)["Crawls"]]


class Statistics:
    start = "StartColumnStatisticsTaskRun"

    @staticmethod
    def operator(name):
        return GlueColumnStatisticsOperator(
            task_id="work", database_name=name, table_names="t", role=ROLE, **AWS
        )

    @staticmethod
    def states(glue, name):
        runs = glue.get_column_statistics_task_runs(DatabaseName=name, TableName="t")
        return [run["Status"] for run in runs["ColumnStatisticsTaskRuns"]]


class Workflow:
    start = "StartWorkflowRun"

    @staticmethod
    def operator(name):
        return GlueWorkflowRunOperator(task_id="work", workflow_name=name, **AWS)

    @staticmethod
    def states(glue, name):
        return [run["Status"] for run in glue.get_workflow_runs(Name=name)["Runs"]]


KINDS = (Job, Crawl, Statistics, Workflow)


def _errors(cloud, kind, most):
    """Run a task, and again after an error, as Airflow does; give the errors."""
    errors = []
    for attempt in range(1, most + 1):
        try:
            finish(kind.operator(cloud.name), task_context(cloud.name, attempt))
        except AirflowException as error:
            errors.append(str(error))
        else:
            return errors
    raise AssertionError(f"{most} attempts have failed: {errors}")


def _fired(faults):
    return [event["operation"] for event in faults.fired()]


STARTS_WITH = {"throttled": {"error": THROTTLING}, "reset": {"reset": True}, "answer-lost": LOST}


@pytest.mark.parametrize(("kind", "fault"), some_pairs(KINDS, STARTS_WITH))
def test_a_start_has_its_effect_once(cloud, faults, kind, fault):
    faults.set_rules(
        [{"service": "glue", "operation": kind.start, "times": 1, **STARTS_WITH[fault]}]
    )

    for told in _errors(cloud, kind, most=2):  # a retry has to mend it
        assert kind.start in told

    assert kind.start in _fired(faults)
    states = kind.states(cloud.glue, cloud.name)
    assert len(states) == 1
    assert set(states) <= DONE


NOW_AND_THEN = {
    "throttled": {"probability": 0.4, "error": THROTTLING},
    "server-errors": {"probability": 0.2, "error": SERVER_ERROR},
    "answers-lost": {"probability": 0.2, **LOST},
}


@pytest.mark.parametrize(("kind", "fault"), some_pairs(KINDS, NOW_AND_THEN))
def test_all_calls_fail_now_and_then(cloud, faults, kind, fault):
    faults.set_rules([{"service": "glue", **NOW_AND_THEN[fault]}])
    _errors(cloud, kind, most=8)
    faults.set_rules([])

    states = kind.states(cloud.glue, cloud.name)
    assert len(states) == 1
    assert set(states) <= DONE


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Job, "ConcurrentRunsExceededException"),
        pytest.param(Job, "ResourceNumberLimitExceededException", marks=pytest.mark.thorough),
        (Statistics, "ResourceNumberLimitExceededException"),
        pytest.param(Workflow, "ConcurrentRunsExceededException", marks=pytest.mark.thorough),
        (Workflow, "ResourceNumberLimitExceededException"),
    ],
)
def test_where_there_is_no_room_the_task_waits_without_a_slot(cloud, faults, kind, code):
    """The limit is the account's: the job or workflow itself has room."""
    error = {"code": code, "message": "Too many runs"}
    faults.set_rules([{"service": "glue", "operation": kind.start, "times": 2, "error": error}])
    before = _fired(faults).count(kind.start)

    _, deferrals = finish_counting(kind.operator(cloud.name), task_context(cloud.name))

    assert deferrals >= 3
    assert _fired(faults).count(kind.start) == before + 2
    states = kind.states(cloud.glue, cloud.name)
    assert len(states) == 1
    assert set(states) <= DONE


@pytest.mark.parametrize("kind", KINDS)
def test_what_glue_does_not_permit_is_one_error(cloud, faults, kind):
    error = {"code": "AccessDeniedException", "message": "no"}
    faults.set_rules([{"service": "glue", "operation": kind.start, "error": error}])

    with pytest.raises(AirflowException, match=f"glue:{kind.start} on .* is not permitted") as told:
        finish(kind.operator(cloud.name), task_context(cloud.name))

    assert "\n" not in str(told.value)
    assert kind.states(cloud.glue, cloud.name) == []


@pytest.mark.parametrize("is_own", [True, False])
def test_statistics_whose_start_was_not_answered_are_the_tasks_own(cloud, faults, is_own):
    cloud.s3.put_object(Bucket=cloud.name, Key="data/_hold", Body=b"")
    if is_own:
        fault = {"service": "glue", "operation": Statistics.start, "times": 1, **LOST}
        faults.set_rules([fault])
    else:
        cloud.glue.start_column_statistics_task_run(
            DatabaseName=cloud.name, TableName="t", Role=ROLE
        )
    operator = Statistics.operator(cloud.name)
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(task_context(cloud.name))

    assert deferred.value.trigger.own == (["t"] if is_own else [])
    assert abs(operator.hook.clock_difference.total_seconds()) < 5
    assert operator.hook.clock_difference  # it was measured
    cloud.s3.delete_object(Bucket=cloud.name, Key="data/_hold")
    operator.execute_complete(task_context(cloud.name), event_of(deferred.value.trigger))
    assert Statistics.states(cloud.glue, cloud.name) == ["SUCCEEDED"]


def test_a_trigger_that_may_not_look_lets_the_task_say_so(cloud, faults):
    operator = GlueJobRunOperator(
        task_id="work", job_name=cloud.name, script_arguments={"--seconds": "2"}, **AWS
    )
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(task_context(cloud.name))
    error = {"code": "ExpiredTokenException", "message": "it has expired"}
    faults.set_rules([{"service": "glue", "operation": "GetJobRun", "error": error}])

    event = event_of(deferred.value.trigger)
    assert event["status"] == "error"
    with pytest.raises(AirflowException, match="The credentials have expired; renew those of"):
        operator.execute_complete(task_context(cloud.name), event)

    # Mended, the next attempt adopts the run.
    faults.set_rules([])
    retry = GlueJobRunOperator(
        task_id="work", job_name=cloud.name, script_arguments={"--seconds": "2"}, **AWS
    )
    finish(retry, task_context(cloud.name, 2))
    assert Job.states(cloud.glue, cloud.name) == ["SUCCEEDED"]


@pytest.mark.thorough
def test_a_crawl_that_failed_is_followed_by_another_in_the_next_attempt(cloud):
    cloud.s3.put_object(Bucket=cloud.name, Key="data/rows.py", Body=b"no rows")
    for attempt in (1, 2):
        with pytest.raises(AirflowException, match="ended as FAILED"):
            finish(Crawl.operator(cloud.name), task_context(cloud.name, attempt))
        assert Crawl.states(cloud.glue, cloud.name) == ["FAILED"] * attempt

    cloud.s3.delete_object(Bucket=cloud.name, Key="data/rows.py")
    result = finish(Crawl.operator(cloud.name), task_context(cloud.name, 3))
    assert Crawl.states(cloud.glue, cloud.name) == ["COMPLETED", "FAILED", "FAILED"]
    # What has completed is not repeated.
    assert finish(Crawl.operator(cloud.name), task_context(cloud.name, 4)) == result
    assert len(Crawl.states(cloud.glue, cloud.name)) == 3


@pytest.mark.usefixtures("cloud")
def test_a_run_that_takes_too_long_says_so(overdue):
    cloud = overdue.cloud
    event = event_of(overdue.trigger)
    with pytest.raises(AirflowException, match="ended as TIMEOUT") as told:
        overdue.operator.execute_complete(task_context(cloud.name), event)

    assert "Its log is at https://console.aws.amazon.com/" in str(told.value)
    assert Job.states(cloud.glue, cloud.name) == ["TIMEOUT"]
