"""Steps that ran one of AWS's Hive scripts for DynamoDB."""

import ast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from updraft.datapipeline.findings import Severity
from updraft.migration.ledger import Status

_RUNNER = (
    "s3://elasticmapreduce/libs/script-runner/script-runner.jar,"
    "s3://elasticmapreduce/libs/hive/hive-script,--run-hive-script,--hive-versions,latest,--args,"
)
_SCRIPTS = "s3://elasticmapreduce/libs/hive/dynamodb/"
_ENDPOINT = "-d,DYNAMODB_ENDPOINT=dynamodb.ap-south-1.amazonaws.com"
_EXPORT = (
    f"{_RUNNER}-f,{_SCRIPTS}exportDynamoDBTableToS3,-d,DYNAMODB_INPUT_TABLE=#{{input.tableName}},"
    "-d,S3_OUTPUT_BUCKET=#{output.directoryPath},-d,DYNAMODB_READ_PERCENT=0.3"
)
_IMPORT = (
    f"{_RUNNER}-f,{_SCRIPTS}importDynamoDBTableFromS3,-d,DYNAMODB_OUTPUT_TABLE=#{{input.tableName}},"
    "-d,S3_INPUT_BUCKET=#{output.directoryPath},-d,DYNAMODB_WRITE_PERCENT=0.7"
)
_S3_URI = "{{ params.myBackup }}/{{ dag_run.run_after.strftime('%Y-%m-%d') }}"


def _with_step(definition, step):
    definition.item("ExportActivity")["step"] = step
    return definition


def test_an_export(definition, tasks_of, statuses_of):
    conversion = _with_step(definition, f"{_EXPORT},{_ENDPOINT}").convert_cleanly()
    assert tasks_of(conversion)["export_activity"] == {
        "operator": "DynamoDBExportOperator",
        "table_name": "{{ params.myTable }}",
        "s3_uri": _S3_URI,
        "read_throughput_ratio": 0.3,
        "region_name": "ap-south-1",
    }
    status, note = statuses_of(conversion)["ExportActivity", "step"]
    assert status is Status.APPROXIMATED
    assert "Hive wrote lines of another form" in note
    assert "in the format that the pipeline wrote" not in conversion.dag_source
    status, _ = statuses_of(conversion)["Cluster", "region"]
    assert status is Status.DROPPED


def test_an_import(definition, tasks_of, statuses_of):
    conversion = _with_step(definition, f"{_IMPORT},{_ENDPOINT}").convert_cleanly()
    assert tasks_of(conversion)["export_activity"] == {
        "operator": "DynamoDBImportOperator",
        "s3_uri": _S3_URI,
        "table_name": "{{ params.myTable }}",
        "write_throughput_ratio": 0.7,
        "import_format": "DATA_PIPELINE",
        "region_name": "ap-south-1",
    }
    assert statuses_of(conversion)["ExportActivity", "step"][0] is Status.CARRIED_OVER


def test_an_endpoint_with_a_parameter(definition, tasks_of):
    endpoint = "-d,DYNAMODB_ENDPOINT=https://dynamodb.#{myRegion}.amazonaws.com"
    definition.document["parameters"].append({"id": "myRegion", "type": "String"})
    conversion = _with_step(definition, f"{_EXPORT},{endpoint}").convert_cleanly()
    assert tasks_of(conversion)["export_activity"]["region_name"] == "{{ params.myRegion }}"


def test_without_endpoint_the_region_is_that_of_the_cluster(definition, tasks_of):
    conversion = _with_step(definition, _EXPORT).convert_cleanly()
    assert tasks_of(conversion)["export_activity"]["region_name"] == "eu-west-1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("s3://elasticmapreduce/libs/script-runner/script-runner.jar", "command-runner.jar"),
        ("s3://elasticmapreduce/libs/hive/hive-script", "hive-script"),
        (_SCRIPTS, "s3://eu-west-1.elasticmapreduce/libs/hive/dynamodb/"),
        (_SCRIPTS, "s3://#{myTable}.elasticmapreduce/libs/hive/dynamodb/"),
    ],
)
def test_other_ways_to_name_the_same(definition, tasks_of, before, after):
    assert before in _EXPORT
    conversion = _with_step(definition, _EXPORT.replace(before, after)).convert_cleanly()
    assert tasks_of(conversion)["export_activity"]["operator"] == "DynamoDBExportOperator"


@pytest.mark.parametrize(
    ("step", "words"),
    [
        pytest.param(
            f"{_EXPORT},-d,DYNAMODB_READ_AMOUNT=5", "no variable 'DYNAMODB_READ_AMOUNT'", id="name"
        ),
        pytest.param(
            f"{_EXPORT},-d,S3_INPUT_BUCKET=s3://b", "no variable 'S3_INPUT_BUCKET'", id="direction"
        ),
        pytest.param(f"{_EXPORT},-d,DYNAMODB_READ_PERCENT=1", "more than once", id="twice"),
        pytest.param(f"{_EXPORT},-hiveconf,a=b", "'-hiveconf' of the Hive step", id="option"),
        pytest.param(f"{_EXPORT},-d", "'-d' of the Hive step", id="option without value"),
        *(
            pytest.param(
                f"{_EXPORT},-d,DYNAMODB_ENDPOINT={endpoint}",
                "DYNAMODB_ENDPOINT is no dynamodb.<region>.amazonaws.com",
                id=f"endpoint {endpoint}",
            )
            for endpoint in (
                "localhost:8000",
                "dynamodb.amazonaws.com",
                "dynamodb..amazonaws.com",
                "#{myTable}",
            )
        ),
    ],
)
def test_what_is_not_clear_becomes_a_placeholder(definition, step, words):
    conversion = _with_step(definition, step).convert_cleanly()
    notes = {one.note for one in conversion.report.fields if one.object_id == "ExportActivity"}
    assert any(words in note for note in notes), notes
    assert not any(
        task.migrated for task in conversion.report.tasks if task.object_type != "EmrCluster"
    )


@pytest.mark.parametrize(
    ("step", "message", "advice"),
    [
        (
            _EXPORT.replace("-d,DYNAMODB_INPUT_TABLE=#{input.tableName},", ""),
            "The export step lacks its DYNAMODB_INPUT_TABLE",
            "Append -d,DYNAMODB_INPUT_TABLE=<value>",
        ),
        (
            _IMPORT.replace("DYNAMODB_WRITE_PERCENT=0.7", "DYNAMODB_WRITE_PERCENT="),
            "The import step lacks its DYNAMODB_WRITE_PERCENT",
            "Append -d,DYNAMODB_WRITE_PERCENT=<value>",
        ),
        (
            _IMPORT.replace("PERCENT=0.7", "PERCENT=70"),
            "The write throughput ratio '70' is no number from 0.1 to 1.0",
            "Give the share of the table's write capacity that the import may use, such as 0.25",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_an_error(definition, step, message, advice):
    conversion = _with_step(definition, step).convert()
    (error,) = conversion.findings
    assert (error.severity, error.object_id, error.field) == (
        Severity.ERROR,
        "ExportActivity",
        "step",
    )
    assert (error.message, error.advice) == (message, advice)
    assert step.startswith(error.value.removesuffix("…"))
    assert error.position.line > 1
    assert conversion.placeholders == ("export_activity",)


def test_an_export_that_always_goes_to_the_same_place_is_a_warning(definition):
    definition.item("Backup")["directoryPath"] = "s3://backups/orders"
    definition.document["parameters"].pop()
    (warning,) = _with_step(definition, _EXPORT).convert().findings
    assert warning.severity is Severity.WARNING
    assert "Every run exports to the same place" in warning.message


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    arguments=st.lists(
        st.sampled_from([*f"{_EXPORT},{_ENDPOINT}".split(","), *_IMPORT.split(","), "", "#{"])
        | st.text(max_size=8)
    ),
    begun=st.booleans(),
)
def test_any_step_ends_in_a_dag_or_in_errors(definition, arguments, begun):
    step = ",".join([*([_RUNNER.removesuffix(",")] if begun else []), *arguments])
    conversion = _with_step(definition, step).convert()
    errors = [one for one in conversion.findings if one.severity is Severity.ERROR]
    assert conversion.placeholders or not errors
    ast.parse(conversion.dag_source)


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(_EXPORT.replace(_SCRIPTS, "s3://mine/"), id="own"),
        pytest.param(
            _EXPORT.replace(_SCRIPTS, "s3://myelasticmapreduce/libs/hive/dynamodb/"),
            id="bucket that only ends alike",
        ),
        pytest.param(
            _EXPORT.replace("exportDynamoDBTableToS3", "exportDynamoDBTableToS3Absolute"),
            id="script that only begins alike",
        ),
    ],
)
def test_a_script_of_somebody_else_goes_on_being_run_by_hive(definition, step, tasks_of):
    tasks = tasks_of(_with_step(definition, step).convert_cleanly())
    assert tasks["export_activity"]["operator"] == "EmrStepsOperator"
