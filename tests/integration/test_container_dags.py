"""Converted commands in containers, run by a real Airflow on the local stack.

One run for each service shows a command that succeeds, one that fails, and two that a user ends:
one waits in the triggerer, one in its slot.
"""

import json
import uuid

import boto3
import pytest

from tests.integration.container_places import ContainerPlaces
from tests.integration.glue_tasks import wait_until
from updraft.migration.conversion import convert_file

pytestmark = pytest.mark.integration

_SECONDS = 150
_ENDLESS = "sleep 600"


def _activity(name, command, **more):
    return {
        "id": name,
        "type": "ShellCommandActivity",
        "runsOn": {"ref": "Machine"},
        "command": command,
        "maximumRetries": "0",
        **more,
    }


def _definition(bucket, effects):
    def folder(name, path):
        return {"id": name, "type": "S3DataNode", "directoryPath": f"s3://{bucket}/{path}"}

    said = 'echo "$1, $(cat ${INPUT1_STAGING_DIR}/who)" > ${OUTPUT1_STAGING_DIR}/said'
    return {
        "objects": [
            {"id": "Default", "scheduleType": "ondemand"},
            {"id": "Machine", "type": "Ec2Resource"},
            folder("In", "in"),
            folder("Out", "out"),
            _activity(
                "Greet",
                f"{said}; echo x >> {effects}",
                scriptArgument="it's <me> & you",
                stage="true",
                input={"ref": "In"},
                output={"ref": "Out"},
            ),
            _activity("Broken", "exit 3"),
            _activity("Deferred", _ENDLESS),
            _activity("InSlot", _ENDLESS),
        ]
    }


def _quickly(source):
    """Look often, and let one task wait in its slot, as a person may write it."""
    head, task, tail = source.partition('task_id="in_slot"')
    tail = tail.replace("deferrable=True", "deferrable=False", 1)
    polling = "poll_interval=1" if "BatchCommandOperator" in source else "waiter_delay=1"
    source = f"{head}{task}{tail}"
    return source.replace("deferrable=True", f"deferrable=True, {polling}").replace(
        "deferrable=False", f"deferrable=False, {polling}"
    )


@pytest.mark.parametrize("kind", ["ecs", "batch"])
def test_converted_commands_run_and_end_with_their_tasks(local_stack, dag_runs, tmp_path, kind):
    session = boto3.Session("local", "local", region_name="us-east-1")
    s3 = session.client("s3", endpoint_url=local_stack.endpoint_url)
    bucket, effects = f"containers-{uuid.uuid4()}", tmp_path / "effects"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="in/who", Body=b"world")
    places = ContainerPlaces(local_stack.endpoint_url)
    dag_id = f"commands_in_{kind}"
    path = tmp_path / "definition.json"
    path.write_text(json.dumps(_definition(bucket, effects)))
    conversion = convert_file(path, dag_id, compute=kind)
    assert conversion.findings == ()
    (dag_runs.airflow.state.dags / f"{dag_id}.py").write_text(_quickly(conversion.dag_source))

    dag_runs.api.wait_for_dag(dag_id)
    dag_runs.api.unpause(dag_id)
    form = {name: value for name, value in places.form.items() if name.startswith(kind)}
    run = dag_runs.trigger(dag_id, form)
    wait_until(
        lambda: (
            run.states.get("greet") == "success"
            and run.states.get("broken") == "failed"
            and run.states.get("deferred") == "deferred"
            and run.states.get("in_slot") == "running"
            and len(places.live(kind)) == 2
        ),
        _SECONDS,
    )
    dag_runs.api.mark_failed(dag_id, run.run_id)
    wait_until(lambda: not places.live(kind), 60)

    said = s3.get_object(Bucket=bucket, Key="out/said")["Body"].read().decode()
    assert said == "it's <me> & you, world\n"
    assert effects.read_text() == "x\n"
    assert len(places.containers(kind)) == 4
    wait_until(lambda: set(run.states.values()) <= {"success", "failed"}, 60)
    assert {"ecs": "not in success state", "batch": "FAILED"}[kind] in run.output
