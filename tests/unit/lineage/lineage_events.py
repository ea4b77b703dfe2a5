"""Events of OpenLineage that Hypothesis draws: valid, with datasets, columns and large facets."""

import copy
import json
from pathlib import Path

from hypothesis import strategies as st

SAMPLE = json.loads((Path(__file__).parent / "samples" / "airflow_3_complete.json").read_text())
BASE = {"_producer": "https://example.org/p", "_schemaURL": "https://example.org/s"}

words = st.text("abcxyz_", min_size=1, max_size=6)
names = st.builds(
    lambda namespace, name: {"namespace": namespace, "name": name},
    st.sampled_from(["s3://bucket", "redshift://c.eu-west-1:5439", "arn:aws:glue:r:1"]),
    words,
)
times = st.integers(0, 3600).map(lambda second: f"2026-11-22T{second // 60 % 24:02}:00:00.5+00:00")
columns = st.builds(
    lambda name, field, types: {
        **name,
        "field": field,
        "transformations": [{"type": type_} for type_ in types],
    },
    names,
    words,
    st.lists(st.sampled_from(["DIRECT", "INDIRECT"]), max_size=2),
)
column_lineage = st.builds(
    lambda fields, dataset: {**BASE, "fields": fields, "dataset": dataset},
    st.dictionaries(
        words, st.lists(columns, max_size=3).map(lambda found: {"inputFields": found}), max_size=3
    ),
    st.lists(columns, max_size=2),
)
schemas = st.lists(words, max_size=5).map(
    lambda found: {**BASE, "fields": [{"name": name, "type": "int"} for name in found]}
)
dataset_facets = st.fixed_dictionaries(
    {}, optional={"schema": schemas, "columnLineage": column_lineage}
)
datasets = st.builds(lambda name, facets: {**name, "facets": facets}, names, dataset_facets)


def _event(event_type, time, inputs, outputs, facets):
    event = copy.deepcopy(SAMPLE)
    event.update(eventType=event_type, eventTime=time, inputs=inputs, outputs=outputs)
    event["run"]["facets"] = {name: {**BASE, "value": value} for name, value in facets.items()}
    return event


events = st.builds(
    _event,
    st.sampled_from(["START", "COMPLETE", "FAIL"]),
    times,
    st.lists(datasets, max_size=4),
    st.lists(datasets, max_size=4),
    st.dictionaries(words, words, max_size=3),
)


def names_of(*found: dict) -> set[tuple[str, str, str]]:
    """Give side, namespace and name of all datasets."""
    return {
        (side, dataset["namespace"], dataset["name"])
        for event in found
        for side in ("inputs", "outputs")
        for dataset in event.get(side, [])
    }
