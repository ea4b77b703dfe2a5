"""The crash tests find what they are there for, and run tasks as Airflow does."""

import asyncio
import uuid

import boto3
import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.triggers.base import BaseTrigger, TriggerEvent

from tests.chaos.crash_airflow import DagRun, Subject
from tests.chaos.crash_faults import Fault, Injection, Moment
from tests.chaos.crash_sweep import KILLS, Sweep
from updraft.compat import DAG, BaseOperator

pytestmark = pytest.mark.integration


class MarkTrigger(BaseTrigger):
    """Writes an object, waits, and writes another one when a user ends the task."""

    def __init__(self, bucket):
        super().__init__()
        self.bucket = bucket

    def serialize(self):
        return f"{__name__}.MarkTrigger", {"bucket": self.bucket}

    async def run(self):
        await self._write("trigger")
        await asyncio.sleep(0.2)
        yield TriggerEvent("done")

    async def on_kill(self):
        await self._write("trigger-on-kill")

    async def _write(self, name):
        async with await S3Hook(aws_conn_id=None).get_async_conn() as client:
            await client.put_object(Bucket=self.bucket, Key=f"{name}/{uuid.uuid4()}")


class CarelessOperator(BaseOperator):
    """Writes an object in each phase of each try, without a look at what is there."""

    template_fields = ("bucket",)

    def __init__(self, bucket, *, deferrable, **kwargs):
        super().__init__(**kwargs)
        self.bucket = bucket
        self.deferrable = deferrable

    def execute(self, context):
        self._write(f"execute-{context['ti'].try_number}")
        if self.deferrable:
            self.defer(trigger=MarkTrigger(self.bucket), method_name="go_on")

    def go_on(self, context, event):
        self._write(f"go-on-{event}")

    def on_kill(self):
        self._write("on-kill")

    def _write(self, name):
        S3Hook(aws_conn_id=None).conn.put_object(Bucket=self.bucket, Key=f"{name}/{uuid.uuid4()}")


def careless_dag(bucket, deferrable):
    with DAG("crash", schedule=None) as dag:
        CarelessOperator(task_id="write", bucket="{{ '" + bucket + "' }}", deferrable=deferrable)
    return dag


SUBJECT = Subject(careless_dag, ("write",))


class Buckets:
    def __init__(self, stack):
        session = boto3.Session("local", "local", region_name="us-east-1")
        self.s3 = session.client("s3", endpoint_url=stack.endpoint_url)

    def fresh(self, *, deferrable):
        bucket = f"crash-{uuid.uuid4()}"
        self.s3.create_bucket(Bucket=bucket)
        return {"bucket": bucket, "deferrable": deferrable}

    def names(self, arguments):
        found = self.s3.list_objects_v2(Bucket=arguments["bucket"]).get("Contents", ())
        return sorted(entry["Key"].partition("/")[0] for entry in found)


@pytest.fixture
def buckets(local_stack):
    return Buckets(local_stack)


@pytest.fixture
def written(buckets, local_stack, tmp_path):
    """Run the task with one fault; give what it wrote, and how it went."""

    def written(injection):
        arguments = buckets.fresh(deferrable=True)
        run = DagRun(SUBJECT, arguments, local_stack.environment, tmp_path / "log", injection)
        outcome = run.run()
        assert outcome.happened is (injection is not None), run.report()
        return buckets.names(arguments), outcome

    return written


def test_a_task_that_repeats_itself_is_found(buckets, local_stack, tmp_path):
    def check(arguments, outcome):
        assert len(buckets.names(arguments)) == 1

    sweep = Sweep(
        SUBJECT,
        local_stack.environment,
        tmp_path,
        lambda: buckets.fresh(deferrable=False),
        check,
        changes="s3:PUT",
    )
    with pytest.raises(AssertionError) as caught:
        sweep.run(KILLS)

    text = str(caught.value)
    assert "=== killed after call 1" in text
    assert ">>> killed after call 1" in text
    assert "s3:PUT /crash-" in text
    assert "=== killed before call 1" not in text


@pytest.mark.parametrize(
    ("injection", "names"),
    [
        (None, ["execute-1", "go-on-done", "trigger"]),
        # 1 is the call of execute, 2 the word to Airflow that it defers.
        (Injection(Fault.KILL, Moment.BEFORE, 1), ["execute-2", "go-on-done", "trigger"]),
        (
            Injection(Fault.KILL, Moment.AFTER, 1),
            ["execute-1", "execute-2", "go-on-done", "trigger"],
        ),
        (
            Injection(Fault.KILL, Moment.BEFORE, 2),
            ["execute-1", "execute-2", "go-on-done", "trigger"],
        ),
        # 3 is the call of the trigger, which starts anew without its task.
        (
            Injection(Fault.KILL, Moment.AFTER, 3),
            ["execute-1", "go-on-done", "trigger", "trigger"],
        ),
        # 5 is the call of the method that takes the task up.
        (
            Injection(Fault.KILL, Moment.AFTER, 5),
            ["execute-1", "execute-2", "go-on-done", "go-on-done", "trigger", "trigger"],
        ),
        (
            Injection(Fault.CLEAR, Moment.AFTER, 3),
            ["execute-1", "execute-2", "go-on-done", "trigger", "trigger", "trigger-on-kill"],
        ),
    ],
    ids=str,
)
def test_what_happens_to_a_task_that_airflow_tries_again(written, injection, names):
    found, outcome = written(injection)

    assert found == names
    assert outcome.states == {"write": "success"}


def test_botocore_repeats_a_call_whose_answer_was_lost(written):
    found, outcome = written(Injection(Fault.LOSE_ANSWER, Moment.AFTER, 1))

    assert outcome.counted[0] == outcome.counted[1]
    assert found == ["execute-1", "go-on-done", "trigger"]  # with the same key
    assert (outcome.states, outcome.tries) == ({"write": "success"}, {"write": 1})


@pytest.mark.parametrize(
    ("injection", "names"),
    [
        (Injection(Fault.MARK_FAILED, Moment.AFTER, 1), ["execute-1", "on-kill"]),
        (
            Injection(Fault.MARK_FAILED, Moment.AFTER, 3),
            ["execute-1", "trigger", "trigger-on-kill"],
        ),
        (
            Injection(Fault.MARK_FAILED, Moment.AFTER, 3, tells_triggers=False),
            ["execute-1", "trigger"],
        ),
    ],
    ids=str,
)
def test_what_happens_to_a_task_that_a_user_ends(written, injection, names):
    found, outcome = written(injection)

    assert found == names
    assert outcome.states == {"write": "failed"}
