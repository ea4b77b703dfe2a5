import copy
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.lineage.lineage_events import BASE, SAMPLE, events, names_of
from updraft.lineage.merging import merge
from updraft.lineage.validation import problems

several = st.tuples(
    st.sampled_from(["START", "COMPLETE"]), st.lists(events, min_size=1, max_size=4)
).map(lambda drawn: [{**event, "eventType": drawn[0]} for event in drawn[1]])


@settings(max_examples=60, deadline=None)
@given(found=several, data=st.data())
def test_the_order_does_not_matter(found, data):
    before = copy.deepcopy(found)
    merged = merge(found)
    assert found == before
    assert merge(data.draw(st.permutations(found))) == merged
    cut = data.draw(st.integers(1, len(found)))
    assert merge([merge(found[:cut]), *found[cut:]]) == merged
    assert merge([merged, *found]) == merged
    assert problems(merged) == []


@settings(max_examples=40, deadline=None)
@given(found=several)
def test_nothing_is_lost(found):
    merged = merge(found)
    assert names_of(merged) == names_of(*found)
    for event in found:
        assert event["run"]["facets"].keys() <= merged["run"]["facets"].keys()
    whole = json.dumps(merged)
    for event in found:
        for dataset in event["outputs"]:
            for field, column in (
                dataset["facets"].get("columnLineage", {}).get("fields", {}).items()
            ):
                kept = next(
                    one
                    for one in merged["outputs"]
                    if (one["namespace"], one["name"]) == (dataset["namespace"], dataset["name"])
                )["facets"]["columnLineage"]["fields"][field]
                for source in column["inputFields"]:
                    assert source in kept["inputFields"], whole


def test_times_and_facets():
    first = {**SAMPLE, "eventType": "START", "eventTime": "2026-11-22T20:37:31.342Z"}
    # Deferred and resumed: the second start says an earlier time, here in another zone.
    second = {**first, "eventTime": "2026-11-22T21:37:31.244+01:00"}
    assert merge([first, second])["eventTime"] == second["eventTime"]
    ends = [{**first, "eventType": "FAIL"}, {**second, "eventType": "FAIL"}]
    assert merge(ends)["eventTime"] == first["eventTime"]
    short, long = copy.deepcopy(first), copy.deepcopy(first)
    short["run"]["facets"] = {"x": {**BASE, "a": 1}, "y": BASE}
    long["run"]["facets"] = {"x": {**BASE, "a": 1, "b": 2}}
    assert merge([short, long])["run"]["facets"] == {"x": long["run"]["facets"]["x"], "y": BASE}


def test_a_dataset_that_one_event_names_twice():
    dataset = {"namespace": "s3://b", "name": "p"}
    event = {**SAMPLE, "inputs": [{**dataset, "facets": {"x": BASE}}, dataset], "outputs": []}
    assert merge([event])["inputs"] == [{**dataset, "facets": {"x": BASE}}]


def test_columns_that_only_the_second_of_two_names_has():
    columns = [
        {"namespace": "s3://bucket", "name": "in", "field": field, "transformations": []}
        for field in ("b", "a", "a")
    ]
    name = {"namespace": "s3://bucket", "name": "out"}
    plain, rich = (
        {**name, "facets": facets}
        for facets in ({}, {"columnLineage": {**BASE, "fields": {}, "dataset": columns}})
    )
    first, second = (
        {**SAMPLE, "inputs": [], "outputs": outputs} for outputs in ([plain, rich], [rich, plain])
    )

    assert merge([first]) == merge([second]) == merge([first, second])
