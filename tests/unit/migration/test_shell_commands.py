"""Shell commands and their instances: what they are given after the conversion."""

import ast
import subprocess

import pytest

from updraft.cli.convert import check_compute
from updraft.errors import UpdraftError
from updraft.migration.conversion import convert_file
from updraft.migration.ledger import Status

_FORMAT = "#{format(@scheduledStartTime,'YYYY')}"
_TIME = "{{ dag_run.run_after.strftime('%Y') }}"


@pytest.fixture
def shell(definition):
    """Make a definition of one shell command on one instance."""

    def make(resource=None, **fields):
        definition.document["objects"] = [
            one for one in definition.document["objects"] if one["id"] in {"Default", "Backup"}
        ]
        item = {"id": "Work", "type": "ShellCommandActivity", "runsOn": {"ref": "Machine"}}
        definition.add({**item, **fields}, {"id": "Machine", "type": "Ec2Resource"})
        definition.item("Machine").update(resource or {})
        definition.document["parameters"] = [{"id": "myBackup", "type": "AWS::S3::ObjectKey"}]
        return definition

    return make


@pytest.mark.parametrize("compute", ["ec2", "ssm", "bash", "ecs", "batch"])
def test_the_secrets_of_a_command_are_variables(shell, statuses_of, compute):
    definition = shell(
        command="login --password hunter2 --old-password hunter "
        '"jdbc://u:hunter2@h?x=#{*myToken}" $0 --password=$1',
        scriptArgument="x",
    )
    definition.document["parameters"].append({"id": "*myToken", "default": "hunter2"})
    conversion = definition.convert(compute=compute)
    assert conversion.placeholders == ()
    written = conversion.dag_source + conversion.report.to_markdown() + conversion.report.to_json()
    assert "hunter" not in written
    status, note = statuses_of(conversion)["Work", "command"]
    assert status is Status.EQUIVALENT
    assert [one.field for one in conversion.findings if "password" in one.message] == ["command"]
    source = conversion.dag_source.replace('"\n            "', "")
    command = (
        'login --password "${WORK_PASSWORD}" --old-password "${WORK_PASSWORD_2}" '
        '"jdbc://u:${WORK_PASSWORD}@h?x=${MY_TOKEN}" $0 --password=$1'
    )
    assert command in _texts(conversion.dag_source)
    if compute == "bash":
        assert '"MY_TOKEN": "{{ conn.my_token.password }}"' in source
        assert "make the Airflow connection `work_password_2`" in note
        assert "aws secretsmanager" not in source
    else:
        assert "MY_TOKEN=$(aws secretsmanager get-secret-value" in _texts(conversion.dag_source)
        assert "create the secret `export/myToken`" in note


def _texts(source):
    """Give all texts of a DAG, one after the other."""
    nodes = ast.walk(ast.parse(source))
    return "\n".join(
        one.value for one in nodes if isinstance(one, ast.Constant) and isinstance(one.value, str)
    )


@pytest.mark.parametrize("head", ["", "#!/bin/bash -e\n"])
def test_secrets_among_the_arguments_are_put_between_the_others(
    shell, tasks_of, statuses_of, tmp_path, head
):
    definition = shell(
        command=f"{head}printf '%s,' $1 \"$2\" $3 $4",
        scriptArgument=["a", "#{*myToken}", "b", "#{myToken}"],
    )
    definition.document["parameters"].append({"id": "*myToken"})
    conversion = definition.convert()
    assert conversion.placeholders == ()
    task = tasks_of(conversion)["work"]
    assert task["arguments"] == ["a", "b"]
    assert task["command"].startswith(f"{head}MY_TOKEN=$(aws secretsmanager")
    assert task["command"].count("get-secret-value") == 1
    assert statuses_of(conversion)["Work", "scriptArgument"][0] is Status.EQUIVALENT
    aws = tmp_path / "aws"
    aws.write_text("#!/bin/sh\necho 'x y'\n")
    aws.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", task["command"], "bash", *task["arguments"]],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "a,x y,b,x,y,"


@pytest.mark.parametrize("on_cluster", [False, True])
@pytest.mark.parametrize("readable", [True, False])
def test_a_command_runs_with_its_secret_or_not_at_all(
    shell, tasks_of, tmp_path, on_cluster, readable
):
    place = {"runsOn": {"ref": "Cluster"}} if on_cluster else {}
    definition = shell(command="echo --password hunter2 'end'", **place)
    definition.add({"id": "Cluster", "type": "EmrCluster", "releaseLabel": "emr-7.9.0"})
    task = tasks_of(definition.convert())["work"]
    command = task["steps"][0]["HadoopJarStep"]["Args"][2] if on_cluster else task["command"]
    aws = tmp_path / "aws"
    answer = f"echo 'it is $HOME'; echo \"$@\" > {tmp_path}/asked" if readable else "exit 254"
    aws.write_text(f"#!/bin/bash\n{answer}\n")
    aws.chmod(0o755)
    done = subprocess.run(
        ["bash", "-c", command],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    expected = (0, "--password it is $HOME end\n") if readable else (254, "")
    assert (done.returncode, done.stdout) == expected
    if readable:
        assert "--secret-id export/work_password " in (tmp_path / "asked").read_text()


def test_secrets_are_read_after_the_line_that_names_the_shell(shell, tasks_of):
    definition = shell(
        {"region": "eu-west-1"}, command="#!/usr/bin/env bash\nlogin --password hunter2\n"
    )
    command = tasks_of(definition.convert())["work"]["command"]
    assert command.splitlines() == [
        "#!/usr/bin/env bash",
        "WORK_PASSWORD=$(aws secretsmanager get-secret-value --region eu-west-1 --secret-id "
        "export/work_password --query SecretString --output text) || exit",
        "login --password \"${WORK_PASSWORD}\"{{ '\\n' }}",
    ]


def test_a_command_on_an_instance_of_the_run(shell, tasks_of, statuses_of):
    definition = shell(
        {
            "instanceType": "m1.small",
            "terminateAfter": "2 Hours",
            "initTimeout": "10 minutes",
            "subnetId": "subnet-1",
            "securityGroupIds": ["sg-1", "sg-2"],
            "associatePublicIpAddress": "true",
            "resourceRole": "profile",
            "keyPair": "k",
            "region": "eu-west-1",
            "spotBidPrice": "0.1",
            "useOnDemandOnLastAttempt": "true",
            "actionOnTaskFailure": "terminate",
            "maximumRetries": "1",
        },
        command=f"echo $1 {_FORMAT} ${{INPUT1_STAGING_DIR}}",
        scriptArgument=["a b", _FORMAT],
        attemptTimeout="30 minutes",
        stage="true",
        input={"ref": "Backup"},
        stdout="s3://bucket/out/",
    )
    conversion = definition.convert_cleanly()
    tasks = tasks_of(conversion)
    assert tasks["machine"] == {
        "operator": "Ec2InstanceOperator",
        "instance_profile": "profile",
        "instance_type": "t3.small",
        "subnet_id": "subnet-1",
        "security_group_ids": ["sg-1", "sg-2"],
        "key_name": "k",
        "public_ip": True,
        "spot": True,
        "spot_max_price": "0.1",
        "on_demand_fallback": True,
        "terminate_after": "timedelta(hours=2)",
        "start_timeout": "timedelta(minutes=10)",
        "retries": 1,
        "region_name": "eu-west-1",
    }
    assert tasks["work"] == {
        "operator": "ShellCommandOperator",
        "instance_id": "machine.output",
        "command": f"echo $1 {_TIME} ${{INPUT1_STAGING_DIR}}",
        "arguments": ["a b", _TIME],
        "inputs": ["{{ params.myBackup }}/{{ dag_run.run_after.strftime('%Y-%m-%d') }}/"],
        "stage": True,
        "stdout_uri": "s3://bucket/out/stdout",
        "command_timeout": "timedelta(minutes=30)",
        "user": "ec2-user",
        "region_name": "eu-west-1",
    }
    assert tasks["machine_terminate"]["operator"] == "Ec2TerminateInstanceOperator"
    assert ".as_teardown(setups=machine)" in conversion.dag_source
    statuses = statuses_of(conversion)
    assert statuses["Machine", "instanceType"][0] is Status.APPROXIMATED
    assert statuses["Work", "stdout"][0] is Status.APPROXIMATED
    assert not [one for one in conversion.report.fields if one.status is Status.NEEDS_DECISION]


def test_a_script_with_arguments_and_data_that_are_not_staged(shell, tasks_of):
    definition = shell(
        {"runAsUser": "root", "imageId": "ami-1"},
        scriptUri="s3://bucket/run.sh",
        scriptArgument="x",
        output={"ref": "Backup"},
        pipelineLogUri="s3://bucket/logs",
    )
    conversion = definition.convert()
    work = tasks_of(conversion)["work"]
    assert (work["script_uri"], work["arguments"]) == ("s3://bucket/run.sh", ["x"])
    assert len(work["outputs"]) == 1
    assert "stage" not in work
    assert (work["user"], work["output_uri"]) == ("root", "s3://bucket/logs")
    assert [one.field for one in conversion.findings] == ["imageId"]


def test_a_worker_group_becomes_a_tag(shell, tasks_of, statuses_of):
    definition = shell(command="run", workerGroup="etl", stdout="/tmp/out")
    del definition.item("Work")["runsOn"]
    conversion = definition.convert()
    work = tasks_of(conversion)["work"]
    assert work["instance_tags"] == {"worker-group": "etl"}
    assert "user" not in work
    assert work["stdout_uri"] == "/tmp/out"
    statuses = statuses_of(conversion)
    assert statuses["Work", "stdout"][0] is Status.CARRIED_OVER
    assert statuses["Work", "type"][0] is Status.CARRIED_OVER
    status, note = statuses["Work", "workerGroup"]
    assert status is Status.APPROXIMATED
    assert "set `user`" in note
    assert statuses["Machine", "type"] == (
        Status.DROPPED,
        "no activity runs on it",
    )


def test_a_command_on_a_cluster_is_a_step(shell, tasks_of):
    definition = shell(command="echo $1", scriptArgument=["a b"], runsOn={"ref": "Cluster"})
    definition.add({"id": "Cluster", "type": "EmrCluster", "releaseLabel": "emr-7.9.0"})
    (step,) = tasks_of(definition.convert())["work"]["steps"]
    assert step["HadoopJarStep"]["Args"] == ["bash", "-c", "echo $1", "bash", "a b"]


def _converted(definition, tmp_path, compute):
    definition.convert()  # writes the file
    return convert_file(tmp_path / "export.json", "export", compute=compute)


def test_machines_of_ones_own(shell, tasks_of, tmp_path):
    definition = shell({"region": "eu-west-1"}, command="x")
    tasks = tasks_of(_converted(definition, tmp_path, "ssm"))
    assert set(tasks) == {"work"}
    assert tasks["work"]["instance_tags"] == {"data-pipeline-resource": "Machine"}
    assert (tasks["work"]["user"], tasks["work"]["region_name"]) == ("ec2-user", "eu-west-1")


def test_the_airflow_worker_gets_arguments_by_variables(shell, tasks_of, tmp_path):
    definition = shell(command='printf "%s|" "$@"', scriptArgument=["a b", "$HOME", "'"])
    tasks = tasks_of(_converted(definition, tmp_path, "bash"))
    assert tasks["work"]["operator"] == "BashOperator"
    done = subprocess.run(
        ["bash", "-c", tasks["work"]["bash_command"]],
        env=tasks["work"]["env"],
        capture_output=True,
        text=True,
        timeout=10,
        check=True,
    )
    assert done.stdout == "a b|$HOME|'|"


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        ("ecs", ("EcsCommandOperator", "ecs_task_definition")),
        ("batch", ("BatchCommandOperator", "batch_job_queue")),
    ],
)
def test_containers(shell, tasks_of, tmp_path, compute, expected):
    operator, asked = expected
    definition = shell({"region": "eu-west-1"}, command="echo $1", scriptArgument=["a b"])
    conversion = _converted(definition, tmp_path, compute)
    tasks = tasks_of(conversion)
    assert set(tasks) == {"work"}
    assert tasks["work"]["operator"] == operator
    assert tasks["work"]["deferrable"] is True
    assert tasks["work"]["region_name"] == "eu-west-1"
    command = ["bash", "-c", "echo $1", "bash", "a b"]
    assert f"'command': {command}" in str(tasks["work"])
    (row,) = [one for one in conversion.report.parameters if one.id == asked]
    assert row.status is Status.NEEDS_DECISION
    assert f"{{{{ params.{asked} }}}}" in str(tasks["work"]).replace("\\", "")


def test_a_container_copies_data(shell, tasks_of, tmp_path):
    definition = shell(scriptUri="s3://b/x.sh", stage="true", input={"ref": "Backup"})
    tasks = tasks_of(_converted(definition, tmp_path, "batch"))
    *_, form, script, count, uri, outputs = tasks["work"]["container_overrides"]["command"]
    assert (form, script, count, outputs) == ("script", "s3://b/x.sh", "1", "0")
    assert uri.endswith("/")


@pytest.mark.parametrize(
    ("compute", "fields", "words"),
    [
        ("bash", {"scriptUri": "s3://bucket/x"}, "--compute ec2 or ssm"),
        ("bash", {"command": "x", "stage": "true"}, "stages data"),
        ("ec2", {"command": "x", "stage": "true", "input": {"ref": "Table"}}, "only data in S3"),
        ("ec2", {"command": "cat <<'E'\npassword=hunter2\nE"}, "knows no variables"),
        ("ec2", {"command": "bash -c 'x' \"$(y --password hunter2)\""}, "within the command"),
        ("ec2", {"command": 'bash -c "login password=hunter2"'}, "within the command"),
        ("ec2", {"command": "set -ex\nlogin password=hunter2"}, "traces its commands"),
        ("ec2", {"command": "set -x\na", "scriptArgument": "#{*myPw}"}, "traces its commands"),
        ("ec2", {"scriptUri": "s3://bucket/x", "scriptArgument": "#{*myPw}"}, "the secret 'myPw'"),
        ("ec2", {"command": "#!/usr/bin/python3\nlogin(password=hunter2)"}, "let the program"),
        ("ec2", {"command": "login password=hunter2#{myBackup}"}, "an expression is a part"),
        ("ec2", {"command": "#{myWord}", "myWord": "--password hunter2"}, "a password stands in"),
        ("ec2", {"command": "a", "scriptArgument": "password=hunter2"}, "a password stands in"),
        ("ec2", {"command": "x", "scriptUri": "s3://bucket/x"}, "one of command and scriptUri"),
    ],
)
def test_what_cannot_be_said_is_a_placeholder(shell, tmp_path, compute, fields, words):
    definition = shell(**fields)
    definition.document["parameters"].append({"id": "*myPw"})
    definition.add({"id": "Table", "type": "DynamoDBDataNode", "tableName": "t"})
    conversion = _converted(definition, tmp_path, compute)
    if conversion.report is None:  # the check of the definition refuses it already
        assert conversion.findings
        return
    (note,) = {
        one.note
        for one in conversion.report.fields
        if (one.object_id, one.field) == ("Work", "type")
    }
    assert words in note


def test_choices_of_compute():
    for choice in ("ssm", "ecs", "batch"):
        check_compute(choice)
    with pytest.raises(UpdraftError, match="did you mean 'bash'"):
        check_compute("bahs")


def test_times_of_a_parameter_stay_its(shell, tasks_of):
    definition = shell({"terminateAfter": "#{myTime}"}, command="x", attemptTimeout="#{myTime}")
    parameter = {"id": "myTime", "type": "String", "default": "2 hours"}
    definition.document["parameters"].append(parameter)
    tasks = tasks_of(definition.convert_cleanly())
    assert tasks["machine"]["terminate_after"] == "{{ params.myTime }}"
    assert tasks["work"]["command_timeout"] == "{{ params.myTime }}"
