"""Which arguments of a program name what it reads and writes, and which do not."""

import pytest

from updraft.operators.argument_lineage import flagged_uris, named_uris
from updraft.operators.glue import GlueJobRunOperator


@pytest.mark.parametrize(
    "flag",
    [
        "--input",
        "-input",
        "--input-path",
        "--input_path",
        "--inputPath",
        "--s3_source_path",
        "--src",
    ],
)
def test_names_of_inputs(flag):
    assert named_uris({flag: "s3://b/p"}) == (["s3://b/p"], [])
    assert flagged_uris(["x", flag, "s3://b/p"]) == (["s3://b/p"], [])
    assert flagged_uris(["x", f"{flag}=s3a://b/p"]) == (["s3a://b/p"], [])


@pytest.mark.parametrize("flag", ["--output", "--dest", "--TARGET_PATH", "--s3OutputDir", "--sink"])
def test_names_of_outputs(flag):
    assert named_uris({flag: "s3://b/p"}) == ([], ["s3://b/p"])


@pytest.mark.parametrize(
    "flag", ["--TempDir", "--input-format", "--source-code", "--extra-py-files", "input", "--class"]
)
def test_other_names_say_nothing(flag):
    assert named_uris({flag: "s3://b/p"}) == ([], [])


def test_what_is_not_in_s3_says_nothing():
    assert named_uris({"--input": "orders", "--output": "/tmp/x"}) == ([], [])


def test_a_glue_job_names_what_its_arguments_name():
    operator = GlueJobRunOperator(
        task_id="t",
        job_definition={
            "Name": "orders",
            "DefaultArguments": {"--source_path": "s3://data/default", "--output": "s3://data/out"},
        },
        script_arguments={"--source_path": "s3://data/in"},
        inputs=["s3://data/in/", "sales.orders"],
    )
    lineage = operator.get_openlineage_facets_on_start()
    assert [(one.namespace, one.name) for one in lineage.inputs] == [("s3://data", "in")]
    assert [(one.namespace, one.name) for one in lineage.outputs] == [("s3://data", "out")]
