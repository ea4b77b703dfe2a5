"""Clusters and their steps, harmed at every call of AWS from the setup to the last step.

The steps write into files of this machine: so often they have really taken effect.
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
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)
from updraft.operators.reaper import ReapOrphansOperator

pytestmark = pytest.mark.integration

CHANGES = "elasticmapreduce:(RunJobFlow|AddJobFlowSteps|TerminateJobFlows|CancelSteps)"
ENDED = {"TERMINATED", "TERMINATED_WITH_ERRORS"}


def emr_dag(effects, seconds, deferrable, retry_from):
    common = {"aws_conn_id": None, "poll_interval": 1, "deferrable": deferrable}
    with DAG("crash", schedule=None) as dag:
        create = EmrClusterOperator(
            task_id="create",
            cluster={
                "Name": Path(effects).name,
                "ReleaseLabel": "emr-7.9.0",
                "Instances": {
                    "InstanceGroups": [
                        {
                            "InstanceRole": "MASTER",
                            "InstanceType": "m5.xlarge",
                            "InstanceCount": 1,
                        }
                    ]
                },
                "JobFlowRole": "EMR_EC2_DefaultRole",
                "ServiceRole": "EMR_DefaultRole",
            },
            **common,
        ).as_setup()
        steps = EmrStepsOperator(
            task_id="steps",
            cluster_id=create.output,
            steps=[
                {
                    "Name": name,
                    "ActionOnFailure": "CONTINUE",
                    "HadoopJarStep": {
                        "Jar": "command-runner.jar",
                        "Args": ["bash", "-c", f"sleep {seconds}; echo {name} >> {effects}"],
                    },
                }
                for name in ("first", "second")
            ],
            retry_from=retry_from,
            **common,
        )
        end = EmrTerminateClusterOperator(
            task_id="end", cluster_id=create.output, setup_task_id="create", **common
        ).as_teardown(setups=create)
        create >> steps >> end
        ReapOrphansOperator(
            task_id="reap", services=["emr"], minutes=0, report_only=False, aws_conn_id=None
        )
    return dag


@pytest.fixture(scope="module")
def emr(local_stack):
    session = boto3.Session("local", "local", region_name="us-east-1")
    return session.client("emr", endpoint_url=local_stack.endpoint_url)


@pytest.fixture
def harm(emr, local_stack, tmp_path):
    def clusters(arguments):
        pages = emr.get_paginator("list_clusters").paginate()
        name = Path(arguments["effects"]).name
        return [
            cluster["Status"]["State"]
            for page in pages
            for cluster in page["Clusters"]
            if cluster["Name"].startswith(name)
        ]

    def harm(
        check,
        faults,
        *,
        deferrable,
        seconds="0.5",
        cleanup=("end",),
        retry_from="failed_step",
    ):
        def fresh():
            effects = tmp_path / f"{uuid.uuid4()}.txt"
            return {
                "effects": str(effects),
                "seconds": seconds,
                "deferrable": deferrable,
                "retry_from": retry_from,
            }

        def checked(arguments, outcome):
            deadline = time.monotonic() + 15
            while set(states := clusters(arguments)) - ENDED:
                assert time.monotonic() < deadline, f"a cluster goes on: {states}"
                time.sleep(0.2)
            effects = Path(arguments["effects"])
            check(outcome, states, effects.read_text().split() if effects.exists() else [])

        subject = Subject(emr_dag, ("create", "steps"), cleanup)
        environment = local_stack.environment
        Sweep(subject, environment, tmp_path, fresh, checked, CHANGES).run(faults)

    return harm


CLEANUPS = [pytest.param(("end",), id="teardown")]
if IS_FULL:
    CLEANUPS.append(pytest.param(("reap",), id="reaper"))
# No kill makes a step fail, so that both go on where the killed attempt was.
RETRY_FROM = pytest.mark.parametrize(
    "retry_from", ["failed_step", "first_step"] if IS_FULL else ["failed_step"]
)
SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")


@SLOTS
@RETRY_FROM
def test_one_cluster_runs_each_step_once_and_ends(harm, deferrable, retry_from):
    def check(outcome, clusters, effects):
        assert set(outcome.states.values()) == {"success"}
        assert len(clusters) == 1
        assert effects == ["first", "second"]

    harm(check, KILLS, deferrable=deferrable, retry_from=retry_from)


@SLOTS
@pytest.mark.parametrize("cleanup", CLEANUPS)
def test_nothing_is_left_when_a_user_ends_a_task(harm, deferrable, cleanup):
    def check(outcome, clusters, effects):
        if outcome.happened and outcome.injection.fault is Fault.MARK_FAILED:
            assert effects in ([], ["first"], ["first", "second"])
        else:
            # What had begun before the task was cleared may have been ended in the middle.
            assert set(outcome.states.values()) == {"success"}
            assert effects[-2:] == ["first", "second"]

    harm(check, USER_ACTIONS, deferrable=deferrable, cleanup=cleanup)
