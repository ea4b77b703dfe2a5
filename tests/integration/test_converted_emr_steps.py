"""A converted definition: the local EMR takes its cluster, and really runs its steps."""

import gzip
import json
import time
import uuid

import boto3
import jinja2
import pytest

from updraft.emr.cluster_request import read_cluster
from updraft.emr.request_numbers import with_numbers
from updraft.emr.steps import read_steps
from updraft.migration.conversion import convert_file

pytestmark = pytest.mark.integration

_SCRIPT = '#!/bin/bash\necho "script:$1:$2"\n'
_TIMEOUT_SECONDS = 90


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    emr, s3 = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("emr", "s3")
    )
    bucket = f"converted-{uuid.uuid4()}"
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="s.sh", Body=_SCRIPT.encode())
    return emr, s3, bucket


def _definition(bucket):
    return {
        "objects": [
            {
                "id": "Default",
                "scheduleType": "ondemand",
                "pipelineLogUri": f"s3://{bucket}/logs/",
            },
            {
                "id": "Cluster",
                "type": "EmrCluster",
                "region": "us-east-1",
                "releaseLabel": "emr-7.9.0",
                "coreInstanceCount": "#{myCount}",
                "terminateAfter": "1 hour",
            },
            {
                "id": "Work",
                "type": "EmrActivity",
                "runsOn": {"ref": "Cluster"},
                "preStepCommand": 'echo "pre:$((6 * 7)) it\'s"',
                "step": [
                    'command-runner.jar,bash,-c,echo "step:$0:$1",low\\\\,high,#{myWord}',
                    "s3://elasticmapreduce/libs/script-runner/script-runner.jar,"
                    f"s3://{bucket}/s.sh,a b,#{{myWord}}",
                ],
                "postStepCommand": "echo post; exit 3",
            },
        ],
        "parameters": [
            {"id": "myCount", "type": "Integer", "default": "2"},
            {"id": "myWord", "type": "String", "default": "{{.word}}"},
        ],
    }


def _rendered(value, params):
    """Render the texts of an argument as Airflow does."""
    if isinstance(value, str):
        return jinja2.Template(value).render(params=params)
    if isinstance(value, list):
        return [_rendered(one, params) for one in value]
    if isinstance(value, dict):
        return {name: _rendered(one, params) for name, one in value.items()}
    return value


def _tasks(source):
    namespace = {}
    exec(compile(source, "converted.py", "exec"), namespace)
    return {
        name: one for name, one in namespace.items() if getattr(one, "task_id", None) is not None
    }


def _until_ended(emr, cluster_id, count):
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        steps = emr.list_steps(ClusterId=cluster_id)["Steps"][::-1]
        states = [one["Status"]["State"] for one in steps]
        if len(states) == count and not set(states) & {"PENDING", "RUNNING"}:
            return steps
        time.sleep(0.3)
    raise AssertionError(states)


def test_the_steps_of_a_converted_activity_run(cloud, tmp_path):
    emr, s3, bucket = cloud
    path = tmp_path / "work.json"
    path.write_text(json.dumps(_definition(bucket)))
    conversion = convert_file(path, "work")
    assert conversion.findings == ()
    tasks = _tasks(conversion.dag_source)
    params = {"myCount": 2, "myWord": "{{.word}}"}
    request = read_cluster(with_numbers(_rendered(tasks["cluster"].cluster, params)))
    steps = read_steps(_rendered(tasks["work"].steps, params))

    cluster_id = emr.run_job_flow(**request)["JobFlowId"]
    try:
        emr.add_job_flow_steps(JobFlowId=cluster_id, Steps=steps)
        ended = _until_ended(emr, cluster_id, 4)
        groups = emr.list_instance_groups(ClusterId=cluster_id)["InstanceGroups"]
    finally:
        emr.terminate_job_flows(JobFlowIds=[cluster_id])

    states = [one["Status"]["State"] for one in ended]
    assert states == ["COMPLETED", "COMPLETED", "COMPLETED", "FAILED"]
    output = [
        gzip.decompress(
            s3.get_object(Bucket=bucket, Key=f"logs/{cluster_id}/steps/{one['Id']}/stdout.gz")[
                "Body"
            ].read()
        ).decode()
        for one in ended
    ]
    assert output[0] == "pre:42 it's\n"
    assert output[1] == "step:low,high:{{.word}}\n"
    assert output[2].splitlines()[-1] == "script:a b:{{.word}}"
    assert output[3] == "post\n"
    assert {one["InstanceGroupType"]: one["RequestedInstanceCount"] for one in groups} == {
        "MASTER": 1,
        "CORE": 2,
    }
