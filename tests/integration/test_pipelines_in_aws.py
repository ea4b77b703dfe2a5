"""Definitions read from AWS, which moto stands in for."""

import json
import os
import subprocess
import sys
import uuid

import boto3
import pytest

pytestmark = pytest.mark.integration

OBJECTS = [
    {
        "id": "Default",
        "name": "Default",
        "fields": [
            {"key": "scheduleType", "stringValue": "ondemand"},
            {"key": "workerGroup", "stringValue": "own"},
        ],
    },
    {
        "id": "Work",
        "name": "Work",
        "fields": [
            {"key": "type", "stringValue": "ShellCommandActivity"},
            {"key": "comand", "stringValue": "echo"},
            {"key": "command", "stringValue": "echo 1"},
            {"key": "dependsOn", "refValue": "Wrok"},
        ],
    },
]


@pytest.fixture
def client(local_stack):
    return boto3.client(
        "datapipeline",
        endpoint_url=local_stack.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


@pytest.fixture
def run(local_stack, tmp_path):
    environment = os.environ | local_stack.environment | {"AIRFLOW_HOME": str(tmp_path / "home")}

    def command(*arguments):
        return subprocess.run(
            [sys.executable, "-m", "updraft.cli", *arguments],
            env=environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return command


def _pipeline(client, objects):
    made = client.create_pipeline(
        name="Nightly orders",
        uniqueId=str(uuid.uuid4()),
        description="Orders of a day",
        tags=[{"key": "team", "value": "data"}],
    )
    identity = made["pipelineId"]
    client.put_pipeline_definition(pipelineId=identity, pipelineObjects=objects)
    return identity


def test_a_pipeline_is_checked_and_converted(client, run, tmp_path):
    identity = _pipeline(client, OBJECTS)
    result = run("check", f"pipeline:{identity}", "--format", "json")
    assert result.returncode == 1, result.stderr
    findings = json.loads(result.stdout)["findings"]
    assert {(one["object"], one["field"], one["advice"]) for one in findings} == {
        ("Work", "comand", "Did you mean 'command'?"),
        ("Work", "dependsOn", "Did you mean 'Work'?"),
    }
    assert {(one["file"], one["line"]) for one in findings} == {(f"pipeline:{identity}", None)}

    default, work = OBJECTS
    sound = _pipeline(client, [default, {**work, "fields": work["fields"][:-1]}])
    folder = str(tmp_path / "dags")
    result = run("convert", f"pipeline:{sound}", "--output", folder, "--no-import-check")
    assert result.returncode == 0, result.stderr
    assert sound in (tmp_path / "dags" / "nightly_orders.py").read_text()

    result = run("analyze", "aws", "--format", "json", "--no-import-check")
    assert result.returncode == 1, "one of them has errors"
    assert "Traceback" not in result.stderr
    document = json.loads(result.stdout)
    entries = {one["source"]: one for one in document["pipelines"] + document["unconverted"]}
    # Both pipelines have the same name, which is no reason to leave one out.
    assert {f"pipeline:{identity}", f"pipeline:{sound}"} <= entries.keys()
    names = {entries[f"pipeline:{one}"]["dag_id"] for one in (identity, sound)}
    assert len(names) == 2
    assert entries[f"pipeline:{sound}"]["dag_id"] in {
        "nightly_orders",
        f"nightly_orders_{sound.lower().replace('-', '_')}",
    }


def test_a_pipeline_that_is_not_there_is_one_sentence(run):
    result = run("check", "pipeline:df-0NOWHERE")
    assert result.returncode == 1
    assert "df-0NOWHERE" in result.stdout
    assert "Traceback" not in result.stderr
