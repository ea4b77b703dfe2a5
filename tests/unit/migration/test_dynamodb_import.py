"""Steps that ran AWS's import tool, alone and behind an export."""

import pytest

from updraft.datapipeline.findings import Severity
from updraft.migration.ledger import Status

_TOOL = "s3://jars/tools.jar,org.apache.hadoop.dynamodb.tools."
_STEP = (
    f"{_TOOL}DynamoDBImport,#{{input.directoryPath}},#{{output.tableName}},"
    "#{output.writeThroughputPercent}"
)


@pytest.fixture
def loading(definition):
    """Turn the export of the shared definition around."""
    activity = definition.item("ExportActivity")
    activity.update(id="LoadActivity", step=_STEP, input={"ref": "Backup"}, output={"ref": "Table"})
    table = definition.item("Table")
    table["writeThroughputPercent"] = table.pop("readThroughputPercent")
    return definition


@pytest.mark.parametrize("name", ["DynamoDBImport", "DynamoDbImport"])
def test_the_console_template_becomes_an_import(loading, tasks_of, statuses_of, name):
    loading.item("LoadActivity")["step"] = _STEP.replace("DynamoDBImport", name)
    conversion = loading.convert_cleanly()
    assert tasks_of(conversion) == {
        "load_activity": {
            "operator": "DynamoDBImportOperator",
            "s3_uri": "{{ params.myBackup }}/{{ dag_run.run_after.strftime('%Y-%m-%d') }}",
            "table_name": "{{ params.myTable }}",
            "write_throughput_ratio": 0.5,
            "import_format": "DATA_PIPELINE",
            "region_name": "eu-west-1",
        }
    }
    statuses = statuses_of(conversion)
    assert statuses["Table", "writeThroughputPercent"][0] is Status.CARRIED_OVER
    assert statuses["LoadActivity", "step"][0] is Status.CARRIED_OVER
    assert statuses["Cluster", "coreInstanceCount"][0] is Status.DROPPED
    assert "the import" in statuses["Cluster", "coreInstanceCount"][1]
    status, note = statuses["LoadActivity", "type"]
    assert status is Status.EQUIVALENT
    assert "retry goes on" in note
    assert Status.NEEDS_DECISION not in {one for one, _ in statuses.values()}


def test_a_ratio_from_the_form_has_its_bounds(loading):
    loading.item("Table")["writeThroughputPercent"] = "#{myRatio}"
    loading.document["parameters"].append({"id": "myRatio", "type": "Double", "default": "0.25"})
    source = loading.convert_cleanly().dag_source
    assert 'write_throughput_ratio="{{ params.myRatio }}"' in source
    assert "minimum=0.1" in source
    assert "maximum=1.0" in source


def test_a_time_limit_of_the_cluster_is_that_of_the_task(loading, tasks_of):
    loading.item("Cluster")["terminateAfter"] = "2 Hours"
    task = tasks_of(loading.convert_cleanly())["load_activity"]
    assert task["execution_timeout"] == "timedelta(hours=2)"


def test_a_single_file_is_imported_too(loading, tasks_of):
    backup = loading.item("Backup")
    backup["filePath"] = "s3://b/items"
    del backup["directoryPath"]
    loading.document["parameters"].pop()
    loading.item("LoadActivity")["step"] = _STEP.replace("directoryPath", "filePath")
    assert tasks_of(loading.convert_cleanly())["load_activity"]["s3_uri"] == "s3://b/items"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("s3://b/p", "lacks its table and write throughput ratio"),
        ("s3://b/p,0.25", "lacks its table"),
        ("s3://b/p,#{output.writeThroughputPercent}", "lacks its table"),
        (",orders,0.25", "lacks its input directory"),
        ("s3://b/p,orders,1.5", "write throughput ratio '1.5' is no number from 0.1 to 1.0"),
        ("s3://b/p,orders,much", "write throughput ratio 'much' is no number"),
        ("#{output.directoryPath},orders,0.25", "Table has no field 'directoryPath'"),
    ],
)
def test_wrong_arguments_are_errors_with_their_place(loading, arguments, words):
    step = f"{_TOOL}DynamoDBImport,{arguments}"
    loading.item("LoadActivity")["step"] = step
    conversion = loading.convert()
    (error,) = [one for one in conversion.findings if one.severity is Severity.ERROR]
    assert (error.object_id, error.field, error.value) == ("LoadActivity", "step", step)
    assert words in error.message
    assert error.position.line > 1
    assert error.file.endswith("export.json")
    assert error.advice
    assert "load_activity" in conversion.placeholders


def test_the_advice_shows_the_form_of_an_import(loading):
    loading.item("LoadActivity")["step"] = f"{_TOOL}DynamoDBImport,s3://b/p"
    (error,) = loading.convert().findings
    assert error.advice.endswith("<jar>,<class>,<input directory>,<table>,<write throughput ratio>")


def test_surplus_arguments_make_a_placeholder(loading):
    loading.item("LoadActivity")["step"] += ",4"
    source = loading.convert_cleanly().dag_source
    assert "the import tool takes 3 arguments, the step has 4" in source
    assert "DynamoDBImportOperator" not in source


@pytest.mark.parametrize("name", ["preStepCommand", "postStepCommand"])
def test_commands_around_an_import_make_a_placeholder(loading, name):
    loading.item("LoadActivity")[name] = "ls"
    source = loading.convert_cleanly().dag_source
    assert f"{name} around a DynamoDB import" in source


@pytest.mark.parametrize("other", ["s3://x.jar,Main", _STEP])
def test_several_steps_make_a_placeholder_with_the_reason(loading, other):
    loading.item("LoadActivity")["step"] = [_STEP, other]
    conversion = loading.convert_cleanly()
    reason = next(one.note for one in conversion.report.fields if one.object_id == "LoadActivity")
    assert "it runs 2 steps in a row, the DynamoDB import among them" in reason
    assert not any(
        task.migrated for task in conversion.report.tasks if task.object_type != "EmrCluster"
    )


def test_a_secret_anywhere_in_the_step_makes_a_placeholder(loading):
    loading.item("LoadActivity")["step"] += "#{*mySecret}"
    loading.document["parameters"].append({"id": "*mySecret", "default": "hunter2"})
    conversion = loading.convert()
    assert "DynamoDBImportOperator" not in conversion.dag_source
    assert "must come from a connection" in conversion.dag_source
    assert "hunter2" not in conversion.dag_source + conversion.report.to_json()


def _copy_between_regions(definition):
    definition.item("Table")["id"] = "Source"
    definition.item("ExportActivity")["input"] = {"ref": "Source"}
    definition.add(
        {
            "id": "Target",
            "type": "DynamoDBDataNode",
            "tableName": "copy",
            "writeThroughputPercent": "1",
        },
        {"id": "FarCluster", "type": "EmrCluster", "region": "us-west-2"},
        {
            "id": "LoadActivity",
            "type": "EmrActivity",
            "runsOn": {"ref": "FarCluster"},
            "input": {"ref": "Backup"},
            "output": {"ref": "Target"},
            "step": _STEP,
        },
    )


def test_a_copy_across_regions_goes_through_the_same_files(definition, tasks_of, statuses_of):
    _copy_between_regions(definition)
    conversion = definition.convert_cleanly()
    tasks = tasks_of(conversion)
    assert list(tasks) == ["export_activity", "load_activity"]
    export, load = tasks.values()
    assert export["s3_uri"] == load["s3_uri"]
    assert (export["region_name"], load["region_name"]) == ("eu-west-1", "us-west-2")
    assert "    export_activity >> load_activity\n" in conversion.dag_source
    assert "NotMigratedOperator" not in conversion.dag_source
    note = statuses_of(conversion)["FarCluster", "type"][1]
    assert note == "the import needs no cluster"


def test_one_cluster_for_both_ways_served_the_copy(definition, statuses_of):
    _copy_between_regions(definition)
    definition.item("LoadActivity")["runsOn"] = {"ref": "Cluster"}
    note = statuses_of(definition.convert_cleanly())["Cluster", "type"][1]
    assert note == "the copy needs no cluster"


class TestRegions:
    """The tools asked their cluster; what the DAG does otherwise stands in the report."""

    def test_that_of_the_cluster_goes_before_that_of_the_node(self, loading, tasks_of, statuses_of):
        loading.item("Table")["region"] = "us-east-1"
        conversion = loading.convert_cleanly()
        assert tasks_of(conversion)["load_activity"]["region_name"] == "eu-west-1"
        assert statuses_of(conversion)["Table", "region"][0] is Status.DROPPED
        assert statuses_of(conversion)["Cluster", "region"][0] is Status.CARRIED_OVER

    def test_that_of_the_node_stands_in_for_it(self, loading, tasks_of, statuses_of):
        del loading.item("Cluster")["region"]
        loading.item("Table")["region"] = "us-east-1"
        conversion = loading.convert_cleanly()
        assert tasks_of(conversion)["load_activity"]["region_name"] == "us-east-1"
        assert statuses_of(conversion)["Table", "region"][0] is Status.CARRIED_OVER
        status, note = statuses_of(conversion)["LoadActivity", "runsOn"]
        assert status is Status.APPROXIMATED
        assert "the region of Table" in note

    def test_without_any_that_of_the_connection_is_reported(self, loading, tasks_of, statuses_of):
        del loading.item("Cluster")["region"]
        conversion = loading.convert_cleanly()
        assert "region_name" not in tasks_of(conversion)["load_activity"]
        status, note = statuses_of(conversion)["LoadActivity", "runsOn"]
        assert status is Status.APPROXIMATED
        assert "that of the Airflow connection" in note

    def test_a_worker_group_has_no_region(self, loading, statuses_of):
        activity = loading.item("LoadActivity")
        del activity["runsOn"]
        activity["workerGroup"] = "w"
        status, note = statuses_of(loading.convert())["LoadActivity", "workerGroup"]
        assert status is Status.APPROXIMATED
        assert "that of the Airflow connection" in note


@pytest.mark.parametrize(
    ("bucket", "region", "status"),
    [
        ("dynamodb-emr-#{myRegion}", "{{ params.myRegion }}", Status.EQUIVALENT),
        ("dynamodb-dpl-#{myRegion}", "{{ params.myRegion }}", Status.EQUIVALENT),
        ("dynamodb-emr-us-east-1", None, Status.APPROXIMATED),
        ("own-#{myRegion}", None, Status.APPROXIMATED),
    ],
)
def test_a_region_that_is_asked_for_the_tool_is_that_of_the_table(
    loading, statuses_of, bucket, region, status
):
    activity = loading.item("LoadActivity")
    activity["step"] = f"s3://{bucket}/x.jar,{activity['step'].partition(',')[2]}"
    loading.item("Cluster").pop("region")
    loading.document["parameters"].append({"id": "myRegion", "type": "String"})
    conversion = loading.convert_cleanly()
    assert (f'region_name="{region}"' in conversion.dag_source) is (region is not None)
    assert statuses_of(conversion)["LoadActivity", "runsOn"][0] is status
