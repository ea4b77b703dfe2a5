import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.lineage.lineage_events import BASE, SAMPLE, datasets, events, names_of
from updraft.lineage.trimming import FACET, trim
from updraft.lineage.validation import problems
from updraft.lineage.wire_format import encode

LIMIT = 300_000


def size(event: dict) -> int:
    return len(encode(event))


@settings(max_examples=60, deadline=None)
@given(
    event=events,
    more=st.lists(datasets, max_size=30),
    large=st.dictionaries(
        st.sampled_from(["airflow", "tags", "other", "errorMessage"]), st.integers(0, 5_000)
    ),
    limit=st.integers(2_800, 12_000),
)
def test_never_too_large_and_no_dataset_lost(event, more, large, limit):
    event["inputs"] = [*event["inputs"], *more]
    event["outputs"] = [*event["outputs"], *more[::2]]
    for name, length in large.items():
        event["run"]["facets"][name] = {**BASE, "message": "x" * length, "programmingLanguage": "P"}
    event["run"]["facets"].pop("tags", None)
    wanted = names_of(event)
    whole = size(event)
    trimmed = trim(copy.deepcopy(event), limit)
    assert all(size(piece) <= limit for piece in trimmed.events)
    assert names_of(*trimmed.events) == wanted
    assert all(problems(piece) == [] for piece in trimmed.events)
    assert (whole > limit) == bool(trimmed.removed)
    if whole <= limit:
        assert trimmed.events == [event]
    # Each input is still connected with each output.
    edges = {
        (one, other)
        for piece in trimmed.events
        for one in names_of({"inputs": piece["inputs"]})
        for other in names_of({"outputs": piece["outputs"]})
    }
    every = {
        (one, other)
        for one in names_of({"inputs": event["inputs"]})
        for other in names_of({"outputs": event["outputs"]})
    }
    assert edges == every


def event_with(**facets: dict) -> dict:
    event = copy.deepcopy(SAMPLE)
    event["job"]["facets"] = facets
    event["run"]["facets"] = {}
    return event


def column_lineage(columns: int, sources: int, kind: str = "DIRECT") -> dict:
    source = {"namespace": "redshift://c:5439", "name": "dev.public.orders", "field": "x" * 30}
    field = {"inputFields": [{**source, "transformations": [{"type": kind}]}] * sources}
    return {**BASE, "fields": {f"column_{number}": field for number in range(columns)}}


def test_what_the_catalog_does_not_show_goes_first():
    event = event_with(
        airflow={**BASE, "tasks": "x" * LIMIT},
        sql={**BASE, "query": "select 1", "dialect": "redshift"},
    )
    event["outputs"] = [
        {"namespace": "a", "name": "b", "facets": {"columnLineage": column_lineage(10, 2)}}
    ]
    trimmed = trim(event, LIMIT)
    (piece,) = trimmed.events
    assert trimmed.removed == ["details of Airflow's job"]
    assert piece["run"]["facets"][FACET]["removed"] == trimmed.removed
    assert piece["run"]["facets"][FACET]["bytes"] > LIMIT
    assert piece["outputs"][0]["facets"]["columnLineage"] == column_lineage(10, 2)
    assert piece["job"]["facets"]["sql"]["query"] == "select 1"


def test_long_sql_keeps_its_beginning_and_its_digest():
    trimmed = trim(event_with(sql={**BASE, "query": "select " + "x, " * 200_000}), LIMIT)
    query = trimmed.events[0]["job"]["facets"]["sql"]["query"]
    assert query.startswith("select x, x, ")
    assert len(query) < 5_000
    assert "600007 characters, SHA-256 " in query


def test_filtering_columns_go_before_the_event_is_split():
    event = event_with()
    facet = column_lineage(500, 2)
    for field in facet["fields"].values():
        field["inputFields"] = [
            *field["inputFields"],
            *column_lineage(1, 2, "INDIRECT")["fields"]["column_0"]["inputFields"],
        ]
    event["outputs"] = [{"namespace": "a", "name": "b", "facets": {"columnLineage": facet}}]
    assert size(event) > LIMIT
    trimmed = trim(event, LIMIT)
    assert trimmed.removed == ["columns that only filter"]
    assert trimmed.events[0]["outputs"][0]["facets"]["columnLineage"] == column_lineage(500, 2)


def test_large_outputs_come_in_pieces_with_all_their_columns():
    event = event_with()
    event["inputs"] = [{"namespace": "a", "name": "source"}]
    event["outputs"] = [
        {
            "namespace": "a",
            "name": f"target{number}",
            "facets": {"columnLineage": column_lineage(600, 2)},
        }
        for number in range(4)
    ]
    trimmed = trim(copy.deepcopy(event), LIMIT)
    assert trimmed.removed == ["split into 4 events"]
    for number, piece in enumerate(trimmed.events):
        assert piece["inputs"] == event["inputs"]
        assert piece["outputs"] == [event["outputs"][number]]


def test_one_table_with_too_many_columns_loses_their_lineage_and_keeps_its_schema():
    event = event_with()
    schema = {**BASE, "fields": [{"name": "x", "type": "int"}]}
    event["outputs"] = [
        {
            "namespace": "a",
            "name": "b",
            "facets": {"columnLineage": column_lineage(2000, 3), "schema": schema},
        }
    ]
    trimmed = trim(event, LIMIT)
    assert trimmed.removed == ["lineage of columns"]
    assert trimmed.events[0]["outputs"][0]["facets"] == {"schema": schema}


@pytest.mark.parametrize("sides", [("inputs",), ("outputs",), ("inputs", "outputs")])
def test_a_thousand_datasets_make_few_events(sides):
    event = event_with()
    for side in sides:
        event[side] = [
            {"namespace": "s3://a-bucket-with-a-name", "name": f"a/long/prefix/{number}"}
            for number in range(1_000)
        ]
    wanted = names_of(event)
    trimmed = trim(event, LIMIT // 10)
    assert names_of(*trimmed.events) == wanted
    assert all(size(piece) <= LIMIT // 10 for piece in trimmed.events)
    assert len(trimmed.events) <= 4 ** (2 * len(sides))


def test_a_single_name_can_be_too_long():
    event = event_with()
    event["inputs"] = [{"namespace": "a", "name": "x" * LIMIT}]
    trimmed = trim(event, LIMIT)
    assert [size(piece) > LIMIT for piece in trimmed.events] == [True]
