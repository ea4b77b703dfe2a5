"""Runs of a Glue job, harmed at every call of AWS.

The script writes a line into a file of this machine: so often it has really taken effect.
"""

import time
import uuid
from pathlib import Path

import boto3
import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_faults import Fault
from tests.chaos.crash_sweep import KILLS, USER_ACTIONS, WAYS, Sweep
from updraft.compat import DAG
from updraft.operators.glue_job import GlueJobRunOperator
from updraft.operators.reaper import ReapOrphansOperator

pytestmark = pytest.mark.integration

JOB = "crash"
STARTS = "glue:StartJobRun"
TOLD = [
    (fault, moment, tells)
    for fault, moment, tells in USER_ACTIONS
    if fault is Fault.MARK_FAILED and tells
]
GOING_ON = {"STARTING", "RUNNING", "STOPPING", "WAITING"}
PATIENCE = 2.5  # seconds in which a run that was told to stop stops; less than LONG
LONG = "5"
SCRIPT = """
import sys, time
arguments = dict(zip(sys.argv[1::2], sys.argv[2::2]))
time.sleep(float(arguments["--seconds"]))
with open(arguments["--effects"], "a") as effects:
    effects.write("done\\n")
"""


def glue_dag(effects, seconds, deferrable):
    with DAG("crash", schedule=None) as dag:
        GlueJobRunOperator(
            task_id="run",
            job_name=JOB,
            script_arguments={"--effects": effects, "--seconds": seconds},
            aws_conn_id=None,
            poll_interval=1,
            deferrable=deferrable,
        )
        ReapOrphansOperator(
            task_id="reap", services=["glue"], minutes=0, report_only=False, aws_conn_id=None
        )
    return dag


@pytest.fixture(scope="module")
def glue(local_stack):
    session = boto3.Session("local", "local", region_name="us-east-1")
    s3, glue = (
        session.client(service, endpoint_url=local_stack.endpoint_url) for service in ("s3", "glue")
    )
    bucket = f"crash-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="script.py", Body=SCRIPT.encode())
    glue.create_job(
        Name=JOB,
        Role="arn:aws:iam::123456789012:role/glue",
        Command={
            "Name": "pythonshell",
            "PythonVersion": "3.9",
            "ScriptLocation": f"s3://{bucket}/script.py",
        },
        ExecutionProperty={"MaxConcurrentRuns": 50},
    )
    return glue


@pytest.fixture
def harm(glue, local_stack, tmp_path):
    def runs(arguments):
        pages = glue.get_paginator("get_job_runs").paginate(JobName=JOB)
        return [
            run
            for page in pages
            for run in page["JobRuns"]
            if run["Arguments"]["--effects"] == arguments["effects"]
        ]

    def harm(check, faults, *, deferrable, seconds, cleanup=()):
        def fresh():
            effects = tmp_path / f"{uuid.uuid4()}.txt"
            return {"effects": str(effects), "seconds": seconds, "deferrable": deferrable}

        def checked(arguments, outcome):
            deadline = time.monotonic() + PATIENCE
            while GOING_ON & set(states := [run["JobRunState"] for run in runs(arguments)]):
                assert time.monotonic() < deadline, f"a run goes on: {states}"
                time.sleep(0.2)
            effects = Path(arguments["effects"])
            lines = len(effects.read_text().splitlines()) if effects.exists() else 0
            check(outcome, states, lines)

        subject = Subject(glue_dag, ("run",), cleanup)
        environment = local_stack.environment
        Sweep(subject, environment, tmp_path, fresh, checked, STARTS).run(faults)

    return harm


SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")


@SLOTS
def test_a_job_runs_once(harm, deferrable):
    def check(outcome, states, effects):
        assert outcome.states == {"run": "success"}
        assert (states, effects) == (["SUCCEEDED"], 1)

    harm(check, KILLS, deferrable=deferrable, seconds="1")


@pytest.mark.thorough
@SLOTS
def test_a_user_who_ends_the_task_ends_the_run(harm, deferrable):
    """The reaper ends what was begun too late for the task itself, and what no trigger ended."""

    def check(outcome, states, effects):
        user = outcome.injection and outcome.injection.fault
        if not outcome.happened or user is Fault.CLEAR:
            assert outcome.states["run"] == "success"
            # What had succeeded before a user cleared the deferred task is done anew.
            assert 1 <= effects <= 1 + outcome.happened
            assert states.count("SUCCEEDED") == effects
        else:
            assert outcome.states["run"] == "failed"
            assert effects == states.count("SUCCEEDED")
            assert len(states) <= 1

    harm(check, USER_ACTIONS, deferrable=deferrable, seconds=LONG, cleanup=("reap",))


@SLOTS
def test_a_task_that_is_told_to_stop_leaves_no_run_behind(harm, deferrable):
    """Neither one that it starts after the signal, nor one that it was just starting."""

    def check(outcome, states, effects):
        if outcome.happened:
            assert outcome.states["run"] == "failed"
            assert effects == states.count("SUCCEEDED")
        else:
            assert states == ["SUCCEEDED"]

    harm(check, TOLD, deferrable=deferrable, seconds=LONG)
