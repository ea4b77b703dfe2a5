"""Clusters in a DAG: what they get, when they are made, and when they are ended."""

from itertools import pairwise

import pytest

from updraft.datapipeline.findings import Severity
from updraft.migration.ledger import Status

_TYPE = ("First", "type")


@pytest.fixture
def stepping(definition):
    """Let the activity of the shared definition run a step of its own."""
    definition.item("ExportActivity").update(id="First", name="First", step="s3://b/first.jar,x")
    return definition


def _activity(object_id, **fields):
    return {
        "id": object_id,
        "type": "HadoopActivity",
        "jarUri": f"s3://b/{object_id}.jar",
        "runsOn": {"ref": "Cluster"},
        **fields,
    }


def _edges(conversion):
    chains = [line.strip().split(" >> ") for line in conversion.dag_source.splitlines()]
    return {f"{one} >> {other}" for chain in chains for one, other in pairwise(chain)}


def test_one_cluster_serves_all_activities_of_a_run(stepping, tasks_of):
    stepping.add(_activity("Second", dependsOn={"ref": "First"}))
    conversion = stepping.convert_cleanly()
    tasks = tasks_of(conversion)
    assert [tasks[name]["operator"] for name in ("cluster", "first", "second")] == [
        "EmrClusterOperator",
        "EmrStepsOperator",
        "EmrStepsOperator",
    ]
    assert tasks["first"]["cluster_id"] == tasks["second"]["cluster_id"] == "cluster.output"
    assert {one["region_name"] for one in tasks.values()} == {"eu-west-1"}
    assert ").as_setup()" in conversion.dag_source
    assert ").as_teardown(setups=cluster)" in conversion.dag_source
    assert _edges(conversion) == {"first >> second", "second >> cluster_terminate"}


def test_a_cluster_waits_for_what_all_its_activities_wait_for(stepping):
    stepping.add(
        {"id": "Ready", "type": "S3KeyExists", "s3Key": "s3://b/k"},
        {"id": "Other", "type": "S3KeyExists", "s3Key": "s3://b/o"},
        _activity("Second", precondition=[{"ref": "Ready"}, {"ref": "Other"}]),
    )
    stepping.item("First")["precondition"] = {"ref": "Ready"}
    assert _edges(stepping.convert()) == {
        "ready >> cluster",
        "other >> second",
        "[first, second] >> cluster_terminate",
    }


def test_a_cluster_is_made_early_enough_for_the_first_of_its_activities(stepping):
    stepping.add(
        {"id": "Ready", "type": "S3KeyExists", "s3Key": "s3://b/k"},
        _activity("Second", precondition={"ref": "Ready"}),
    )
    edges = _edges(stepping.convert())
    assert "ready >> second" in edges
    assert "[first, second] >> cluster_terminate" in edges


def test_work_elsewhere_between_two_activities_keeps_the_cluster(stepping):
    stepping.add(
        {
            "id": "Elsewhere",
            "type": "ShellCommandActivity",
            "command": "ls",
            "workerGroup": "w",
            "dependsOn": {"ref": "First"},
        },
        _activity("Second", dependsOn={"ref": "Elsewhere"}),
    )
    assert _edges(stepping.convert()) == {
        "first >> elsewhere",
        "elsewhere >> second",
        "second >> cluster_terminate",
    }


def test_a_copy_needs_no_cluster_beside_an_activity_that_does(definition, tasks_of):
    definition.add(_activity("Second"))
    conversion = definition.convert_cleanly()
    assert "cluster_id" not in tasks_of(conversion)["export_activity"]
    assert _edges(conversion) == {"second >> cluster_terminate"}


def test_the_request(stepping, tasks_of):
    stepping.item("Cluster").update(
        pipelineLogUri="s3://logs/",
        applications=["spark", "hive"],
        masterInstanceType="m5.xlarge",
        coreInstanceCount="#{myCount}",
        coreInstanceBidPrice="OnDemandPrice",
    )
    stepping.document["parameters"].append({"id": "myCount", "type": "Integer", "default": "2"})
    assert tasks_of(stepping.convert_cleanly())["cluster"]["cluster"] == {
        "Name": "Cluster",
        "LogUri": "s3://logs/",
        "ReleaseLabel": "emr-6.15.0",
        "Applications": [{"Name": "Hadoop"}, {"Name": "Spark"}, {"Name": "Hive"}],
        "ServiceRole": "DataPipelineDefaultRole",
        "JobFlowRole": "DataPipelineDefaultResourceRole",
        "Instances": {
            "InstanceGroups": [
                {
                    "Name": "Master",
                    "InstanceRole": "MASTER",
                    "InstanceType": "m5.xlarge",
                    "InstanceCount": 1,
                    "Market": "ON_DEMAND",
                },
                {
                    "Name": "Core",
                    "InstanceRole": "CORE",
                    "InstanceType": "m5.xlarge",
                    "InstanceCount": "{{ params.myCount }}",
                    "Market": "SPOT",
                },
            ],
            "KeepJobFlowAliveWhenNoSteps": True,
        },
    }


def test_what_default_says_of_all_goes_to_the_cluster(stepping, tasks_of, statuses_of):
    stepping.item("Default").update(role="R", resourceRole="P", pipelineLogUri="s3://logs/")
    conversion = stepping.convert_cleanly()
    request = tasks_of(conversion)["cluster"]["cluster"]
    assert (request["ServiceRole"], request["JobFlowRole"]) == ("R", "P")
    assert request["LogUri"] == "s3://logs/"
    for name in ("role", "resourceRole", "pipelineLogUri"):
        assert statuses_of(conversion)["Default", name][0] is Status.CARRIED_OVER


def test_without_a_cluster_the_roles_of_default_are_dropped(definition, statuses_of):
    definition.item("Default")["role"] = "R"
    assert statuses_of(definition.convert_cleanly())["Default", "role"][0] is Status.DROPPED


@pytest.mark.parametrize("given", [{"amiVersion": "3.8.0"}, {}])
def test_without_a_release_there_is_a_proposal_and_a_warning(stepping, tasks_of, given):
    del stepping.item("Cluster")["releaseLabel"]
    stepping.item("Cluster").update(given)
    conversion = stepping.convert()
    (finding,) = conversion.findings
    assert (finding.severity, finding.object_id) == (Severity.WARNING, "Cluster")
    release = tasks_of(conversion)["cluster"]["cluster"]["ReleaseLabel"]
    assert release.startswith("emr-7.")
    assert release in finding.advice


def test_old_instance_types_stay_but_are_told(stepping, statuses_of):
    stepping.item("Cluster")["coreInstanceType"] = "m3.xlarge"
    conversion = stepping.convert()
    (finding,) = conversion.findings
    assert (finding.field, finding.value) == ("coreInstanceType", "m3.xlarge")
    assert '"InstanceType": "m3.xlarge"' in conversion.dag_source
    fate = statuses_of(conversion)["Cluster", "coreInstanceType"]
    assert fate[0] is Status.NEEDS_DECISION


def test_old_instance_types_go_where_the_release_is_another_one(stepping, statuses_of):
    del stepping.item("Cluster")["releaseLabel"]
    stepping.item("Cluster")["coreInstanceType"] = "m3.2xlarge"
    stepping.item("Cluster")["masterInstanceType"] = "m1.medium"
    conversion = stepping.convert()
    assert [one.field for one in conversion.findings] == ["releaseLabel"]
    assert '"InstanceType": "m5.2xlarge"' in conversion.dag_source
    assert '"InstanceType": "m5.xlarge"' in conversion.dag_source
    status, note = statuses_of(conversion)["Cluster", "coreInstanceType"]
    assert status is Status.APPROXIMATED
    assert "m3.2xlarge" in note


def test_a_group_without_instances_is_left_out(stepping, tasks_of):
    stepping.item("Cluster").update(coreInstanceCount="0", taskInstanceCount="0")
    groups = tasks_of(stepping.convert_cleanly())["cluster"]["cluster"]["Instances"]
    assert [one["InstanceRole"] for one in groups["InstanceGroups"]] == ["MASTER"]


def test_bootstrap_actions(stepping, tasks_of, statuses_of):
    base = "s3://elasticmapreduce/bootstrap-actions"
    stepping.item("Cluster")["bootstrapAction"] = [
        "s3://b/own.sh,low\\,high,x",
        f"{base}/configure-hadoop,-y, q.r=1",
        f"{base}/install-ganglia-metrics",
    ]
    conversion = stepping.convert()
    request = tasks_of(conversion)["cluster"]["cluster"]
    assert request["BootstrapActions"] == [
        {
            "Name": "own.sh",
            "ScriptBootstrapAction": {"Path": "s3://b/own.sh", "Args": ["low,high", "x"]},
        }
    ]
    assert request["Configurations"] == [
        {"Classification": "yarn-site", "Properties": {"q.r": "1"}}
    ]
    (finding,) = conversion.findings
    assert finding.field == "bootstrapAction"
    status, note = statuses_of(conversion)["Cluster", "bootstrapAction"]
    assert status is Status.NEEDS_DECISION
    assert "install-ganglia-metrics" in note


def test_nested_configurations(stepping, tasks_of):
    stepping.item("Cluster")["configuration"] = {"ref": "Env"}
    stepping.add(
        {
            "id": "Env",
            "type": "EmrConfiguration",
            "classification": "hadoop-env",
            "configuration": {"ref": "Export"},
        },
        {
            "id": "Export",
            "type": "EmrConfiguration",
            "classification": "export",
            "property": [{"ref": "Heap"}],
        },
        {"id": "Heap", "type": "Property", "key": "HADOOP_HEAP", "value": "#{myTable}"},
    )
    assert tasks_of(stepping.convert_cleanly())["cluster"]["cluster"]["Configurations"] == [
        {
            "Classification": "hadoop-env",
            "Configurations": [
                {"Classification": "export", "Properties": {"HADOOP_HEAP": "{{ params.myTable }}"}}
            ],
        }
    ]


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("keyPair", "#{*mySecret}", "must come from a connection"),
        ("useOnDemandOnLastAttempt", "#{myTable}", "neither true nor false before the run"),
        ("configuration", {"ref": "Loop"}, "is part of itself"),
        ("configuration", {"ref": "Metastore"}, "holds a secret"),
        ("bootstrapAction", "s3://b/x.sh,--password=hunter2", "a password stands in"),
    ],
)
def test_what_can_not_be_said_makes_a_placeholder(stepping, field, value, words):
    stepping.document["parameters"].append({"id": "*mySecret", "type": "String"})
    stepping.add(
        {
            "id": "Loop",
            "type": "EmrConfiguration",
            "classification": "c",
            "configuration": {"ref": "Loop"},
        },
        {
            "id": "Metastore",
            "type": "EmrConfiguration",
            "classification": "hive-site",
            "property": {"ref": "Password"},
        },
        {
            "id": "Password",
            "type": "Property",
            "key": "javax.jdo.option.ConnectionPassword",
            "value": "hunter2",
        },
    )
    stepping.item("Cluster")[field] = value
    conversion = stepping.convert()
    note = next(one.note for one in conversion.report.fields if one.object_id == "Cluster")
    assert words in note
    assert "hunter2" not in conversion.dag_source
    assert "cluster_terminate" not in conversion.dag_source
    assert "cluster_id=cluster.output" in conversion.dag_source


def test_jobs_that_ran_side_by_side_still_do(definition, tasks_of):
    definition.document["objects"].remove(definition.item("ExportActivity"))
    definition.add(_activity("One"), _activity("Two"))
    request = tasks_of(definition.convert())["cluster"]["cluster"]
    assert request["StepConcurrencyLevel"] == 2


def test_an_old_release_runs_no_steps_side_by_side(definition, tasks_of):
    definition.document["objects"].remove(definition.item("ExportActivity"))
    definition.add(_activity("One"), _activity("Two"))
    definition.item("Cluster").pop("amiVersion", None)
    definition.item("Cluster")["releaseLabel"] = "emr-5.27.0"
    conversion = definition.convert()
    assert "StepConcurrencyLevel" not in tasks_of(conversion)["cluster"]["cluster"]
    assert "one after the other" in " ".join(one.message for one in conversion.report.findings)


@pytest.mark.parametrize(
    "other",
    [
        _activity("Two", preActivityTaskConfig={"ref": "Script"}),
        {
            "id": "Two",
            "type": "EmrActivity",
            "step": "s3://b/x.jar",
            "runsOn": {"ref": "Cluster"},
        },
    ],
)
def test_steps_that_were_in_a_row_stay_so(definition, tasks_of, other):
    definition.document["objects"].remove(definition.item("ExportActivity"))
    definition.add(
        _activity("One"),
        other,
        {"id": "Script", "type": "ShellScriptConfig", "scriptUri": "s3://b/s.sh"},
    )
    assert "StepConcurrencyLevel" not in tasks_of(definition.convert())["cluster"]["cluster"]


def test_a_release_that_a_parameter_names_may_not_end_idle_clusters(stepping, tasks_of):
    cluster = stepping.item("Cluster")
    cluster.update(releaseLabel="#{myRelease}", terminateAfter="2 hours")
    stepping.document["parameters"].append({"id": "myRelease", "default": "emr-5.29.0"})
    assert "AutoTerminationPolicy" not in tasks_of(stepping.convert())["cluster"]["cluster"]


def test_an_old_type_that_a_parameter_names_is_told(stepping, statuses_of):
    del stepping.item("Cluster")["releaseLabel"]
    stepping.item("Cluster")["coreInstanceType"] = "#{myType}"
    stepping.document["parameters"].append({"id": "myType", "default": "m3.xlarge"})
    conversion = stepping.convert()
    assert [one.field for one in conversion.findings] == ["releaseLabel", "coreInstanceType"]
    assert '"InstanceType": "{{ params.myType }}"' in conversion.dag_source
    status, _ = statuses_of(conversion)["Cluster", "coreInstanceType"]
    assert status is Status.NEEDS_DECISION


@pytest.mark.parametrize(
    ("places", "log_uri", "status"),
    [
        (("s3://logs/a", "s3://logs/a/"), "s3://logs/a", Status.CARRIED_OVER),
        (("s3://logs/a", None), "s3://logs/a", Status.CARRIED_OVER),
        (("s3://logs/a", "s3://logs/b"), None, Status.DROPPED),
    ],
)
def test_a_cluster_logs_where_its_activities_do(stepping, statuses_of, places, log_uri, status):
    stepping.add(_activity("Second"))
    for name, place in zip(("First", "Second"), places, strict=True):
        if place is not None:
            stepping.item(name)["pipelineLogUri"] = place
    conversion = stepping.convert_cleanly()
    assert (f'"LogUri": "{log_uri}"' in conversion.dag_source) is (log_uri is not None)
    assert statuses_of(conversion)["First", "pipelineLogUri"][0] is status


@pytest.mark.parametrize(
    ("steps", "retries", "retry_from"),
    [(2, "3", "first_step"), (2, "0", None), (1, "3", None)],
)
def test_a_retry_begins_with_the_first_of_several_steps(
    stepping, tasks_of, steps, retries, retry_from
):
    step = [f"s3://b/{number}.jar" for number in range(steps)]
    stepping.item("First").update(step=step, maximumRetries=retries)
    conversion = stepping.convert_cleanly()
    assert tasks_of(conversion)["first"].get("retry_from") == retry_from
    accounts = [one for one in conversion.report.fields if (one.object_id, one.field) == _TYPE]
    assert [one.status for one in accounts] == [Status.CARRIED_OVER]
