"""The workflow for shell commands, run by a real Airflow with the values of a form."""

import uuid

import boto3
import pytest

pytestmark = pytest.mark.integration


def test_a_command_by_its_form_on_a_new_instance(local_stack, dag_runs):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, ec2 = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("s3", "ec2")
    )
    bucket = f"shell-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="in/a.txt", Body=b"b\na\n")
    text = "a <b> & 'c' {{ ds }} \\ {{x"
    form = {
        "command": 'sort "$INPUT1_STAGING_DIR/a.txt" > "$OUTPUT1_STAGING_DIR/sorted"\n'
        'printf "%s" "$1$WORD" > "$OUTPUT1_STAGING_DIR/text"',
        "arguments": [text],
        "environment": {"WORD": text},
        "instance_profile": "machine",
        "inputs": [f"s3://{bucket}/in/"],
        "outputs": [f"s3://{bucket}/out/"],
        "stage": True,
        "output_uri": f"s3://{bucket}/printed",
        "region_name": "us-east-1",
    }
    run = dag_runs.run("shell_command", form, 200)

    assert run.state == "success", run.output[-3000:]
    objects = {
        name: s3.get_object(Bucket=bucket, Key=f"out/{name}")["Body"].read().decode()
        for name in ("sorted", "text")
    }
    assert objects == {"sorted": "a\nb\n", "text": text * 2}
    states = {
        one["State"]["Name"]
        for each in ec2.describe_instances(
            Filters=[{"Name": "tag:Name", "Values": ["shell_command launch"]}]
        )["Reservations"]
        for one in each["Instances"]
    }
    assert states <= {"shutting-down", "terminated"}
    assert states
