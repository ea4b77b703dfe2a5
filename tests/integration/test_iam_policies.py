"""Each policy of include/infra/iam lets its engine do its work, and allows nothing else.

The engines reach the local stack through a proxy that refuses what the policy does not allow, and
that notes what was used of it.
"""

import asyncio
import gzip
import json
import uuid
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import boto3
import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred
from airflow.providers.amazon.aws.hooks.batch_client import BatchClientHook

from tests.integration.container_places import ROLE, ContainerPlaces, look_often
from tests.integration.glue_tasks import event_of, wait_until
from tests.integration.permission_proxy import POLICIES, Policy, permission_proxy
from updraft.operators.containers import BatchCommandOperator, EcsCommandOperator
from updraft.operators.dynamodb import DynamoDBExportOperator, DynamoDBImportOperator
from updraft.operators.dynamodb_base import task_identity
from updraft.operators.dynamodb_verify import DynamoDBVerifyOperator
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)
from updraft.operators.glue_job import GlueJobRunOperator
from updraft.operators.reaper import ReapOrphansOperator
from updraft.operators.shell_command import ShellCommandOperator
from updraft.resource_owner import ENVIRONMENT_TAG

pytestmark = pytest.mark.integration

ACCOUNT = "arn:aws:dynamodb:us-east-1:123456789012"
LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:/aws-dynamodb"
KEYS = {
    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
}
ITEMS = 30

BY_DYNAMODB = {
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "s3:PutObjectAcl",
}
"""What DynamoDB itself does with the rights of whoever asks for an export."""

ON_FAILED_UPLOAD = {"s3:AbortMultipartUpload"}
"""What writing objects needs only after an upload in parts has failed."""

BY_EMR = {
    "elasticmapreduce:PutAutoTerminationPolicy",
    "elasticmapreduce:PutManagedScalingPolicy",
}
"""What EMR asks for when a new cluster has such a policy."""

BY_DYNAMODB_ON_IMPORT = {
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "logs:PutRetentionPolicy",
}

WITHOUT_RESOURCE = {
    "batch:DescribeJobQueues",
    "batch:DescribeJobs",
    "batch:ListJobs",
    "cloudwatch:PutMetricData",
    "dynamodb:ListExports",
    "dynamodb:ListImports",
    "ec2:DescribeInstances",
    "ecs:ListClusters",
    "ecs:ListTasks",
    "elasticmapreduce:ListClusters",
    "elasticmapreduce:RunJobFlow",
    "emr-containers:ListVirtualClusters",
    "emr-serverless:ListApplications",
    "glue:GetCrawlers",
    "glue:ListJobs",
    "glue:ListWorkflows",
    "redshift:CreateScheduledAction",
    "redshift:DeleteScheduledAction",
    "redshift:DescribeClusters",
    "redshift:DescribeNodeConfigurationOptions",
    "redshift:DescribeScheduledActions",
    "redshift:ModifyScheduledAction",
    "redshift-data:CancelStatement",
    "redshift-data:DescribeStatement",
    "redshift-data:GetStatementResult",
    "redshift-data:ListStatements",
    "ssm:CancelCommand",
    "ssm:DescribeInstanceInformation",
    "ssm:GetCommandInvocation",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
}
"""Actions that take no resource; those of the Data API are limited to the caller's statements.

The resource of ``ecs:ListTasks`` is a container instance, which Fargate has not.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""


@pytest.fixture
def aws(local_stack, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    return SimpleNamespace(
        dynamodb=boto3.client("dynamodb"),
        s3=boto3.client("s3"),
        endpoint_url=local_stack.endpoint_url,
        monkeypatch=monkeypatch,
    )


@pytest.fixture
def bucket(aws):
    name = f"backups-{uuid.uuid4()}"
    aws.s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def table(aws):
    name = f"orders-{uuid.uuid4()}"
    aws.dynamodb.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **KEYS)
    for number in range(ITEMS):
        aws.dynamodb.put_item(TableName=name, Item={"id": {"S": str(number)}})
    yield name
    aws.dynamodb.delete_table(TableName=name)


def _policy(name, table, bucket, prefix="exports/orders"):
    return Policy(
        name,
        table_arn=f"{ACCOUNT}:table/{table}",
        bucket_arn=f"arn:aws:s3:::{bucket}",
        prefix=prefix,
        log_group_arn=LOG_GROUP,
    )


@contextmanager
def _rights(aws, *policies):
    """Lead the operators through the proxy."""
    with permission_proxy(aws.endpoint_url, *policies) as proxy, aws.monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


def _context(attempt=1, run="run"):
    return {
        "ti": SimpleNamespace(dag_id="d", task_id="t", map_index=-1, run_id=run, try_number=attempt)
    }


def _arguments(table, bucket, **others):
    return {
        "task_id": "t",
        "table_name": table,
        "s3_uri": f"s3://{bucket}/exports/orders/2026-11-23",
        "aws_conn_id": None,
        **others,
    }


def _native(table, bucket, **others):
    return _arguments(table, bucket, engine="native", deferrable=False, poll_interval=1, **others)


def test_export_by_the_worker(aws, table, bucket):
    policy = _policy("dynamodb-export-worker", table, bucket)
    left = f"exports/orders/2026-11-23/{task_identity(_context())}_1_00000_00000"
    aws.s3.put_object(Bucket=bucket, Key=left, Body=b"of a killed attempt")
    aws.s3.create_multipart_upload(Bucket=bucket, Key=left)

    with _rights(aws, policy) as proxy:
        result = DynamoDBExportOperator(**_arguments(table, bucket)).execute(_context(2))
        again = DynamoDBExportOperator(**_arguments(table, bucket)).execute(_context(3))

    assert again == {**result, "already_exported": True}
    assert result["items"] == ITEMS
    assert proxy.denied == []
    assert proxy.used == policy.actions


def test_export_by_dynamodb(aws, table, bucket):
    aws.dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    policy = _policy("dynamodb-export-native", table, bucket)

    with _rights(aws, policy) as proxy:
        result = DynamoDBExportOperator(**_native(table, bucket)).execute(_context(1))
        again = DynamoDBExportOperator(**_native(table, bucket)).execute(_context(2))

    assert result == again
    assert result["items"] == ITEMS
    assert proxy.denied == []
    assert proxy.used == policy.actions - BY_DYNAMODB


def _export(aws, table, bucket, **others):
    operator = DynamoDBExportOperator(**_arguments(table, bucket, **others))
    return operator.execute(_context(run=str(uuid.uuid4())))


def test_import_by_the_worker(aws, table, bucket):
    _export(aws, table, bucket)
    policy = _policy("dynamodb-import-worker", table, bucket)

    with _rights(aws, policy) as proxy:
        for run, conflict in (("run", "put"), ("other", "skip")):
            operator = DynamoDBImportOperator(**_arguments(table, bucket, on_conflict=conflict))
            result = operator.execute(_context(run=run))
            assert result["items"] + result["skipped"] == ITEMS

    assert proxy.denied == []
    assert proxy.used == policy.actions


def test_rejected_records_of_the_worker(aws, table, bucket):
    aws.s3.put_object(Bucket=bucket, Key="exports/orders/2026-11-23/x", Body=b"no item\n")
    rejected = _policy("s3-prefix-write", table, bucket, prefix="rejected")
    arguments = _arguments(
        table,
        bucket,
        on_error="dead_letter",
        dead_letter_s3_uri=f"s3://{bucket}/rejected/orders",
    )

    with _rights(aws, _policy("dynamodb-import-worker", table, bucket), rejected) as proxy:
        result = DynamoDBImportOperator(**arguments).execute(_context())

    assert result["rejected"] == 1
    assert proxy.denied == []
    assert proxy.used >= rejected.actions - ON_FAILED_UPLOAD


def test_progress_noted_elsewhere(aws, table, bucket):
    _export(aws, table, bucket)
    checkpoint = _policy("s3-checkpoint", table, bucket, prefix="progress")
    arguments = _arguments(table, bucket, checkpoint_s3_uri=f"s3://{bucket}/progress")

    with _rights(aws, _policy("dynamodb-import-worker", table, bucket), checkpoint) as proxy:
        first = DynamoDBImportOperator(**arguments).execute(_context(1))
        again = DynamoDBImportOperator(**arguments).execute(_context(2))

    assert again == {**first, "already_imported": True}
    assert proxy.denied == []
    assert aws.s3.list_objects_v2(Bucket=bucket, Prefix="progress/_updraft/")["KeyCount"] == 1


def test_import_by_dynamodb(aws, table, bucket):
    _export(aws, table, bucket, export_format="DYNAMODB_JSON")
    name = f"restored-{uuid.uuid4()}"
    policy = _policy("dynamodb-import-native", name, bucket)
    arguments = _native(name, bucket, table_creation_parameters=KEYS)

    with _rights(aws, policy) as proxy:
        result = DynamoDBImportOperator(**arguments).execute(_context(1))
        again = DynamoDBImportOperator(**arguments).execute(_context(2))

    assert result == again
    assert result["items"] == ITEMS
    assert proxy.denied == []
    assert proxy.used == policy.actions - BY_DYNAMODB_ON_IMPORT


def test_verification(aws, table, bucket):
    _export(aws, table, bucket)
    policy = _policy("dynamodb-verify", table, bucket)
    differences = _policy("s3-prefix-write", table, bucket, prefix="differences")

    with _rights(aws, policy) as proxy:
        report = DynamoDBVerifyOperator(**_arguments(table, bucket)).execute(_context())
    assert report["differences"] == 0
    assert proxy.denied == []
    assert proxy.used == policy.actions

    aws.dynamodb.delete_item(TableName=table, Key={"id": {"S": "1"}})
    arguments = _arguments(table, bucket, differences_s3_uri=f"s3://{bucket}/differences/x")
    with _rights(aws, policy, differences) as proxy, pytest.raises(AirflowFailException):
        DynamoDBVerifyOperator(**arguments).execute(_context())
    assert proxy.denied == []
    assert proxy.used == (policy.actions | differences.actions) - ON_FAILED_UPLOAD


def _operator_context(attempt=1):
    instance = SimpleNamespace(
        dag_id="d",
        task_id="t",
        map_index=-1,
        run_id=RUN,
        try_number=attempt,
        max_tries=2,
        xcom_push=lambda **_: None,
    )
    return {"ti": instance}


RUN = str(uuid.uuid4())
OPERATOR = {"task_id": "t", "aws_conn_id": None, "deferrable": False, "poll_interval": 1}


def test_a_cluster_and_its_steps(aws, bucket):
    policy = Policy(
        "emr-cluster",
        environment="airflow",
        cluster_arn="arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/*",
        emr_role_arns="arn:aws:iam::123456789012:role/EMR_*",
        bucket_arn=f"arn:aws:s3:::{bucket}",
        prefix="logs",
    )
    cluster = {
        "Name": "policy",
        "ReleaseLabel": "emr-7.9.0",
        "LogUri": f"s3://{bucket}/logs/",
        "Instances": {"MasterInstanceType": "m5.xlarge", "InstanceCount": 1},
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "ServiceRole": "EMR_DefaultRole",
    }

    def steps(*commands, **others):
        return EmrStepsOperator(
            cluster_id=cluster_id,
            steps=[
                {
                    "Name": command,
                    "HadoopJarStep": {"Jar": "command-runner.jar", "Args": ["bash", "-c", command]},
                }
                for command in commands
            ],
            log_timeout=timedelta(seconds=15),
            **{**OPERATOR, **others},
        )

    with _rights(aws, policy) as proxy:
        cluster_id = EmrClusterOperator(cluster=cluster, **OPERATOR).execute(_operator_context())
        again = EmrClusterOperator(cluster=cluster, **OPERATOR).execute(_operator_context(2))
        with pytest.raises(AirflowException, match="FAILED"):
            steps("exit 1").execute(_operator_context())
        steps("true", step_concurrency=2).execute(_operator_context())
        endless = steps("sleep 60", deferrable=True)
        with pytest.raises(TaskDeferred):
            endless.execute(_operator_context())
        endless.on_kill()
        end = EmrTerminateClusterOperator(cluster_id=cluster_id, setup_task_id="t", **OPERATOR)
        assert end.execute(_operator_context()) == [cluster_id]

    assert again == cluster_id
    assert proxy.denied == []
    assert proxy.used == policy.actions - BY_EMR


def test_only_clusters_with_the_tag_are_ended(aws):
    policy = Policy(
        "emr-cluster",
        environment="airflow",
        cluster_arn="arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/*",
        emr_role_arns="",
        bucket_arn="",
        prefix="",
    )
    request = {
        "Name": "foreign",
        "ReleaseLabel": "emr-7.9.0",
        "Instances": {"MasterInstanceType": "m5.xlarge", "InstanceCount": 1},
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "ServiceRole": "EMR_DefaultRole",
    }
    cluster_id = boto3.client("emr").run_job_flow(**request)["JobFlowId"]
    end = EmrTerminateClusterOperator(cluster_id=cluster_id, setup_task_id="t", **OPERATOR)

    with _rights(aws, policy), pytest.raises(AirflowException, match="TerminateJobFlows on "):
        end.execute(_operator_context())
    boto3.client("emr").terminate_job_flows(JobFlowIds=[cluster_id])


def test_an_instance_and_its_commands(aws, bucket):
    instances = Policy(
        "ec2-instance",
        environment="airflow",
        region="us-east-1",
        account="123456789012",
        instance_role_arn="arn:aws:iam::123456789012:role/machine",
    )
    commands = Policy(
        "shell-command",
        region="us-east-1",
        account="123456789012",
        machine_tag_key="updraft:environment",
        machine_tag_value="airflow",
        bucket_arn=f"arn:aws:s3:::{bucket}",
        prefix="printed",
    )

    def running(command, **others):
        return ShellCommandOperator(
            command=command,
            output_uri=f"s3://{bucket}/printed",
            **{**OPERATOR, "instance_id": instance_id, **others},
        )

    def end(**others):
        return Ec2TerminateInstanceOperator(setup_task_id="t", **OPERATOR, **others).execute(
            _operator_context()
        )

    launch = Ec2InstanceOperator(instance_profile="machine", **OPERATOR)
    with _rights(aws, instances) as proxy:
        instance_id = launch.execute(_operator_context())
        assert launch.execute(_operator_context(2)) == instance_id
    assert proxy.denied == []
    used, tags = proxy.used, proxy.tags
    with _rights(aws, commands) as proxy:
        proxy.tags |= tags
        assert running("echo 1").execute(_operator_context()) == "1"
        # What waits asks otherwise: a trigger, and whoever ends it.
        endless, other = running("sleep 60", deferrable=True), _operator_context()
        other["ti"].run_id = "other"
        with pytest.raises(TaskDeferred) as deferred:
            endless.execute(other)
        endless.on_kill()
        event_of(deferred.value.trigger)
        tagged = running("echo 2", instance_id=None, instance_tags={ENVIRONMENT_TAG: "airflow"})
        other["ti"].run_id = "another"
        assert tagged.execute(other) == "2"
    assert proxy.denied == []
    # Of an object that is not there, only who may list its bucket learns that.
    assert proxy.used == commands.actions - {"s3:ListBucket"}
    with _rights(aws, instances) as proxy:
        proxy.tags |= tags
        assert end(keep=True) == []
        assert end() == [instance_id]
    assert proxy.denied == []
    assert used | proxy.used == instances.actions


@pytest.mark.parametrize("kind", ["ecs", "batch"])
def test_commands_in_containers(aws, kind):
    aws.monkeypatch.setattr(BatchClientHook, "delay", staticmethod(look_often))
    places = ContainerPlaces(aws.endpoint_url)
    arn = f"arn:aws:{kind}:us-east-1:123456789012"
    whose = {"environment": "airflow", "region": "us-east-1", "account": "123456789012"}
    names = {
        "cluster_arn": f"{arn}:cluster/{places.name}",
        "task_definition_arn": f"{arn}:task-definition/{places.name}:*",
        "task_role_arns": ROLE,
        "job_definition_arn": f"{arn}:job-definition/{places.name}*",
        "job_queue_arn": f"{arn}:job-queue/{places.name}",
    }
    policy = Policy(f"{kind}-command", **whose, **names)
    operator = EcsCommandOperator if kind == "ecs" else BatchCommandOperator

    def running(command, **more):
        return operator(task_id="t", **places.arguments(kind, command), **more)

    def deferred(run_id):
        context = _operator_context()
        context["ti"].run_id = run_id
        with pytest.raises(TaskDeferred) as error:
            running("sleep 60", deferrable=True).execute(context)
        return error.value.trigger

    with _rights(aws, policy) as proxy:
        for attempt in (1, 2):
            running("true", deferrable=False).execute(_operator_context(attempt))
        trigger = deferred("other")
        asyncio.run(type(trigger)(**trigger.serialize()[1]).on_kill())
        deferred("left")
    assert proxy.denied == []
    assert proxy.used == policy.actions

    aws.monkeypatch.setattr("updraft.operators.reaper.dag_run_state", lambda *_: None)
    aws.monkeypatch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "airflow")
    tags, reaping = proxy.tags, Policy("reap-orphans", **whose)
    reap = ReapOrphansOperator(
        task_id="reap", services=[kind], minutes=0, report_only=False, aws_conn_id=None
    )
    with _rights(aws, reaping) as proxy:
        proxy.tags |= tags
        assert len(reap.execute({})["ended"]) == 1
    assert proxy.denied == []
    assert proxy.used == {action for action in reaping.actions if action.startswith(f"{kind}:")}
    wait_until(lambda: not places.live(kind))


def test_a_glue_job(aws, bucket):
    aws.s3.put_object(Bucket=bucket, Key="x.py", Body=b"import time; print(1); time.sleep(3)")
    boto3.client("glue").create_job(
        Name=bucket,
        Role="arn:aws:iam::123456789012:role/glue",
        Command={
            "Name": "pythonshell",
            "PythonVersion": "3.9",
            "ScriptLocation": f"s3://{bucket}/x.py",
        },
        ExecutionProperty={"MaxConcurrentRuns": 2},
    )
    policy = Policy(
        "glue-job",
        job_arn=f"arn:aws:glue:us-east-1:123456789012:job/{bucket}",
        log_groups_arn="arn:aws:logs:us-east-1:123456789012:log-group:/aws-glue/*",
    )

    def operator(**others):
        return GlueJobRunOperator(job_name=bucket, **{**OPERATOR, **others})

    with _rights(aws, policy) as proxy:
        first = operator().execute(_operator_context())
        again = operator().execute(_operator_context(2))
        ended = operator(script_arguments={"--day": "2"}, deferrable=True)
        with pytest.raises(TaskDeferred):
            ended.execute(_operator_context(3))
        ended.on_kill()

    assert first["run_id"] == again["run_id"]
    assert proxy.denied == []
    assert proxy.used == policy.actions


@pytest.mark.parametrize(
    ("name", "action"),
    [
        ("dynamodb-export-native", "dynamodb:DescribeTable"),
        ("dynamodb-export-native", "dynamodb:ExportTableToPointInTime"),
        ("dynamodb-export-native", "dynamodb:DescribeExport"),
        ("dynamodb-export-native", "s3:GetObject"),
        ("dynamodb-import-native", "dynamodb:ImportTable"),
        ("dynamodb-import-native", "s3:GetObject"),
    ],
)
def test_a_missing_right_is_named(aws, table, bucket, name, action):
    policy = _policy(name, table, bucket)
    for statement in policy.statements:
        statement["Action"] = [allowed for allowed in statement["Action"] if allowed != action]
    aws.dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    body = gzip.compress(json.dumps({"Item": {"id": {"S": "1"}}}).encode())
    if "import" in name:
        key = "exports/orders/2026-11-23/x.json.gz"
        aws.s3.put_object(Bucket=bucket, Key=key, Body=body)
        operator = DynamoDBImportOperator(**_native(table, bucket, table_creation_parameters=KEYS))
    else:
        operator = DynamoDBExportOperator(**_native(table, bucket))

    with _rights(aws, policy) as proxy, pytest.raises(AirflowException, match=f"{action} on "):
        operator.execute(_context(run=str(uuid.uuid4())))
    assert proxy.denied


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.json")), ids=lambda path: path.stem)
def test_policies_are_what_iam_takes(path):
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html."""
    text = path.read_text()
    document = json.loads(text)
    assert document["Version"] == "2012-10-17"
    assert len("".join(text.split())) < 6144  # the limit of a managed policy, without white space
    sids = [statement["Sid"] for statement in document["Statement"]]
    assert len(set(sids)) == len(sids)
    for statement in document["Statement"]:
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource", "Condition"}
        assert statement["Sid"].isalnum()
        assert statement["Effect"] == "Allow"
        assert statement["Action"] == sorted(statement["Action"])
        assert not any("*" in action for action in statement["Action"])
        if statement["Resource"] == "*":
            assert set(statement["Action"]) <= WITHOUT_RESOURCE
        else:
            assert statement["Resource"].startswith(("${", "arn:aws:"))
            assert not set(statement["Action"]) & WITHOUT_RESOURCE
