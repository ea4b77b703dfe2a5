"""Jobs of EMR Serverless and of EMR on EKS, harmed at every call of AWS.

The script writes a line into a file of this machine: so often it has really taken effect.
"""

import time
import uuid
from pathlib import Path

import boto3
import pytest

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_faults import Fault
from tests.chaos.crash_sweep import IS_FULL, KILLS, USER_ACTIONS, WAYS, Sweep
from updraft.compat import DAG
from updraft.operators.emr import EmrContainersJobOperator, EmrServerlessJobOperator
from updraft.operators.reaper import ReapOrphansOperator

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not IS_FULL, reason="Spark takes too long for a short sweep"),
]

ROLE = "arn:aws:iam::123456789012:role/emr"
CHANGES = "emr-(serverless|containers):(POST|DELETE) .*/jobruns"
ENDED = {"SUCCESS", "COMPLETED", "FAILED", "CANCELLED"}
PATIENCE = 5  # seconds in which a run that was told to end ends; less than LONG
LONG = "20"
SCRIPT = b"""
import sys, time

seconds, effects = sys.argv[1:]
time.sleep(float(seconds))
with open(effects, "a") as file:
    file.write("done\\n")
"""


def emr_dag(*, service, parent_id, script, effects, seconds, deferrable):
    common = {"aws_conn_id": None, "poll_interval": 1, "deferrable": deferrable}
    driver = {"entryPoint": script, "entryPointArguments": [seconds, effects]}
    with DAG("crash", schedule=None) as dag:
        if service == "emr-serverless":
            EmrServerlessJobOperator(
                task_id="run",
                application_id=parent_id,
                execution_role_arn=ROLE,
                job_driver={"sparkSubmit": driver},
                name="crash",
                **common,
            )
        else:
            EmrContainersJobOperator(
                task_id="run",
                name="crash",
                virtual_cluster_id=parent_id,
                execution_role_arn=ROLE,
                release_label="emr-7.5.0-latest",
                job_driver={"sparkSubmitJobDriver": driver},
                **common,
            )
        ReapOrphansOperator(
            task_id="reap", services=[service], minutes=0, report_only=False, aws_conn_id=None
        )
    return dag


@pytest.fixture(scope="module")
def session(local_stack):
    session = boto3.Session("local", "local", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=local_stack.endpoint_url)


@pytest.fixture(scope="module")
def script(session):
    bucket = f"crash-{uuid.uuid4()}"
    session("s3").create_bucket(Bucket=bucket)
    session("s3").put_object(Bucket=bucket, Key="job.py", Body=SCRIPT)
    return f"s3://{bucket}/job.py"


class Serverless:
    """An application of EMR Serverless for each run, so that its job runs are this run's."""

    def __init__(self, session):
        self._client = session("emr-serverless")

    def parent(self):
        return self._client.create_application(
            name="crash", releaseLabel="emr-7.5.0", type="SPARK", clientToken=str(uuid.uuid4())
        )["applicationId"]

    def states(self, parent_id):
        runs = self._client.list_job_runs(applicationId=parent_id)["jobRuns"]
        return [run["state"] for run in runs]


class Containers:
    """A virtual cluster of EMR on EKS for each run."""

    def __init__(self, session):
        self._client = session("emr-containers")

    def parent(self):
        namespace = {"eksInfo": {"namespace": str(uuid.uuid4())}}
        provider = {"id": "eks", "type": "EKS", "info": namespace}
        return self._client.create_virtual_cluster(name="crash", containerProvider=provider)["id"]

    def states(self, parent_id):
        runs = self._client.list_job_runs(virtualClusterId=parent_id)["jobRuns"]
        return [run["state"] for run in runs]


SERVICES = {"emr-serverless": Serverless, "emr-containers": Containers}


@pytest.fixture
def harm(session, script, local_stack, tmp_path):
    def harm(service, check, faults, *, deferrable, seconds, cleanup=()):
        cloud = SERVICES[service](session)

        def fresh():
            return {
                "service": service,
                "parent_id": cloud.parent(),
                "script": script,
                "effects": str(tmp_path / f"{uuid.uuid4()}.txt"),
                "seconds": seconds,
                "deferrable": deferrable,
            }

        def checked(arguments, outcome):
            deadline = time.monotonic() + PATIENCE
            while set(states := cloud.states(arguments["parent_id"])) - ENDED:
                assert time.monotonic() < deadline, f"a run goes on: {states}"
                time.sleep(0.2)
            effects = Path(arguments["effects"])
            lines = len(effects.read_text().splitlines()) if effects.exists() else 0
            check(outcome, states, lines)

        subject = Subject(emr_dag, ("run",), cleanup)
        Sweep(subject, local_stack.environment, tmp_path, fresh, checked, CHANGES).run(faults)

    return harm


SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")
ALL = pytest.mark.parametrize("service", SERVICES)


@SLOTS
@ALL
def test_a_job_runs_once(harm, service, deferrable):
    def check(outcome, states, effects):
        assert outcome.states == {"run": "success"}
        assert len(states) == effects == 1

    harm(service, check, KILLS, deferrable=deferrable, seconds="0")


@SLOTS
@ALL
def test_a_user_who_ends_the_task_ends_the_run(harm, service, deferrable):
    """The reaper ends what no trigger ended."""

    def check(outcome, states, effects):
        if outcome.happened and outcome.injection.fault is Fault.MARK_FAILED:
            assert outcome.states["run"] == "failed"
            assert len(states) <= 1
            assert effects <= 1
        else:
            assert outcome.states["run"] == "success"
            assert len(states) <= 2
            # What was done before a user cleared the task may be done anew.
            assert 1 <= effects <= len(states)

    harm(service, check, USER_ACTIONS, deferrable=deferrable, seconds=LONG, cleanup=("reap",))
