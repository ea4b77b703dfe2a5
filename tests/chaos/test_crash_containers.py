"""Commands in containers, harmed at every call of ECS and AWS Batch.

The command writes into a file of this machine: so often it has really taken effect.
"""

import uuid
from pathlib import Path

import pytest
from airflow.providers.amazon.aws.hooks.batch_client import BatchClientHook

from tests.chaos.crash_airflow import Subject
from tests.chaos.crash_faults import Fault
from tests.chaos.crash_sweep import IS_FULL, KILLS, USER_ACTIONS, WAYS, Sweep
from tests.integration.container_places import OVER, ContainerPlaces, look_often
from tests.integration.glue_tasks import wait_until
from updraft.compat import DAG
from updraft.operators.containers import BatchCommandOperator, EcsCommandOperator
from updraft.operators.reaper import ReapOrphansOperator

pytestmark = pytest.mark.integration

CHANGES = "ecs:(RunTask|StopTask)|batch:POST /v1/(submitjob|terminatejob)"


def container_dag(kind, arguments, effects, deferrable):
    operator = EcsCommandOperator if kind == "ecs" else BatchCommandOperator
    BatchClientHook.delay = staticmethod(look_often)
    with DAG("crash", schedule=None) as dag:
        operator(task_id="work", deferrable=deferrable, **arguments)
        ReapOrphansOperator(
            task_id="reap", services=[kind], minutes=0, report_only=False, aws_conn_id=None
        )
    return dag


@pytest.fixture
def harm(local_stack, tmp_path):
    def harm(check, faults, kind, *, deferrable, cleanup=()):
        place = ContainerPlaces(local_stack.endpoint_url)

        def fresh():
            effects = str(tmp_path / f"{uuid.uuid4()}.txt")
            arguments = place.arguments(kind, f"sleep 1; echo done >> {effects}")
            return {
                "kind": kind,
                "arguments": arguments,
                "effects": effects,
                "deferrable": deferrable,
            }

        def checked(arguments, outcome):
            effects = Path(arguments["effects"])

            def own():
                return [one for one in place.containers(kind) if str(effects) in str(one)]

            wait_until(lambda: {one["status"] for one in own()} <= OVER, 15)
            done = effects.read_text().split() if effects.exists() else []
            check(outcome, own(), done)

        subject = Subject(container_dag, ("work",), cleanup)
        environment = local_stack.environment
        Sweep(subject, environment, tmp_path, fresh, checked, CHANGES).run(faults)

    return harm


CLEANUPS = [pytest.param((), id="nothing")]
if IS_FULL:
    CLEANUPS.append(pytest.param(("reap",), id="reaper"))
KINDS = pytest.mark.parametrize("kind", ["ecs", "batch"])
SLOTS = pytest.mark.parametrize("deferrable", WAYS, ids=lambda way: "deferred" if way else "slot")


@SLOTS
@KINDS
def test_one_container_runs_the_command_once(harm, kind, deferrable):
    def check(outcome, containers, effects):
        assert set(outcome.states.values()) == {"success"}
        assert len(containers) == 1
        assert effects == ["done"]

    harm(check, KILLS, kind, deferrable=deferrable)


@SLOTS
@KINDS
@pytest.mark.parametrize("cleanup", CLEANUPS)
@pytest.mark.thorough
def test_no_container_outlives_a_task_that_a_user_ends(harm, kind, deferrable, cleanup):
    def check(outcome, containers, effects):
        if outcome.happened and outcome.injection.fault is Fault.MARK_FAILED:
            assert effects in ([], ["done"])
            assert len(containers) <= 1
        else:
            assert set(outcome.states.values()) == {"success"}
            assert effects[-1:] == ["done"]

    harm(check, USER_ACTIONS, kind, deferrable=deferrable, cleanup=cleanup)
