"""The arguments that Glue hands to a script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.spark.export_job import ExportArguments
from updraft.spark.import_job import ImportArguments

GLUES_OWN = ["--JOB_NAME", "export", "--TempDir", "s3://b/t", "--enable-metrics", "true"]
NEEDED = ["--table_name", "orders", "--s3_uri", "s3://b/p"]


def test_arguments_of_glue_are_passed_over():
    arguments = ExportArguments.parse([*GLUES_OWN, *NEEDED, "--format_options", '{"header": true}'])

    assert arguments == ExportArguments(
        table_name="orders", s3_uri="s3://b/p", format_options={"header": True}
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "--table_name is missing; --s3_uri is missing"),
        ([*NEEDED, "--attempt", "two"], "--attempt: 'two' is wrong"),
        ([*NEEDED, "--read_throughput_ratio", "2"], "--read_throughput_ratio: '2' is wrong"),
        ([*NEEDED, "--format_options", "{"], "--format_options: '{' is no JSON"),
        (["--table_name"], "--table_name"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(UpdraftError, match=message):
        ExportArguments.parse(arguments)


_TEXT = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: not text.startswith("-")
)


@given(
    st.builds(
        ImportArguments,
        table_name=_TEXT,
        s3_uri=_TEXT,
        import_id=st.none() | _TEXT,
        attempt=st.integers(1, 100),
        region_name=st.none() | _TEXT,
        import_format=st.none() | _TEXT,
        format_options=st.dictionaries(_TEXT, st.booleans() | _TEXT),
        write_throughput_ratio=st.floats(0.001, 1),
        on_conflict=st.sampled_from(["put", "skip"]),
        dead_letter_s3_uri=st.none() | _TEXT,
        parallelism=st.none() | st.integers(1, 1000),
    )
)
def test_what_the_operator_writes_is_what_the_script_reads(arguments):
    options = [part for option in arguments.as_arguments().items() for part in option]

    assert ImportArguments.parse([*GLUES_OWN, *options]) == arguments
