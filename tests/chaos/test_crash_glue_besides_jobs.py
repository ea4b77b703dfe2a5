"""Crawls, statistics, evaluations and workflow runs of Glue, harmed at every call of AWS.

Glue takes no tags for any of these; of them the reaper sees workflow runs alone, by their
properties. What nobody has told to stop comes to its end by itself.
"""

import threading
import time
import uuid
from abc import ABC, abstractmethod

import boto3
import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_faults import Fault
from tests.chaos.crash_sweep import IS_FULL, KILLS, USER_ACTIONS, WAYS, Sweep
from updraft.compat import DAG
from updraft.operators.glue import (
    GlueColumnStatisticsOperator,
    GlueCrawlerOperator,
    GlueDataQualityRulesetRunOperator,
    GlueWorkflowRunOperator,
)

pytestmark = pytest.mark.integration

ROLE = "arn:aws:iam::123456789012:role/glue"
GOING_ON = {"STARTING", "RUNNING"}
DONE = {"COMPLETED", "SUCCEEDED"}
PATIENCE = 6  # seconds in which what was told to stop stops; less than LONG less the grace of 5
LONG = 15.0
ROWS = b'{"id": 1, "city": "Ulm"}\n{"id": 2, "city": "Bonn"}\n'
SCRIPT = """
import sys, time
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
time.sleep(float(arguments["--seconds"]))
"""


class Kind(ABC):
    """One kind of work that Glue does.

    :param changes: pattern of the calls that start or end it.
    """

    changes: str

    @abstractmethod
    def operator(self, name, **common):
        """Make the task."""

    @abstractmethod
    def prepare(self, glue, name, seconds):
        """Make what it works on, and how long it takes where that is not held up from outside."""

    @abstractmethod
    def states(self, glue, name):
        """List the states of all work that was begun."""


class Crawl(Kind):
    changes = "glue:(Start|Stop)Crawler"

    def operator(self, name, **common):
        return GlueCrawlerOperator(crawler_name=name, **common)

    def prepare(self, glue, name, seconds):
        targets = {"S3Targets": [{"Path": f"s3://{name}/data/"}]}
        glue.create_crawler(Name=name, Role=ROLE, DatabaseName=name, Targets=targets)

    def states(self, glue, name):
        return [crawl["State"] for crawl in glue.list_crawls(CrawlerName=name)["Crawls"]]


class Statistics(Kind):
    changes = "glue:(Start|Stop)ColumnStatisticsTaskRun"

    def operator(self, name, **common):
        return GlueColumnStatisticsOperator(
            database_name=name, role=ROLE, table_names="data", **common
        )

    def prepare(self, glue, name, seconds):
        _table(glue, name)

    def states(self, glue, name):
        runs = glue.get_column_statistics_task_runs(DatabaseName=name, TableName="data")
        return [run["Status"] for run in runs["ColumnStatisticsTaskRuns"]]


class Evaluation(Kind):
    changes = "glue:(Start|Cancel)DataQualityRulesetEvaluationRun"

    def operator(self, name, **common):
        return GlueDataQualityRulesetRunOperator(
            database_name=name, table_name="data", ruleset_names=[name], role=ROLE, **common
        )

    def prepare(self, glue, name, seconds):
        _table(glue, name)
        glue.create_data_quality_ruleset(Name=name, Ruleset="Rules = [RowCount = 2]")

    def states(self, glue, name):
        source = {"GlueTable": {"DatabaseName": name, "TableName": "data"}}
        runs = glue.list_data_quality_ruleset_evaluation_runs(Filter={"DataSource": source})
        return [run["Status"] for run in runs["Runs"]]


class Workflow(Kind):
    changes = "glue:(Start|Stop)WorkflowRun"

    def operator(self, name, **common):
        return GlueWorkflowRunOperator(workflow_name=name, **common)

    def prepare(self, glue, name, seconds):
        command = {"Name": "pythonshell", "ScriptLocation": f"s3://{name}/code/script.py"}
        arguments = {"--seconds": str(seconds)}
        glue.create_job(Name=name, Role=ROLE, Command=command, DefaultArguments=arguments)
        glue.create_workflow(Name=name)
        glue.create_trigger(
            Name=name, WorkflowName=name, Type="ON_DEMAND", Actions=[{"JobName": name}]
        )

    def states(self, glue, name):
        return [run["Status"] for run in glue.get_workflow_runs(Name=name)["Runs"]]


def _table(glue, name):
    columns = [{"Name": "id", "Type": "bigint"}, {"Name": "city", "Type": "string"}]
    table = {
        "Name": "data",
        "Parameters": {"classification": "json"},
        "StorageDescriptor": {"Columns": columns, "Location": f"s3://{name}/data"},
    }
    glue.create_table(DatabaseName=name, TableInput=table)


KINDS = {
    "crawl": Crawl(),
    "statistics": Statistics(),
    "evaluation": Evaluation(),
    "workflow": Workflow(),
}
SHORT = ("crawl",)  # a short sweep has no time for more


def glue_dag(kind, name, deferrable):
    with DAG("crash", schedule=None) as dag:
        KINDS[kind].operator(
            name,
            task_id="work",
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
            retries=2,
        )
    return dag


@pytest.fixture
def harm(local_stack, tmp_path):
    session = boto3.Session("local", "local", region_name="us-east-1")
    s3, glue = (
        session.client(service, endpoint_url=local_stack.endpoint_url) for service in ("s3", "glue")
    )
    timers = []

    def harm(kind, check, faults, *, deferrable, seconds):
        def fresh():
            name = f"crash-{uuid.uuid4()}"
            s3.create_bucket(Bucket=name)
            s3.put_object(Bucket=name, Key="data/rows.jsonl", Body=ROWS)
            s3.put_object(Bucket=name, Key="code/script.py", Body=SCRIPT.encode())
            glue.create_database(DatabaseInput={"Name": name})
            KINDS[kind].prepare(glue, name, seconds)
            if seconds:
                hold = {"Bucket": name, "Key": "data/_hold"}
                s3.put_object(**hold)
                timers.append(threading.Timer(seconds, s3.delete_object, kwargs=hold))
                timers[-1].start()
            return {"kind": kind, "name": name, "deferrable": deferrable}

        def checked(arguments, outcome):
            deadline = time.monotonic() + (PATIENCE if _is_told(outcome) else LONG)
            while GOING_ON & set(states := KINDS[kind].states(glue, arguments["name"])):
                assert time.monotonic() < deadline, f"it goes on: {states}"
                time.sleep(0.2)
            check(outcome, states)

        subject = Subject(glue_dag, ("work",))
        environment, changes = local_stack.environment, KINDS[kind].changes
        Sweep(subject, environment, tmp_path, fresh, checked, changes).run(faults)

    yield harm
    for timer in timers:
        timer.join()


def _is_told(outcome):
    """Say whether Airflow has told task or trigger that a user has ended it, if one has."""
    return outcome.injection is None or outcome.injection.tells_triggers


SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")


@SLOTS
@pytest.mark.parametrize("kind", KINDS if IS_FULL else SHORT)
def test_it_is_done_once(harm, kind, deferrable):
    def check(outcome, states):
        assert outcome.states == {"work": "success"}
        assert len(states) == 1
        assert set(states) <= DONE

    harm(kind, check, KILLS, deferrable=deferrable, seconds=0)


@pytest.mark.skipif(not IS_FULL, reason="takes too long for a short sweep")
@SLOTS
@pytest.mark.parametrize("kind", KINDS)
def test_a_user_who_ends_the_task_ends_it(harm, kind, deferrable):
    def check(outcome, states):
        if outcome.happened and outcome.injection.fault is Fault.MARK_FAILED:
            assert outcome.states == {"work": "failed"}
            assert len(states) <= 1
        else:
            # What was done before a user cleared the task is done anew.
            assert outcome.states == {"work": "success"}
            assert 1 <= sum(state in DONE for state in states) <= 2

    harm(kind, check, USER_ACTIONS, deferrable=deferrable, seconds=LONG)
