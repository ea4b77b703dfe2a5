"""What comes from a form: an empty Region, JSON with secrets."""

import boto3
import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.sdk._shared.secrets_masker import redact

from updraft.compat import DAG
from updraft.operators.dynamodb import DynamoDBExportOperator
from updraft.operators.emr import EmrTerminateClusterOperator
from updraft.operators.glue import GlueJobRunOperator
from updraft.operators.reaper import ReapOrphansOperator
from updraft.operators.redshift_sql import RedshiftSqlOperator

_ARGUMENTS = {
    DynamoDBExportOperator: {"table_name": "orders", "s3_uri": "s3://backups/orders"},
    EmrTerminateClusterOperator: {},
    GlueJobRunOperator: {"job_name": "orders"},
    ReapOrphansOperator: {},
}


@pytest.fixture
def region_of_the_worker(monkeypatch, tmp_path):
    """MWAA names its Region in the environment; its default connection has none."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "eu-west-3")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    # The default session keeps what it has read.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.mark.parametrize("kind", _ARGUMENTS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("region_name", [None, "", "eu-west-1"])
def test_an_empty_region_is_that_of_the_worker(region_of_the_worker, kind, region_name):
    operator = kind(task_id="t", aws_conn_id=None, region_name=region_name, **_ARGUMENTS[kind])

    client = AwsBaseHook(client_type="glue", **operator._hook_parameters).get_conn()

    assert client.meta.region_name == (region_name or "eu-west-3")
    assert ".." not in client.meta.endpoint_url


def test_rendered_json_is_shown_as_a_mapping_whose_secrets_airflow_masks():
    operator = GlueJobRunOperator(
        task_id="t",
        job_name="orders",
        script_arguments="{{ params.arguments | tojson }}",
        job_definition="{{ params.job_definition }}",
    )
    arguments = {"--db_password": "xyzzy", "--day": "2026-11-02"}
    operator.render_template_fields(
        {"params": {"arguments": arguments, "job_definition": "{no JSON"}}
    )

    assert operator.script_arguments == arguments
    assert operator.job_definition == "{no JSON"
    shown = redact(operator.script_arguments, "script_arguments")
    assert shown == {"--db_password": "***", "--day": "2026-11-02"}


@pytest.mark.parametrize("folder", ["s3://scripts/", "{{ params.scripts }}"])
def test_an_address_that_ends_as_a_file_does_is_no_file(tmp_path, caplog, folder):
    (tmp_path / "report.sql").write_text("select '{{ ds }}'")
    with DAG("d", template_searchpath=[str(tmp_path)]):
        script = RedshiftSqlOperator(
            task_id="script",
            workgroup_name="w",
            database="d",
            script_uri=f"{folder}{{{{ ds }}}}/erase.sql",
        )
        statement = RedshiftSqlOperator(
            task_id="s", workgroup_name="w", database="d", sql="report.sql"
        )

    for operator in (script, statement):
        operator.resolve_template_files()
        operator.render_template_fields(
            {"ds": "2024-02-29", "params": {"scripts": "s3://scripts/"}}
        )

    assert script.script_uri == "s3://scripts/2024-02-29/erase.sql"
    assert statement.sql == "select '2024-02-29'"
    assert not caplog.records
