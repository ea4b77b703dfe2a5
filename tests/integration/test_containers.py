"""Commands in containers by the operators, on a local stack that really runs them."""

import asyncio
import uuid

import pytest
from airflow.exceptions import TaskDeferred
from airflow.providers.amazon.aws.hooks.batch_client import BatchClientHook

from tests.integration.container_places import ContainerPlaces, look_often
from tests.integration.glue_tasks import finish, resume, task_context, wait_until
from updraft.errors import UpdraftError
from updraft.operators.containers import BatchCommandOperator, EcsCommandOperator
from updraft.resource_owner import ResourceOwner

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def places(local_stack):
    return ContainerPlaces(local_stack.endpoint_url)


@pytest.fixture(params=["ecs", "batch"])
def kind(request):
    return request.param


@pytest.fixture(autouse=True)
def _environment(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "containers")
    monkeypatch.setattr(BatchClientHook, "delay", staticmethod(look_often))


@pytest.fixture
def running(places, kind):
    """Make the operator for a command of bash."""
    operator = EcsCommandOperator if kind == "ecs" else BatchCommandOperator

    def make(command, **more):
        given = {"deferrable": True, **places.arguments(kind, command), **more}
        return operator(task_id="work", **given)

    return make


@pytest.fixture
def own(places, kind):
    """List the containers of a run."""

    def listed(context):
        owner = ResourceOwner.of(context)
        found = places.containers(kind)
        return [one for one in found if ResourceOwner.from_tags(one["tags"]) == owner]

    return listed


def new_run(attempt=1, **more):
    return task_context(f"run-{uuid.uuid4()}", attempt, **more)


def again(context, attempt=2, **more):
    return task_context(context["ti"].run_id, attempt, **more)


def deferred(operator, context):
    with pytest.raises(TaskDeferred) as error:
        operator.execute(context)
    return error.value.trigger


@pytest.mark.parametrize("deferrable", [True, False], ids=["deferred", "slot"])
def test_a_command_runs_once_in_all_attempts(running, own, tmp_path, deferrable):
    context, effects = new_run(), tmp_path / "effects"
    command = f"echo ran >> {effects}"
    for each in (context, again(context)):
        finish(running(command, deferrable=deferrable), each)
    assert effects.read_text() == "ran\n"
    finish(running(command, deferrable=deferrable), again(context, max_tries=3))
    assert effects.read_text() == "ran\nran\n"
    assert len(own(context)) == 2


def test_a_retry_goes_on_with_what_runs_and_repeats_what_failed(running, own, tmp_path):
    context, go = new_run(), tmp_path / "go"
    command = f"echo x >> {tmp_path}/tries; until [ -e {go} ]; do sleep 0.1; done; [ -e {go}-on ]"
    deferred(running(command), context)
    trigger = deferred(running(command), again(context))
    cleared = deferred(running(command), again(context, max_tries=7))
    assert len(own(context)) == 1  # not even when the task was cleared meanwhile
    assert cleared.serialize() == trigger.serialize()
    go.touch()
    with pytest.raises(Exception, match=r"success state|[Ff]ail"):
        resume(running(command), again(context), trigger)
    (tmp_path / "go-on").touch()
    finish(running(command), again(context, 3))
    assert (tmp_path / "tries").read_text() == "x\nx\n"


def test_a_container_that_is_being_ended_is_waited_for(running, own, tmp_path):
    """It may still work, and has not done what it was to do."""
    context, effects = new_run(), tmp_path / "effects"
    command = (
        f"trap 'sleep 1; echo ended >> {effects}; exit 0' TERM; echo began >> {effects}; "
        f"[ $(wc -l < {effects}) = 1 ] || exit 0; sleep 60 & wait"
    )
    first = running(command)
    deferred(first, context)
    wait_until(effects.exists)
    first.on_kill()
    finish(running(command), again(context))
    assert effects.read_text() == "began\nended\nbegan\n"
    assert len(own(context)) == 2


@pytest.mark.parametrize("kind", ["ecs"])
def test_a_program_that_was_stopped_has_not_done_its_work(running, places, own, tmp_path):
    """Whatever its exit code says; AWS Batch calls such a job FAILED itself."""
    context, began = new_run(), tmp_path / "began"
    trigger = deferred(running(f"trap 'exit 0' TERM; touch {began}; sleep 60 & wait"), context)
    wait_until(began.exists)
    (found,) = own(context)
    places.ecs.stop_task(cluster=places.name, task=found["id"], reason="enough")
    with pytest.raises(UpdraftError, match=r"UserInitiated\): enough"):
        resume(running("true"), context, trigger)


def test_a_trigger_that_a_user_ends_ends_the_container(running, places, kind, own):
    context = new_run()
    trigger = deferred(running("sleep 60"), context)
    asyncio.run(type(trigger)(**trigger.serialize()[1]).on_kill())
    wait_until(lambda: not places.live(kind), 20)
    assert len(own(context)) == 1
