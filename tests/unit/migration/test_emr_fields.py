"""Every field of the types that run on clusters: in the DAG, or in the report with a reason."""

import ast
import json

import botocore.session
import pytest
from botocore.validate import ParamValidator

from updraft.datapipeline.object_types import object_types
from updraft.emr.cluster_request import owned, read_cluster
from updraft.emr.request_numbers import with_numbers
from updraft.emr.steps import read_steps
from updraft.migration.conversion import convert_file
from updraft.migration.ledger import Status

_TYPES = ("EmrActivity", "HadoopActivity", "HiveActivity", "HiveCopyActivity", "PigActivity")
_REFERENCES = {
    "configuration": "Config",
    "coreGroupConfiguration": "Config",
    "masterGroupConfiguration": "Config",
    "taskGroupConfiguration": "Config",
    "coreEbsConfiguration": "Ebs",
    "masterEbsConfiguration": "Ebs",
    "taskEbsConfiguration": "Ebs",
    "EbsBlockDeviceConfig": "Device",
    "VolumeSpecification": "Volume",
    "dependsOn": "Earlier",
    "httpProxy": "Proxy",
    "input": "In",
    "onFail": "Alarm",
    "onLateAction": "Alarm",
    "onSuccess": "Alarm",
    "output": "Out",
    "parent": "Base",
    "postActivityTaskConfig": "Script",
    "preActivityTaskConfig": "Script",
    "precondition": "Ready",
    "runsOn": "Cluster",
    "schedule": "Schedule",
}
_TEXTS = {
    "amiVersion": "3.8.0",
    "applications": "Spark",
    "bootstrapAction": "s3://b/BOOT.sh,low\\\\,high",
    "filterSql": "a > 17",
    "hadoopSchedulerType": "PARALLEL_FAIR_SCHEDULING",
    "hiveScript": "INSERT OVERWRITE TABLE ${output1} SELECT * FROM ${input1};",
    "releaseLabel": "emr-6.15.0",
    "script": "${output1} = FILTER ${input1} BY b > 2;",
    "step": "s3://b/STEP.jar,one\\\\,two,#{format(@scheduledStartTime,'YYYY')}",
    "stage": "true",
    "terminateAfter": "3 hours",
    "useOnDemandOnLastAttempt": "true",
}
_BY_SLOT = {"period": "3 hours", "integer": "3", "boolean": "true", "double": "0.3"}
# Of two fields that exclude each other, the second one is left out.
_EXCLUSIVE = {"scriptUri"}
# Placed in the DAG: the text of the field, or what it is there.
_IN_DAG = {
    "additionalMasterSecurityGroupIds": "additionalMasterSecurityGroupIds-value",
    "additionalSlaveSecurityGroupIds": "additionalSlaveSecurityGroupIds-value",
    "applications": '{"Name": "Spark"}',
    "bootstrapAction": '"Args": ["low,high"]',
    "configuration": '"Classification": "yarn-site"',
    "coreInstanceBidPrice": '"BidPrice": "coreInstanceBidPrice-value"',
    "coreInstanceCount": '"InstanceCount": 3',
    "coreInstanceType": '"InstanceType": "coreInstanceType-value"',
    "coreEbsConfiguration": '"SizeInGB": 100',
    "emrLogUri": '"LogUri": "emrLogUri-value"',
    "emrManagedMasterSecurityGroupId": '"EmrManagedMasterSecurityGroup": "emrManagedMaster',
    "emrManagedSlaveSecurityGroupId": '"EmrManagedSlaveSecurityGroup": "emrManagedSlave',
    "hadoopSchedulerType": "fair.FairScheduler",
    "initTimeout": "start_timeout=timedelta(hours=3)",
    "keyPair": '"Ec2KeyName": "keyPair-value"',
    "masterInstanceBidPrice": '"BidPrice": "masterInstanceBidPrice-value"',
    "masterInstanceType": '"InstanceType": "masterInstanceType-value"',
    "maximumRetries": "retries=3",
    "region": '"region_name": "region-value"',
    "releaseLabel": '"ReleaseLabel": "emr-6.15.0"',
    "resourceRole": '"JobFlowRole": "resourceRole-value"',
    "retryDelay": "retry_delay=timedelta(hours=3)",
    "role": '"ServiceRole": "role-value"',
    "serviceAccessSecurityGroupId": '"ServiceAccessSecurityGroup": "serviceAccess',
    "subnetId": '"Ec2SubnetId": "subnetId-value"',
    "taskInstanceBidPrice": '"BidPrice": "taskInstanceBidPrice-value"',
    "taskInstanceType": '"InstanceType": "taskInstanceType-value"',
    "terminateAfter": '"IdleTimeout": 10800',
    "useOnDemandOnLastAttempt": "on_demand_fallback=True",
}
_COLUMNS = ["a STRING", "b INT"]
_BASE = [
    {"id": "Default", "scheduleType": "ondemand"},
    {"id": "Base", "myNote": "x"},
    {
        "id": "Schedule",
        "type": "Schedule",
        "period": "1 day",
        "startAt": "FIRST_ACTIVATION_DATE_TIME",
    },
    {"id": "Csv", "type": "CSV", "column": _COLUMNS},
    {"id": "In", "type": "S3DataNode", "directoryPath": "s3://b/in/", "dataFormat": {"ref": "Csv"}},
    {
        "id": "Out",
        "type": "S3DataNode",
        "directoryPath": "s3://b/out/",
        "dataFormat": {"ref": "Csv"},
    },
    {"id": "Attributes", "type": "DynamoDBDataFormat", "column": _COLUMNS},
    {
        "id": "Table",
        "type": "DynamoDBDataNode",
        "tableName": "orders",
        "dataFormat": {"ref": "Attributes"},
    },
    {
        "id": "Script",
        "type": "ShellScriptConfig",
        "scriptUri": "s3://b/s.sh",
        "scriptArgument": "x",
    },
    {
        "id": "Config",
        "type": "EmrConfiguration",
        "classification": "yarn-site",
        "property": {"ref": "Property"},
    },
    {"id": "Property", "type": "Property", "key": "k", "value": "v"},
    {
        "id": "Ebs",
        "type": "EbsConfiguration",
        "ebsOptimized": "true",
        "ebsBlockDeviceConfig": {"ref": "Device"},
    },
    {
        "id": "Device",
        "type": "EbsBlockDeviceConfig",
        "volumesPerInstance": "2",
        "volumeSpecification": {"ref": "Volume"},
    },
    {"id": "Volume", "type": "VolumeSpecification", "sizeInGB": "100", "volumeType": "gp3"},
    {"id": "Proxy", "type": "HttpProxy", "hostname": "h", "port": "1"},
    {
        "id": "Alarm",
        "type": "SnsAlarm",
        "topicArn": "t",
        "subject": "s",
        "message": "m",
        "role": "r",
    },
    {"id": "Ready", "type": "S3KeyExists", "s3Key": "s3://b/k"},
    {
        "id": "Earlier",
        "type": "EmrActivity",
        "step": "s3://b/earlier.jar",
        "runsOn": {"ref": "Cluster"},
    },
]


def _full(object_type, object_id):
    """Write an object with all fields that its type has."""
    written = {"id": object_id, "type": object_type}
    for name, known in object_types()[object_type].fields.items():
        if name in _EXCLUSIVE:
            continue
        if known.slot == "ref":
            written[name] = {"ref": _REFERENCES[name]}
        elif known.allowed and name not in _TEXTS:
            written[name] = known.allowed[0]
        else:
            written[name] = _TEXTS.get(name) or _BY_SLOT.get(known.slot) or f"{name}-value"
    return written


def _convert(folder, *objects, **values):
    path = folder / "full.json"
    parameters = [{"id": name, "type": "Integer"} for name in values]
    document = {"objects": [*_BASE, *objects], "parameters": parameters, "values": values}
    path.write_text(json.dumps(document))
    conversion = convert_file(path, "full")
    assert conversion.dag_source is not None, conversion.findings
    return conversion


def _accounts(conversion, object_id):
    return {one.field: one for one in conversion.report.fields if one.object_id == object_id}


@pytest.fixture
def cluster():
    written = _full("EmrCluster", "Cluster")
    # A resource has no resource.
    del written["runsOn"]
    return written


@pytest.mark.parametrize("object_type", _TYPES)
def test_no_field_of_an_activity_vanishes(tmp_path, object_type):
    activity = _full(object_type, "Activity")
    if object_type == "HiveCopyActivity":
        activity["input"] = {"ref": "Table"}
    cluster = {
        "id": "Cluster",
        "type": "EmrCluster",
        "releaseLabel": "emr-6.15.0",
        "terminateAfter": "2 hours",
    }
    conversion = _convert(tmp_path, activity, cluster)
    (task,) = (one for one in conversion.report.tasks if one.object_id == "Activity")
    assert task.operator == "EmrStepsOperator"
    accounts = _accounts(conversion, "Activity")
    assert set(activity) - {"id"} <= set(accounts)
    assert [one for one in accounts.values() if "no rule" in one.note] == []
    undecided = {name for name, one in accounts.items() if one.status is Status.NEEDS_DECISION}
    assert undecided <= {"onFail", "onSuccess", "onLateAction", "lateAfterTimeout"}
    assert "execution_timeout=timedelta(hours=2)" in conversion.dag_source


def test_no_field_of_a_cluster_vanishes(tmp_path, cluster):
    conversion = _convert(tmp_path, cluster)
    accounts = _accounts(conversion, "Cluster")
    assert set(cluster) - {"id"} <= set(accounts)
    assert [one for one in accounts.values() if "no rule" in one.note] == []
    # Long texts stand there in pieces.
    source = ast.unparse(ast.parse(conversion.dag_source)).replace("'", '"')
    for name, words in _IN_DAG.items():
        assert words in source, name
        settled = {Status.CARRIED_OVER, Status.EQUIVALENT, Status.APPROXIMATED}
        assert accounts[name].status in settled, name
    for name, one in accounts.items():
        if name not in _IN_DAG:
            assert one.status is not Status.CARRIED_OVER or name in {
                "masterEbsConfiguration",
                "masterGroupConfiguration",
                "coreGroupConfiguration",
                "taskEbsConfiguration",
                "taskGroupConfiguration",
                "taskInstanceCount",
                "name",
                "onFail",
                "onSuccess",
                "schedule",
                "scheduleType",
                "type",
            }, name


def _problems(operation, request):
    """Let botocore check a request by its model of the API."""
    model = botocore.session.Session().get_service_model("emr").operation_model(operation)
    return ParamValidator().validate(request, model.input_shape).generate_report()


@pytest.mark.parametrize("count", ["3", "#{myCount}"])
def test_emr_takes_the_request(tmp_path, cluster, tasks_of, count):
    cluster["coreInstanceCount"] = count
    conversion = _convert(tmp_path, cluster, myCount="5")
    written = tasks_of(conversion)["cluster"]["cluster"]
    rendered = json.loads(json.dumps(written).replace("{{ params.myCount }}", "5"))
    request = owned(read_cluster(with_numbers(rendered)), suffix="x", tags={"a": "b"})
    assert _problems("RunJobFlow", request) == ""


@pytest.mark.parametrize("object_type", _TYPES)
def test_emr_takes_the_steps(tmp_path, tasks_of, object_type):
    activity = _full(object_type, "Activity")
    if object_type == "HiveCopyActivity":
        activity["input"] = {"ref": "Table"}
    cluster = {"id": "Cluster", "type": "EmrCluster", "releaseLabel": "emr-6.15.0"}
    steps = tasks_of(_convert(tmp_path, activity, cluster))["activity"]["steps"]
    request = {"JobFlowId": "j-1", "Steps": read_steps(steps)}
    assert _problems("AddJobFlowSteps", request) == ""


def test_the_roles_of_a_cluster_are_what_their_descriptions_confuse(tmp_path, cluster):
    # "role" is that of the service, "resourceRole" the profile of instances (guide, "EmrCluster",
    # example with custom IAM roles).
    source = _convert(tmp_path, cluster).dag_source
    assert '"ServiceRole": "role-value"' in source
    assert '"JobFlowRole": "resourceRole-value"' in source


def test_objects_that_describe_a_cluster_are_part_of_it(tmp_path, cluster):
    conversion = _convert(tmp_path, cluster)
    for object_id in ("Config", "Property", "Ebs", "Device", "Volume"):
        for one in _accounts(conversion, object_id).values():
            assert one.status in {Status.CARRIED_OVER, Status.EQUIVALENT}, one
