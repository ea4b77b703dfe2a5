"""
### Run a shell command on a machine

Runs a command or a script from S3 once, however often the task is tried: on an instance
of EC2 that is launched for it, on an instance that is there, or on one that a tag
names. It takes the place of Data Pipeline's ShellCommandActivity.

**Steps**
1. `choose` looks whether `instance_id` or `instance_tags` names a machine.
2. `launch` launches an instance if none does, and waits until commands reach it.
3. `run_on_new_instance` or `run_on_machine` runs the command by Systems Manager and
   waits for its end without holding a worker. What it prints is in its log.
4. `terminate` ends the new instance, also when the command failed.

**Parameters**
- `command`: the command, as many lines as it takes; or `script_uri`: a script in S3.
- `arguments`: what the command finds as `$1` and so on, one on a line.
- `environment`: variables, such as `{"DAY": "2026-11-02"}`.
- `instance_id`, or `instance_tags` such as `{"worker-group": "etl"}`: where it runs,
  if not on a new instance.
- `instance_profile`, `instance_type`, `image_id`, `subnet_id`, `security_group_ids`:
  the new instance. The role of the profile needs AmazonSSMManagedInstanceCore.
- `terminate_after`: minutes after which the new instance ends by itself.
- `user`: user of the machine; empty for root.
- `inputs`, `outputs`: URIs in S3 of what it reads and writes, one on a line; `stage`:
  whether they are copied to and from `$INPUT1_STAGING_DIR`, `$OUTPUT1_STAGING_DIR` and
  so on.
- `output_uri`: prefix in S3 for all that it prints; without one the log has its
  beginning.
- `command_timeout`: most minutes that it may run.
- `region_name`: region; empty for that of the connection.

```json
{"command": "aws s3 ls $1", "arguments": ["s3://my-bucket/"],
 "instance_profile": "shell-commands"}
```

**When it fails**: the message has exit code and last lines. A retry adopts a command
that still runs, and runs one again that has failed. Ending the task cancels it.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

# Airflow skips files without the words "dag" and "airflow"; this line has both.
from updraft import form_fields
from updraft.compat import DAG, Param, task
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

S3_URIS = {"type": "string", "pattern": form_fields.S3_URI}


with DAG(
    dag_id="shell_command",
    description="Runs a shell command on a machine",
    doc_md=__doc__,
    schedule=None,
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["updraft", "data-pipeline"],
    default_args={
        "owner": "updraft",
        "retries": 2,
        "retry_delay": timedelta(minutes=1),
        "pre_execute": form_fields.refuse_unknown_fields,
    },
    params={
        "command": Param(
            None,
            type=["null", "string"],
            format="multiline",
            title="Command",
            description="The command, as many lines as it takes.",
        ),
        "script_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_PREFIX,
            title="Script",
            description="s3://bucket/key of a script; instead of a command.",
        ),
        "arguments": Param(
            [],
            type="array",
            items={"type": "string"},
            title="Arguments",
            description="What the command finds as $1 and so on, one on a line.",
        ),
        "environment": Param(
            {},
            type="object",
            additionalProperties={"type": "string"},
            propertyNames={"pattern": "^[A-Za-z_][A-Za-z0-9_]*$"},
            title="Environment",
            description='Variables, such as {"DAY": "2026-11-02"}.',
        ),
        "instance_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^m?i-[0-9a-f]+$",
            title="Machine",
            description="Id of the machine; empty for a new instance.",
        ),
        "instance_tags": Param(
            {},
            type="object",
            additionalProperties={"type": "string"},
            title="Machine by its tags",
            description='Such as {"worker-group": "etl"}; instead of an id.',
        ),
        "instance_profile": Param(
            None,
            type=["null", "string"],
            title="Instance profile",
            description="Name or ARN; a new instance needs one.",
        ),
        "instance_type": Param(
            "t3.small",
            type="string",
            pattern=r"^[a-z0-9-]+\.[a-z0-9-]+$",
            title="Type of the instance",
            description="Of a new instance.",
        ),
        "image_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^ami-[0-9a-f]+$",
            title="Image",
            description="Of a new instance; empty for Amazon Linux 2023.",
        ),
        "subnet_id": Param(
            None,
            type=["null", "string"],
            pattern=r"^subnet-[0-9a-f]+$",
            title="Subnet",
            description="Of a new instance; empty for the default.",
        ),
        "security_group_ids": Param(
            [],
            type="array",
            items={"type": "string", "pattern": "^sg-[0-9a-f]+$"},
            title="Security groups",
            description="Ids for a new instance, one on a line.",
        ),
        "terminate_after": Param(
            240,
            type="integer",
            minimum=1,
            maximum=43200,
            title="Minutes of the instance",
            description="After so many a new instance ends by itself.",
        ),
        "user": Param(
            "ec2-user",
            type=["null", "string"],
            title="User",
            description="User of the machine; empty for root.",
        ),
        "inputs": Param(
            [],
            type="array",
            items=S3_URIS,
            title="Inputs",
            description="What it reads in S3; a prefix ends with a slash.",
        ),
        "outputs": Param(
            [],
            type="array",
            items=S3_URIS,
            title="Outputs",
            description="Prefixes in S3 that it writes.",
        ),
        "stage": Param(
            False,
            type="boolean",
            title="Stage inputs and outputs",
            description="Copy them to and from directories of the machine.",
        ),
        "output_uri": Param(
            None,
            type=["null", "string"],
            pattern=form_fields.S3_URI,
            title="Output",
            description="s3://bucket/prefix for all that it prints.",
        ),
        "command_timeout": Param(
            240,
            type="integer",
            minimum=1,
            maximum=2880,
            title="Minutes of the command",
            description="Most minutes that it may run.",
        ),
        "region_name": form_fields.region("Region of the machine"),
    },
):

    @task.branch
    def choose(params: Any = None) -> str:
        """Go on with the machine that the form names, or with a new instance."""
        is_named = params["instance_id"] or params["instance_tags"]
        return "run_on_machine" if is_named else "launch"

    region_name = "{{ params.region_name or '' }}"
    work: dict[str, Any] = {
        "command": "{{ params.command or '' }}",
        "script_uri": "{{ params.script_uri or '' }}",
        "arguments": "{{ params.arguments | tojson }}",
        "environment": "{{ params.environment | tojson }}",
        "user": "{{ params.user or '' }}",
        "inputs": "{{ params.inputs | tojson }}",
        "outputs": "{{ params.outputs | tojson }}",
        "stage": "{{ params.stage }}",
        "output_uri": "{{ params.output_uri or '' }}",
        "command_timeout": "{{ params.command_timeout }}",
        "region_name": region_name,
    }
    chosen = choose()
    launch = Ec2InstanceOperator(
        task_id="launch",
        instance_profile="{{ params.instance_profile or '' }}",
        instance_type="{{ params.instance_type }}",
        terminate_after="{{ params.terminate_after }}",
        image_id="{{ params.image_id or '' }}",
        subnet_id="{{ params.subnet_id or '' }}",
        security_group_ids="{{ params.security_group_ids | tojson }}",
        region_name=region_name,
    )
    run_on_new_instance = ShellCommandOperator(
        task_id="run_on_new_instance",
        instance_id="{{ ti.xcom_pull(task_ids='launch') }}",
        **work,
    )
    terminate = Ec2TerminateInstanceOperator(
        task_id="terminate",
        instance_id="{{ ti.xcom_pull(task_ids='launch') or '' }}",
        region_name=region_name,
    ).as_teardown(setups=launch)
    run_on_machine = ShellCommandOperator(
        task_id="run_on_machine",
        instance_id="{{ params.instance_id or '' }}",
        instance_tags="{{ params.instance_tags | tojson }}",
        **work,
    )
    chosen >> launch >> run_on_new_instance >> terminate
    chosen >> run_on_machine
