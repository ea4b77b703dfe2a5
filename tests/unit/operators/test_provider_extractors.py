"""DAGs that know nothing of Updraft, and the lineage that they have by its plugin."""

import subprocess
import sys
from types import SimpleNamespace

import pytest
from airflow.providers.amazon.aws.operators.emr import EmrAddStepsOperator
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.operators.glue_crawler import GlueCrawlerOperator
from airflow.providers.amazon.aws.operators.redshift_data import RedshiftDataOperator
from airflow.providers.amazon.aws.transfers.dynamodb_to_s3 import DynamoDBToS3Operator
from airflow.providers.amazon.aws.transfers.s3_to_dynamodb import S3ToDynamoDBOperator
from airflow.providers.openlineage.extractors import OperatorLineage
from airflow.providers.openlineage.extractors.manager import ExtractorManager

import updraft_plugin
from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks.caller_identity import CallerIdentity
from updraft.operators import provider_lineage

RAW, CLEAN = ("s3://data", "raw"), ("s3://data", "clean")
TABLE = ("arn:aws:dynamodb:eu-west-1:123456789012", "table/orders")
STEP = {"HadoopJarStep": {"Jar": "x", "Args": ["--src", "s3://data/raw", "--dest=s3://data/clean"]}}
REDSHIFT = "redshift://warehouse.eu-west-1:5439"


@pytest.fixture(autouse=True)
def _plugin(monkeypatch):
    """Register the extractors for the test, as Airflow does when it loads the plugin."""
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__EXTRACTORS", "")
    updraft_plugin._register_extractors()


@pytest.fixture(autouse=True)
def _account(monkeypatch):
    def known(aws_conn_id, region_name=None):
        return CallerIdentity("aws", "eu-west-1", "123456789012")

    monkeypatch.setattr(provider_lineage, "caller_identity", known)


def _lineage(operator, *, has_ended=True):
    """Ask as the listener does."""
    extractor = ExtractorManager()._get_extractor(operator)
    found = extractor.extract_on_complete(SimpleNamespace()) if has_ended else extractor.extract()
    return [[(one.namespace, one.name) for one in side] for side in (found.inputs, found.outputs)]


OPERATORS = {
    "steps": (EmrAddStepsOperator(task_id="t", job_flow_id="j-1", steps=[STEP]), [RAW], [CLEAN]),
    "steps of a file": (
        EmrAddStepsOperator(task_id="t", job_flow_id="j-1", steps=f"[{STEP}]".replace("'", '"')),
        [RAW],
        [CLEAN],
    ),
    "job": (
        GlueJobOperator(
            task_id="t",
            job_name="j",
            script_args={"--input_path": "s3://data/raw/", "--TempDir": "s3://tmp/x"},
            create_job_kwargs={"DefaultArguments": {"--target": "s3://data/clean"}},
        ),
        [RAW],
        [CLEAN],
    ),
    "crawler": (
        GlueCrawlerOperator(
            task_id="t", config={"Name": "c", "Targets": {"S3Targets": [{"Path": "s3://data/raw"}]}}
        ),
        [RAW],
        [],
    ),
    "export": (
        DynamoDBToS3Operator(
            task_id="t",
            dynamodb_table_name="orders",
            s3_bucket_name="data",
            s3_key_prefix="raw/",
            file_size=1,
        ),
        [TABLE],
        [RAW],
    ),
    "import": (
        S3ToDynamoDBOperator(
            task_id="t",
            s3_bucket="data",
            s3_key="raw",
            dynamodb_table_name="orders",
            dynamodb_key_schema=[],
        ),
        [RAW],
        [TABLE],
    ),
    "SQL": (
        RedshiftDataOperator(
            task_id="t",
            database="dev",
            cluster_identifier="warehouse",
            region_name="eu-west-1",
            sql=[
                "copy raw from 's3://data/raw' iam_role default",
                "insert into clean select * from raw",
            ],
        ),
        [RAW, (REDSHIFT, "dev.public.raw")],
        [(REDSHIFT, "dev.public.clean"), (REDSHIFT, "dev.public.raw")],
    ),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_what_operators_read_and_write(name):
    operator, inputs, outputs = OPERATORS[name]
    assert [sorted(side) for side in _lineage(operator)] == [sorted(inputs), sorted(outputs)]


def test_the_account_is_asked_for_at_the_end_only():
    assert _lineage(OPERATORS["export"][0], has_ended=False) == [[], [RAW]]


def test_without_an_account_there_is_the_rest_of_nothing_wrong(monkeypatch, caplog):
    def unknown(*_):
        raise ServiceError("There is no answer")

    monkeypatch.setattr(provider_lineage, "caller_identity", unknown)
    assert _lineage(OPERATORS["import"][0]) == [[], []]
    assert "The lineage of task t is incomplete: There is no answer" in caplog.text


def test_steps_that_are_no_json_say_nothing(caplog):
    steps = EmrAddStepsOperator(task_id="steps", job_flow_id="j-1", steps="steps.json")
    assert _lineage(steps) == [[], []]
    assert "The lineage of task steps is incomplete" in caplog.text


def test_an_operator_with_lineage_of_its_own_speaks_for_itself():
    class GlueJobOperator2(GlueJobOperator):
        def get_openlineage_facets_on_complete(self, _):
            return OperatorLineage(job_facets={"own": SimpleNamespace()})

    GlueJobOperator2.__name__ = "GlueJobOperator"
    extractor = ExtractorManager()._get_extractor(GlueJobOperator2(task_id="t", job_name="j"))
    assert "own" in extractor.extract_on_complete(None).job_facets
    assert "own" in extractor.extract_on_failure(None).job_facets


_PLUGIN = """
import os
import airflow
from airflow.configuration import conf
import updraft_plugin, updraft_plugin as again
print(os.environ["AIRFLOW__OPENLINEAGE__EXTRACTORS"])
import sys
print("updraft.operators.provider_lineage" in sys.modules)
"""


@pytest.mark.parametrize("option", ["AIRFLOW__OPENLINEAGE__EXTRACTORS", "OPENLINEAGE_EXTRACTORS"])
def test_the_plugin_keeps_what_is_configured(monkeypatch, option):
    for name in ("AIRFLOW__OPENLINEAGE__EXTRACTORS", "OPENLINEAGE_EXTRACTORS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(option, "mine.One; mine.Two")
    monkeypatch.setenv("PYTHONPATH", "plugins")
    command = [sys.executable, "-c", _PLUGIN]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    names, is_loaded = output.stdout.splitlines()[-2:]
    assert names.startswith("mine.One;mine.Two;updraft.operators.provider_extractors.EmrAddSteps")
    assert is_loaded == "False"
