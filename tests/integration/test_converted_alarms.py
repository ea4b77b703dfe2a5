"""A converted definition in a real Airflow: its alarms reach a queue by a topic of Amazon SNS."""

import json
import time
import uuid

import boto3
import pytest

from updraft.migration.conversion import convert_file

pytestmark = pytest.mark.integration

_TIMEOUT_SECONDS = 120


@pytest.fixture(scope="module")
def cloud(local_stack):
    session = boto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="us-east-1"
    )
    s3, sns, sqs = (
        session.client(name, endpoint_url=local_stack.endpoint_url) for name in ("s3", "sns", "sqs")
    )
    name = f"alarms-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    topic = sns.create_topic(Name=name)["TopicArn"]
    queue = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"])
    return s3, sqs, name, topic, queue


def _definition(bucket, topic):
    def alarm(object_id, subject, message):
        texts = {"topicArn": topic, "subject": subject, "message": message}
        return {"id": object_id, "type": "SnsAlarm", "role": "r", **texts}

    return {
        "objects": [
            {
                "id": "Default",
                "scheduleType": "cron",
                "schedule": {"ref": "Once"},
                "maximumRetries": "0",
                "failureAndRerunMode": "CASCADE",
            },
            {
                "id": "Once",
                "type": "Schedule",
                "period": "1 day",
                "startAt": "FIRST_ACTIVATION_DATE_TIME",
                "occurrences": "1",
            },
            {
                "id": "Work",
                "type": "ShellCommandActivity",
                "workerGroup": "w",
                "command": "true",
                "input": {"ref": "In"},
                "onFail": {"ref": "Failed"},
                "lateAfterTimeout": "15 minutes",
                "onLateAction": {"ref": "Stop"},
            },
            {
                "id": "In",
                "type": "S3DataNode",
                "filePath": f"s3://{bucket}/in",
                "precondition": {"ref": "There"},
            },
            {
                "id": "There",
                "type": "Exists",
                "retryDelay": "2 minutes",
                "onSuccess": {"ref": "Ready"},
                "lateAfterTimeout": "15 minutes",
                "onLateAction": {"ref": "Late"},
            },
            {"id": "Stop", "type": "Terminate"},
            alarm("Late", "#{node.name} is late", "#{node.@pipelineId}"),
            alarm("Ready", "#{node.name} is there", "at #{node.@scheduledStartTime}"),
            alarm("Failed", f"{'x' * 90} #{{node.errorMessage}}", "#{node.name}: #{node.@status}"),
        ]
    }


def test_alarms_are_sent(cloud, dag_runs, tmp_path):
    s3, sqs, bucket, topic, queue = cloud
    path = tmp_path / "alarms.json"
    path.write_text(json.dumps(_definition(bucket, topic)))
    conversion = convert_file(path, "converted_alarms")
    assert not conversion.failed
    # Fifteen minutes are the least that the service took, and more than a test has. So are two
    # minutes between two looks.
    source = conversion.dag_source.replace(
        "interval=timedelta(minutes=15)", "interval=timedelta(0)"
    )
    source = source.replace("timedelta(minutes=2)", "timedelta(seconds=2)")
    assert source.count("timedelta(0)") == 1
    (dag_runs.airflow.state.dags / "converted_alarms.py").write_text(source)
    dag_runs.api.wait_for_dag("converted_alarms")
    dag_runs.api.unpause("converted_alarms")
    run = dag_runs.trigger("converted_alarms", {})
    late = _message(sqs, queue)
    assert (late["Subject"], late["Message"]) == ("There is late", "converted_alarms")
    s3.put_object(Bucket=bucket, Key="in", Body=b"")
    # A callback runs once the state of its task is known, so that the next may be faster.
    both = [_message(sqs, queue), _message(sqs, queue)]
    ready, failed = sorted(both, key=lambda one: one["Subject"])
    assert ready["Subject"] == "there is there"
    assert ready["Message"].startswith("at 20")
    assert failed["Message"] == "work: FAILED", run.output[-3000:]
    assert failed["Subject"].startswith("x" * 90)
    assert len(failed["Subject"]) <= 99


def _message(sqs, queue):
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1, MaxNumberOfMessages=1)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return json.loads(message["Body"])
    raise AssertionError(f"no message within {_TIMEOUT_SECONDS} s")
