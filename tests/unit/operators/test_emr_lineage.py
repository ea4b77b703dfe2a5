"""What the EMR operators tell OpenLineage, and what Spark is told."""

from types import SimpleNamespace

import pytest

from updraft.operators import emr_spark_lineage
from updraft.operators.emr import EmrClusterOperator, EmrServerlessJobOperator, EmrStepsOperator
from updraft.operators.emr_lineage import declared_lineage, uris_of_steps
from updraft.operators.emr_spark_lineage import with_lineage, with_lineage_defaults

PARENT = {
    "spark.openlineage.parentRunId": "run",
    "spark.openlineage.rootParentRunId": "root",
}
TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"


def _step(*arguments, jar="command-runner.jar"):
    return {"Name": "x", "HadoopJarStep": {"Jar": jar, "Args": list(arguments)}}


@pytest.fixture
def properties(monkeypatch):
    """The parent run, as the OpenLineage provider would name it, and a domain."""
    monkeypatch.setattr(
        "airflow.providers.openlineage.utils.spark._get_parent_job_information_as_spark_properties",
        lambda _: dict(PARENT),
    )
    monkeypatch.setenv("AIRFLOW__UPDRAFT__DATAZONE_DOMAIN_ID", "dzd_a")
    return {
        **PARENT,
        "spark.openlineage.transport.type": "amazon_datazone_api",
        "spark.openlineage.transport.domainId": "dzd_a",
    }


def _names(datasets):
    return [(one.namespace, one.name) for one in datasets]


def test_declared_uris_are_datasets_by_their_names_in_lineage():
    lineage = declared_lineage(["s3://data/in/", "s3a://data/in"], f'["{TABLE}"]', "j-1")

    assert _names(lineage.inputs) == [("s3://data", "in")]
    assert _names(lineage.outputs) == [("arn:aws:dynamodb:eu-west-1:123456789012", "table/orders")]
    assert lineage.run_facets["externalQuery"].externalQueryId == "j-1"


def test_what_has_no_name_in_lineage_is_left_out_and_said(caplog):
    lineage = declared_lineage(["hdfs:///x", "s3://data/in"], "", None)

    assert _names(lineage.inputs) == [("s3://data", "in")]
    assert lineage.outputs == []
    assert lineage.run_facets == {}
    assert "hdfs:///x" in caplog.text


def test_only_arguments_behind_a_flag_count():
    steps = [
        _step("s3-dist-cp", "--src", "s3://data/a", "--dest=s3://data/b"),
        _step("spark-submit", "s3://data/job.py", "--input", "s3://data/c", "s3://data/d"),
        _step("spark-submit", "s3://data/job.py", "--output", "hdfs:///x"),
    ]

    assert uris_of_steps(steps) == (["s3://data/a", "s3://data/c"], ["s3://data/b"])


def test_the_operators_name_what_is_declared_without_network():
    steps = EmrStepsOperator(
        task_id="s",
        cluster_id="j-1",
        steps=[_step("s3-dist-cp", "--src", "s3://data/a", "--dest", "s3://data/b")],
        inputs=["s3://data/c"],
    )
    cluster = EmrClusterOperator(task_id="c", cluster={}, outputs="s3://data/d s3://data/e")
    job = EmrServerlessJobOperator(
        task_id="j",
        application_id="a",
        execution_role_arn="r",
        job_driver={},
        inputs=["s3://data/f"],
    )
    steps._step_ids = ["s-1", "s-2"]

    complete = steps.get_openlineage_facets_on_complete(None)

    assert _names(complete.inputs) == [("s3://data", "c"), ("s3://data", "a")]
    assert _names(complete.outputs) == [("s3://data", "b")]
    assert complete.run_facets["externalQuery"].externalQueryId == "j-1/s-1,s-2"
    assert _names(cluster.get_openlineage_facets_on_start().outputs) == [
        ("s3://data", "d"),
        ("s3://data", "e"),
    ]
    assert _names(job.get_openlineage_facets_on_start().inputs) == [("s3://data", "f")]


def test_broken_steps_do_not_break_lineage():
    operator = EmrStepsOperator(task_id="s", cluster_id="j-1", steps="{", inputs=["s3://data/c"])

    assert _names(operator.get_openlineage_facets_on_start().inputs) == [("s3://data", "c")]


def test_spark_submit_gets_the_settings_before_its_own(properties):
    (step,) = with_lineage([_step("spark-submit", "--class", "M", "s3://data/j.jar")], {}, True)
    arguments = step["HadoopJarStep"]["Args"]

    settings = [value for name, value in properties.items()]
    assert arguments[0] == "spark-submit"
    assert arguments[-3:] == ["--class", "M", "s3://data/j.jar"]
    assert arguments[1:-3:2] == ["--conf"] * len(settings)
    assert arguments[2:-3:2] == [f"{name}={value}" for name, value in properties.items()]


@pytest.mark.parametrize(
    "step",
    [
        _step("bash", "-c", "spark-submit x"),
        _step("spark-submit", "x", jar="s3://data/own.jar"),
        _step(),
        _step("hive-script", "--args"),
    ],
)
def test_other_steps_stay_as_they_are(properties, step):
    assert with_lineage([step], {}, True) == [step]


def test_what_the_user_says_is_left_alone(properties):
    own = ["--conf", "spark.openlineage.parentRunId=mine"]
    (step,) = with_lineage([_step("spark-submit", *own, "x")], {}, True)
    text = " ".join(step["HadoopJarStep"]["Args"])

    assert text.count("parentRunId") == 1
    assert "rootParent" not in text
    assert "transport.type=amazon_datazone_api" in text


def test_the_configuration_decides_by_default(properties, monkeypatch):
    step = _step("spark-submit", "x")

    assert with_lineage([step], {}, None) == [step]
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__SPARK_INJECT_PARENT_JOB_INFO", "True")
    assert with_lineage([step], {}, None) != [step]


def test_lineage_that_fails_does_not_fail_the_task(monkeypatch):
    def fail(_):
        raise RuntimeError("no listener")

    monkeypatch.setattr(
        "airflow.providers.openlineage.utils.spark._get_parent_job_information_as_spark_properties",
        fail,
    )
    step = _step("spark-submit", "x")

    assert with_lineage([step], SimpleNamespace(), True) == [step]


def test_job_runs_get_the_settings_as_defaults(properties):
    own = {
        "applicationConfiguration": [
            {
                "classification": "spark-defaults",
                "properties": {"spark.openlineage.transport.type": "http", "a": "b"},
            }
        ],
        "monitoringConfiguration": {},
    }
    changed = with_lineage_defaults(own, {}, True)

    (entry,) = changed["applicationConfiguration"]
    assert entry["properties"] == {
        "spark.openlineage.transport.type": "http",
        "a": "b",
        **PARENT,
    }
    assert "parentRunId" not in str(own)
    (entry,) = with_lineage_defaults(None, {}, True)["applicationConfiguration"]
    assert entry == {"classification": "spark-defaults", "properties": properties}
    assert with_lineage_defaults(None, {}, False) == {}


def test_there_is_no_domain_without_configuration(properties, monkeypatch):
    monkeypatch.delenv("AIRFLOW__UPDRAFT__DATAZONE_DOMAIN_ID")

    assert emr_spark_lineage.lineage_properties({}, True) == PARENT
