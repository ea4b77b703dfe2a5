"""An instance and a command on it, harmed at every call of AWS from the setup to the teardown.

The command writes into a file of this machine: so often it has really taken effect.
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
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.reaper import ReapOrphansOperator
from updraft.operators.shell_command import ShellCommandOperator

pytestmark = pytest.mark.integration

CHANGES = "(ec2|ssm):(RunInstances|TerminateInstances|SendCommand|CancelCommand)"


def shell_dag(effects, tag, deferrable):
    common = {"aws_conn_id": None, "poll_interval": 1, "deferrable": deferrable}
    with DAG("crash", schedule=None) as dag:
        launch = Ec2InstanceOperator(
            task_id="launch", instance_profile="machine", key_name=tag, **common
        ).as_setup()
        work = ShellCommandOperator(
            task_id="work",
            instance_id=launch.output,
            command=f"sleep 0.5; echo done >> {effects}",
            **common,
        )
        end = Ec2TerminateInstanceOperator(
            task_id="end", instance_id=launch.output, setup_task_id="launch", **common
        ).as_teardown(setups=launch)
        launch >> work >> end
        ReapOrphansOperator(
            task_id="reap", services=["ec2"], minutes=0, report_only=False, aws_conn_id=None
        )
    return dag


@pytest.fixture
def harm(local_stack, tmp_path):
    session = boto3.Session("local", "local", region_name="us-east-1")
    ec2 = session.client("ec2", endpoint_url=local_stack.endpoint_url)

    def states(tag):
        found = ec2.describe_instances(Filters=[{"Name": "key-name", "Values": [tag]}])
        return [one["State"]["Name"] for each in found["Reservations"] for one in each["Instances"]]

    def harm(check, faults, *, deferrable, cleanup=("end",)):
        def fresh():
            tag = str(uuid.uuid4())
            effects = tmp_path / f"{tag}.txt"
            return {"effects": str(effects), "tag": tag, "deferrable": deferrable}

        def checked(arguments, outcome):
            deadline = time.monotonic() + 15
            while set(found := states(arguments["tag"])) - {"terminated"}:
                assert time.monotonic() < deadline, f"an instance goes on: {found}"
                time.sleep(0.2)
            effects = Path(arguments["effects"])
            check(outcome, found, effects.read_text().split() if effects.exists() else [])

        subject = Subject(shell_dag, ("launch", "work"), cleanup)
        environment = local_stack.environment
        Sweep(subject, environment, tmp_path, fresh, checked, CHANGES).run(faults)

    return harm


CLEANUPS = [pytest.param(("end",), id="teardown")]
if IS_FULL:
    CLEANUPS.append(pytest.param(("reap",), id="reaper"))
SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")


@SLOTS
def test_one_instance_runs_the_command_once_and_ends(harm, deferrable):
    def check(outcome, instances, effects):
        assert set(outcome.states.values()) == {"success"}
        assert len(instances) == 1
        assert effects == ["done"]

    harm(check, KILLS, deferrable=deferrable)


@SLOTS
@pytest.mark.parametrize("cleanup", CLEANUPS)
@pytest.mark.thorough
def test_nothing_is_left_when_a_user_ends_a_task(harm, deferrable, cleanup):
    def check(outcome, instances, effects):
        if outcome.happened and outcome.injection.fault is Fault.MARK_FAILED:
            assert effects in ([], ["done"])
        else:
            assert set(outcome.states.values()) == {"success"}
            assert effects[-1:] == ["done"]

    harm(check, USER_ACTIONS, deferrable=deferrable, cleanup=cleanup)
