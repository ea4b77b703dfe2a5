import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.lineage.catalog_names import rename_dataset, rename_event
from updraft.lineage.naming import DatasetName, dynamodb_table, s3_prefix
from updraft.lineage.validation import problems

SAMPLE = json.loads((Path(__file__).parent / "samples" / "airflow_3_complete.json").read_text())
BASE = {"_producer": "https://example.org/p", "_schemaURL": "https://example.org/s"}


@pytest.mark.parametrize(
    ("name", "source_identifier"),
    [
        (
            dynamodb_table("arn:aws:dynamodb:eu-west-1:123456789012:table/orders"),
            "arn:aws:dynamodb:eu-west-1:123456789012:table/orders",
        ),
        (
            DatasetName("arn:aws:glue:eu-west-1:123456789012", "table/sales/orders"),
            "arn:aws:glue:eu-west-1:123456789012:table/sales/orders",
        ),
        (
            DatasetName(
                "redshift://w1.123456789012.eu-west-1.redshift-serverless.amazonaws.com:5439",
                "dev.public.orders",
            ),
            "arn:aws:redshift-serverless:eu-west-1:123456789012:table/w1/dev/public/orders",
        ),
        (
            DatasetName(
                "redshift://c1.123456789012.us-east-1.redshift.amazonaws.com:5439", "dev.s.t"
            ),
            "arn:aws:redshift:us-east-1:123456789012:table/c1/dev/s/t",
        ),
        (s3_prefix("s3://bucket/exports/orders/"), "s3://bucket/exports/orders"),
        (DatasetName("s3://bucket", "/exports/orders"), "s3://bucket/exports/orders"),
        (DatasetName("s3a://bucket", "exports/"), "s3://bucket/exports"),
        (DatasetName("s3://bucket", "/"), "s3://bucket//"),
        (
            DatasetName("redshift://c1.eu-west-1:5439", "dev.s.t"),
            "redshift://c1.eu-west-1:5439/dev.s.t",
        ),
        (DatasetName("postgres://host:5432", "db.s.t"), "postgres://host:5432/db.s.t"),
    ],
)
def test_source_identifier(name: DatasetName, source_identifier: str):
    renamed = rename_dataset(name)
    assert "/".join(renamed) == source_identifier
    assert rename_dataset(renamed) == renamed


words = st.text("abcdefghijklmnopqrstuvwxyz0123456789_-", min_size=1, max_size=12)
dataset_names = st.one_of(
    words.map(
        lambda table: DatasetName("arn:aws:dynamodb:eu-west-1:123456789012", f"table/{table}")
    ),
    st.tuples(words, words).map(
        lambda pair: DatasetName("arn:aws:glue:eu-west-1:123456789012", "table/" + "/".join(pair))
    ),
    st.tuples(st.sampled_from(["s3", "s3a"]), words, st.text("ab/", min_size=1)).map(
        lambda three: DatasetName(f"{three[0]}://{three[1]}", three[2])
    ),
    st.tuples(words, words, words).map(
        lambda three: DatasetName(
            "redshift://w.123456789012.eu-west-1.redshift-serverless.amazonaws.com", ".".join(three)
        )
    ),
    st.builds(DatasetName, st.text(min_size=1), st.text(min_size=1)),
)


def as_dict(name: DatasetName) -> dict[str, str]:
    return {"namespace": name.namespace, "name": name.name}


@given(inputs=st.lists(dataset_names, min_size=1, max_size=5), output=dataset_names)
def test_columns_still_point_to_the_inputs(inputs: list[DatasetName], output: DatasetName):
    event = copy.deepcopy(SAMPLE)
    event["inputs"] = [as_dict(name) for name in inputs]
    # Columns may be called like the keys of a dataset's name.
    fields = {
        column: {"inputFields": [as_dict(name) | {"field": column} for name in inputs]}
        for column in ("name", "namespace", "id")
    }
    whole = [as_dict(name) | {"field": "id"} for name in inputs]
    entries = [
        {
            **as_dict(output),
            "type": "DATASET",
            "inputs": [{**as_dict(name), "type": "DATASET"} for name in inputs],
        }
    ]
    event["job"]["facets"]["lineage"] = {**BASE, "entries": entries}
    event["outputs"] = [
        as_dict(output)
        | {"facets": {"columnLineage": {**BASE, "fields": fields, "dataset": whole}}}
    ]
    assert problems(event) == []
    rename_event(event)
    assert problems(event) == []

    renamed = [(item["namespace"], item["name"]) for item in event["inputs"]]
    assert renamed == [tuple(rename_dataset(name)) for name in inputs]
    column_lineage = event["outputs"][0]["facets"]["columnLineage"]
    for references in (
        *(field["inputFields"] for field in column_lineage["fields"].values()),
        column_lineage["dataset"],
        event["job"]["facets"]["lineage"]["entries"][0]["inputs"],
    ):
        assert [(item["namespace"], item["name"]) for item in references] == renamed
    entry = event["job"]["facets"]["lineage"]["entries"][0]
    assert (entry["namespace"], entry["name"]) == tuple(rename_dataset(output))


@given(name=dataset_names)
def test_renaming_twice_changes_nothing_more(name: DatasetName):
    once = rename_dataset(name)
    assert rename_dataset(once) == once


def test_job_and_run_keep_their_names():
    event = copy.deepcopy(SAMPLE)
    event["job"]["namespace"] = "s3a://bucket/"
    before = copy.deepcopy(event)
    rename_event(event)
    assert event["job"] == before["job"]
    assert event["run"] == before["run"]
