"""Instances and shell commands by the operators, on a local stack that really runs them."""

import json
import uuid
from datetime import timedelta
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred

from tests.integration.glue_tasks import finish, finish_counting, resume, task_context, wait_until
from updraft.migration.conversion import convert_file
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.reaper import ReapOrphansOperator
from updraft.operators.shell_command import ShellCommandOperator
from updraft.resource_owner import KEEP_TAG, ResourceOwner

pytestmark = pytest.mark.integration

AWS = {"aws_conn_id": None, "poll_interval": 1}


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    ec2, ssm, s3 = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("ec2", "ssm", "s3")
    )
    bucket = f"shell-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)

    def read(key):
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()

    def state(instance_id):
        (reservation,) = ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return reservation["Instances"][0]["State"]["Name"]

    yield SimpleNamespace(ec2=ec2, ssm=ssm, s3=s3, bucket=bucket, read=read, state=state)
    left = [one["InstanceId"] for one in instances(SimpleNamespace(ec2=ec2))]
    if left:
        ec2.terminate_instances(InstanceIds=left)


@pytest.fixture(autouse=True)
def _environment(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "shell")


def launching(task_id="machine", **more):
    return Ec2InstanceOperator(task_id=task_id, instance_profile="machine", **{**AWS, **more})


def running(instance_id, command=None, **more):
    return ShellCommandOperator(
        task_id="work", instance_id=instance_id, command=command, **{**AWS, **more}
    )


def instances(cloud, states=("pending", "running")):
    found = cloud.ec2.describe_instances(
        Filters=[{"Name": "instance-state-name", "Values": list(states)}]
    )
    return [one for each in found["Reservations"] for one in each["Instances"]]


def commands(cloud, instance_id):
    return cloud.ssm.list_commands(InstanceId=instance_id)["Commands"]


def new_run(attempt=1, **more):
    return task_context(f"run-{uuid.uuid4()}", attempt, **more)


@pytest.fixture(scope="module")
def machine(cloud, local_stack):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_stack.environment.items():
            patch.setenv(name, value)
        patch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "shell")
        return finish(launching(), new_run(task_id="machine"))


def test_an_instance_is_adopted_by_the_retry_and_ended_by_the_teardown(cloud):
    context = new_run(task_id="machine")
    first, deferrals = finish_counting(launching(), context)

    second = finish(launching(deferrable=False), {**context})
    teardown = Ec2TerminateInstanceOperator(task_id="end", setup_task_id="machine", **AWS)
    end = task_context(context["ti"].run_id, task_id="end")

    (found,) = (one for one in instances(cloud) if one["InstanceId"] == first)
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert ResourceOwner.from_tags(tags) == ResourceOwner.of(context)
    assert deferrals >= 1
    assert first == second
    assert finish(teardown, end) == [first]
    wait_until(lambda: cloud.state(first) == "terminated")
    assert finish(teardown, end) == []
    third = finish(launching(), task_context(context["ti"].run_id, 2, task_id="machine"))
    assert third != first
    assert finish(teardown, end) == [third]


def test_a_deferred_launch_that_a_user_ends_leaves_no_instance(cloud):
    before = {one["InstanceId"] for one in instances(cloud)}
    operator = launching()
    with pytest.raises(TaskDeferred):
        operator.execute(new_run(task_id="machine"))

    operator.on_kill()

    wait_until(lambda: {one["InstanceId"] for one in instances(cloud)} <= before)


def test_a_command_runs_once_in_all_attempts(cloud, machine):
    context = new_run()
    result = finish(running(machine, "echo ran >> ~/count-1; wc -l < ~/count-1"), context)

    again = finish(running(machine, "echo ran >> ~/count-1; wc -l < ~/count-1"), context)
    cleared = task_context(context["ti"].run_id, 2, max_tries=3)
    anew = finish(running(machine, "echo ran >> ~/count-1; wc -l < ~/count-1"), cleared)

    assert (result.strip(), again.strip(), anew.strip()) == ("1", "1", "2")


def test_a_retry_adopts_what_runs_and_repeats_what_failed(cloud, machine):
    context = new_run()
    retry = task_context(context["ti"].run_id, 2)
    script = "echo x >> ~/tries; until [ -e ~/go ]; do sleep 0.1; done; [ $(wc -l < ~/tries) = 2 ]"
    with pytest.raises(TaskDeferred):
        running(machine, script).execute(context)
    with pytest.raises(TaskDeferred) as deferred:
        running(machine, script).execute(retry)
    finish(running(machine, "touch ~/go"), new_run())
    with pytest.raises(AirflowException, match=r"failed with exit code 1\."):
        resume(running(machine, script), retry, deferred.value.trigger)

    finish(running(machine, script), task_context(context["ti"].run_id, 3))

    sent = [one["Comment"].split()[0].split(":") for one in commands(cloud, machine)]
    assert [number for *_, key, _, number in sent if key == sent[0][1]] == ["2", "1"]


def test_arguments_environment_and_braces_arrive_as_they_are(machine, caplog):
    words = ["a b", "", "$HOME", "'q'", "{{ssm:x}}", "*", "é\n2"]
    script = 'printf "%s|" "$@"; echo "$GREETING $(basename "$PWD")"; echo "{{ '
    script += '{{global:DATE}}"'
    operator = running(
        machine,
        script,
        arguments=words,
        environment={"GREETING": "it's {{x}} `date`"},
        user="ec2-user",
    )
    with caplog.at_level("INFO"):
        assert finish(operator, new_run()) == "{{ {{global:DATE}}"
    assert "|".join(words) + "|it's {{x}} `date` home" in caplog.text


def test_data_is_staged_as_the_legacy_service_did(cloud, machine):
    for key, text in {"in/a.txt": "1", "in/deep/b.txt": "2", "one.csv": "3"}.items():
        cloud.s3.put_object(Bucket=cloud.bucket, Key=key, Body=text.encode())
    script = "#!/usr/bin/env python3\nimport os, pathlib, sys\n"
    script += "i1, i2, o = (pathlib.Path(os.environ[n]) for n in ('INPUT1_STAGING_DIR', "
    script += "'INPUT2_STAGING_DIR', 'OUTPUT1_STAGING_DIR'))\n"
    script += "texts = [p.read_text() for d in (i1, i2) for p in sorted(d.rglob('*.*'))]\n"
    script += "(o / 'sub').mkdir(); (o / 'sub' / 'all').write_text(''.join(texts) + sys.argv[1])\n"
    script += "print('done'); print('warned', file=sys.stderr)\n"
    cloud.s3.put_object(Bucket=cloud.bucket, Key="script.py", Body=script.encode())
    at = f"s3://{cloud.bucket}"

    result = finish(
        running(
            machine,
            script_uri=f"{at}/script.py",
            arguments=["!"],
            inputs=[f"{at}/in/", f"s3n://{cloud.bucket}/one.csv"],
            outputs=[f"{at}/out"],
            stage=True,
            stdout_uri=f"{at}/stdout.txt",
            stderr_uri=f"{at}/stderr.txt",
            output_uri=f"{at}/ssm",
        ),
        new_run(),
    )

    assert result == "done"
    assert cloud.read("out/sub/all") == "123!"
    assert (cloud.read("stdout.txt"), cloud.read("stderr.txt")) == ("done\n", "warned\n")


def test_a_failure_quotes_what_the_command_said_last(cloud, machine):
    script = "seq 30000; echo the table is locked >&2; exit 3"
    with pytest.raises(AirflowException) as error:
        finish(running(machine, script, output_uri=f"s3://{cloud.bucket}/ssm/"), new_run())

    text = str(error.value)
    assert "failed with exit code 3. It said last: the table is locked." in text
    place = text.partition("is at s3://")[2].strip(".").partition("/")[2]
    assert cloud.read(f"{place}/stdout").endswith("\n30000\n")


def test_output_by_way_of_a_log_group(machine):
    operator = running(machine, "seq 9000; echo oops >&2; exit 2", log_group="/shell")
    with pytest.raises(AirflowException, match=r"last: oops\. All .* of log group /shell"):
        finish(operator, new_run())
    assert finish(running(machine, "seq 9000", log_group="/shell"), new_run()) == "9000"


def test_what_cannot_be_staged_fails_before_the_command_runs(cloud, machine):
    operator = running(
        machine, "touch ~/never", inputs=[f"s3://{cloud.bucket}/no/such"], stage=True
    )
    with pytest.raises(AirflowException, match=r"(?s)fatal error.*404"):
        finish(operator, new_run())
    assert finish(running(machine, "ls ~/never 2>&1; echo $?"), new_run()) != "0"


def test_a_command_that_takes_too_long_or_is_killed_ends(cloud, machine):
    slow = running(machine, "sleep 60", command_timeout=timedelta(seconds=1))
    with pytest.raises(AirflowException, match="ran longer than 0:00:01"):
        finish(slow, new_run())
    killed = running(machine, "sleep 60")
    context = new_run()
    with pytest.raises(TaskDeferred):
        killed.execute(context)

    killed.on_kill()

    wait_until(lambda: commands(cloud, machine)[0]["Status"] == "Cancelled")
    assert finish(running(machine, "echo after"), context) == "after"


def test_an_instance_that_ends_takes_its_command_with_it(cloud):
    instance_id = finish(launching(), new_run(task_id="machine"))

    with pytest.raises(AirflowFailException, match=r"InstanceInitiatedShutdown.*clear it together"):
        finish(running(instance_id, "shutdown -P now; sleep 60"), new_run())


def test_a_machine_is_chosen_by_its_tags(cloud, machine):
    group = str(uuid.uuid4())
    tagged = ShellCommandOperator(
        task_id="work", instance_tags={"worker-group": group}, command="echo here", **AWS
    )
    with pytest.raises(AirflowException, match=f"No machine with worker-group={group} is online"):
        finish(tagged, new_run())
    cloud.ec2.create_tags(Resources=[machine], Tags=[{"Key": "worker-group", "Value": group}])
    context = new_run()

    assert finish(tagged, context) == "here"

    assert finish(tagged, context) == "here"
    found = [one for one in commands(cloud, machine) if " d work" in one["Comment"]]
    assert found[0]["CommandId"] != found[1]["CommandId"]  # of this run, and of the one before


def test_the_reaper_ends_instances_whose_run_has_vanished(cloud, monkeypatch):
    monkeypatch.setattr("updraft.operators.reaper.dag_run_state", lambda *_: None)
    orphan, kept = (finish(launching(), new_run(task_id="machine")) for _ in range(2))
    cloud.ec2.create_tags(Resources=[kept], Tags=[{"Key": KEEP_TAG, "Value": "true"}])

    report = ReapOrphansOperator(
        task_id="reap", services=["ec2"], report_only=False, minutes=0, aws_conn_id=None
    ).execute(task_context("reaping"))

    assert any(orphan in one for one in report["ended"])
    assert any(kept in one for one in report["kept"])
    wait_until(lambda: cloud.state(orphan) == "terminated")
    assert cloud.state(kept) == "running"
    cloud.ec2.terminate_instances(InstanceIds=[kept])


def test_a_converted_pipeline_stages_shares_the_disk_and_keeps_its_output(cloud, tmp_path):
    at = f"s3://{cloud.bucket}/converted"
    cloud.s3.put_object(Bucket=cloud.bucket, Key="converted/in/1.txt", Body=b"b\na\n")
    script = b'#!/bin/bash\necho "$1:$2:$(cat ~/shared)"\n'
    cloud.s3.put_object(Bucket=cloud.bucket, Key="converted/run.sh", Body=script)
    machine, where = {"runsOn": {"ref": "Machine"}}, {"type": "S3DataNode"}
    first = {
        "command": 'sort $INPUT1_STAGING_DIR/* > "$OUTPUT1_STAGING_DIR/$1"; echo x > ~/shared',
        "scriptArgument": "#{myName}",
        "stage": "true",
        "input": {"ref": "In"},
        "output": {"ref": "Out"},
    }
    second = {"scriptUri": f"{at}/run.sh", "scriptArgument": ["a b", "{{ #{myName}"]}
    objects = [
        {"id": "Default", "scheduleType": "ondemand"},
        {"id": "Machine", "type": "Ec2Resource", "terminateAfter": "1 hour"},
        {"id": "In", "directoryPath": f"{at}/in", **where},
        {"id": "Out", "directoryPath": f"{at}/out", **where},
        {"id": "First", "type": "ShellCommandActivity", **machine, **first},
        {"id": "Second", "type": "ShellCommandActivity", **machine, **second, "stdout": f"{at}/o"},
    ]
    parameters = [{"id": "myName", "type": "String", "default": "$HOME it's"}]
    path = tmp_path / "p.json"
    path.write_text(json.dumps({"objects": objects, "parameters": parameters}))
    conversion = convert_file(path, "converted")
    namespace = {}
    exec(compile(conversion.dag_source, "converted.py", "exec"), namespace)
    tasks = {name: one for name, one in namespace.items() if hasattr(one, "execute")}

    def run(name, **changes):
        task = tasks[name]
        for argument, value in {"aws_conn_id": None, **changes}.items():
            setattr(task, argument, value)
        task.render_template_fields({"params": {"myName": "$HOME it's"}})
        return finish(task, task_context("converted", task_id=name))

    instance_id = run("machine")
    run("first", instance_id=instance_id)
    result = run("second", instance_id=instance_id)
    ended = run("machine_terminate", instance_id=instance_id)

    assert cloud.read("converted/out/$HOME it's") == "a\nb\n"
    assert result == "a b:{{ $HOME it's:x"
    assert cloud.read("converted/o") == f"{result}\n"
    assert ended == [instance_id]
