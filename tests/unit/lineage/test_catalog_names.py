import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from updraft.lineage.catalog_names import (
    AccountNaming,
    leave_names,
    rename_dataset,
    rename_event,
)
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


NAMING = AccountNaming("123456789012", frozenset({"w1"}))


@pytest.mark.parametrize(
    ("name", "source_identifier"),
    [
        (
            DatasetName("redshift://c1.eu-west-1:5439", "dev.s.t"),
            "arn:aws:redshift:eu-west-1:123456789012:table/c1/dev/s/t",
        ),
        (
            DatasetName("redshift://w1.us-gov-west-1", "dev.s.t"),
            "arn:aws-us-gov:redshift-serverless:us-gov-west-1:123456789012:table/w1/dev/s/t",
        ),
        (
            DatasetName("awsathena://athena.cn-north-1.amazonaws.com.cn", "AwsDataCatalog.d.t"),
            "arn:aws-cn:glue:cn-north-1:123456789012:table/d/t",
        ),
        (
            DatasetName("awsathena://athena.eu-west-1.amazonaws.com:443", "awsdatacatalog.d.t"),
            "arn:aws:glue:eu-west-1:123456789012:table/d/t",
        ),
        (
            DatasetName("awsathena://athena.eu-west-1.amazonaws.com", "federated.d.t"),
            "awsathena://athena.eu-west-1.amazonaws.com/federated.d.t",
        ),
        (DatasetName("redshift://c1.eu-west-1:5439", "s.t"), "redshift://c1.eu-west-1:5439/s.t"),
        (s3_prefix("s3://bucket/a/"), "s3://bucket/a"),
    ],
)
def test_source_identifier_with_the_account(name: DatasetName, source_identifier: str):
    renamed = NAMING.rename(name)
    assert "/".join(renamed) == source_identifier
    assert NAMING.rename(renamed) == renamed


def with_facets(name: DatasetName, **facets: dict) -> dict:
    return {**as_dict(name), "facets": {key: {**BASE, **value} for key, value in facets.items()}}


def test_views_and_files_of_the_data_catalog_take_their_columns_along():
    view = DatasetName("redshift://c1.eu-west-1:5439", "dev.s.v")
    files = DatasetName("s3://bucket", "warehouse/t/")
    table = DatasetName("arn:aws:glue:eu-west-1:123456789012", "table/d/t")
    event = copy.deepcopy(SAMPLE)
    event["inputs"] = [
        with_facets(view, datasetType={"datasetType": "VIEW"}),
        with_facets(files, symlinks={"identifiers": [{**as_dict(table), "type": "TABLE"}]}),
    ]
    sources = [as_dict(name) | {"field": "id"} for name in (view, files)]
    event["outputs"] = [
        with_facets(
            s3_prefix("s3://bucket/out"), columnLineage={"fields": {"id": {"inputFields": sources}}}
        )
    ]
    assert problems(event) == []
    kept = copy.deepcopy(event)
    NAMING(event)
    assert problems(event) == []
    wanted = [
        ("arn:aws:redshift:eu-west-1:123456789012:view", "c1/dev/s/v"),
        ("arn:aws:glue:eu-west-1:123456789012:table", "d/t"),
    ]
    assert [(item["namespace"], item["name"]) for item in event["inputs"]] == wanted
    column = event["outputs"][0]["facets"]["columnLineage"]["fields"]["id"]["inputFields"]
    assert [(item["namespace"], item["name"]) for item in column] == wanted
    again = copy.deepcopy(event)
    NAMING(again)
    assert again["inputs"] == event["inputs"]

    files_stay = copy.deepcopy(kept)
    AccountNaming("123456789012", prefer_catalog=False)(files_stay)
    assert files_stay["inputs"][1]["namespace"] == "s3://bucket"
    untouched = copy.deepcopy(kept)
    leave_names(untouched)
    assert untouched == kept
