import copy
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from updraft.lineage import validation
from updraft.lineage.validation import InvalidEventError, check, problems

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


def load(name: str) -> dict[str, Any]:
    return json.loads((Path(__file__).parent / "samples" / f"{name}.json").read_text())


@pytest.fixture
def event() -> dict[str, Any]:
    return load("airflow_3_complete")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_events_of_real_airflow_are_valid(path: Path):
    assert problems(json.loads(path.read_text())) == []


def test_there_are_samples():
    assert len(SAMPLES) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda event: event["run"].update(runId="17"),
            '$.run.runId is "17", which is not a uuid',
        ),
        (
            lambda event: event.update(eventTime="2026-11-22 20:07:12"),
            '$.eventTime is "2026-11-22 20:07:12", which is not a date-time',
        ),
        (
            lambda event: event.update(eventTime="2026-02-30T00:00:00Z"),
            '$.eventTime is "2026-02-30T00:00:00Z", which is not a date-time',
        ),
        (lambda event: event.pop("job"), "$: 'job' is a required property"),
        (
            lambda event: event.update(eventType="DONE"),
            "$.eventType is \"DONE\": 'DONE' is not one of",
        ),
        (
            lambda event: event.update(producer="not a uri"),
            '$.producer is "not a uri", which is not a uri',
        ),
        (
            lambda event: event.update(inputs=None),
            "$.inputs is null, which is not of type array",
        ),
        (
            lambda event: event["run"]["facets"]["processing_engine"].update(version=3),
            "$.run.facets.processing_engine.version is 3, which is not of type string",
        ),
        (
            lambda event: event["job"]["facets"]["jobType"].pop("integration"),
            "$.job.facets.jobType: 'integration' is a required property",
        ),
        (
            lambda event: event["run"]["facets"].update(own={"value": 1}),
            "$.run.facets.own: '_producer' is a required property",
        ),
    ],
)
def test_faults_are_named_with_path_and_value(event, change, message):
    change(event)
    assert any(found.startswith(message) for found in problems(event)), problems(event)
    with pytest.raises(InvalidEventError):
        check(event)


BASE = {"_producer": "https://example.org/p", "_schemaURL": "https://example.org/s"}


@pytest.mark.parametrize(
    ("group", "facets", "path"),
    [
        ("facets", {"schema": {**BASE, "fields": "id"}}, "$.outputs[0].facets.schema.fields"),
        (
            "facets",
            {"columnLineage": {**BASE, "fields": {"id": {"inputFields": [{"name": "t"}]}}}},
            "$.outputs[0].facets.columnLineage.fields.id.inputFields[0]",
        ),
        (
            "outputFacets",
            {"outputStatistics": {**BASE, "rowCount": "20000"}},
            "$.outputs[0].outputFacets.outputStatistics.rowCount",
        ),
    ],
)
def test_dataset_facets_are_checked_by_kind(event, group, facets, path):
    event["outputs"][0][group] = facets
    assert problems(event)
    assert all(found.startswith(path) for found in problems(event))


def test_a_facet_is_official_only_where_it_belongs(event):
    event["run"]["facets"]["outputStatistics"] = {**BASE, "rowCount": "many"}
    assert problems(event) == []


def test_facets_that_the_specification_does_not_know_pass(event):
    event["run"]["facets"]["in_house"] = {**BASE, "anything": [1, {"at": "all"}]}
    assert problems(event) == []


def test_a_message_lists_five_faults_and_counts_the_rest(event):
    dataset = event["outputs"][0]
    event["outputs"] = [copy.deepcopy(dataset) | {"name": number} for number in range(8)]
    with pytest.raises(InvalidEventError, match=r"\$\.outputs\[4\]\.name is 4.*; and 3 more$"):
        check(event)


def test_no_network_is_needed(event, monkeypatch):
    def refuse(*_: object) -> None:
        raise AssertionError("a schema was looked up on the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    event["run"]["facets"]["processing_engine"]["version"] = 3
    assert problems(event)


@pytest.fixture
def slowly(monkeypatch: pytest.MonkeyPatch):
    """Validate as a whole, without what is remembered of parts."""

    def check_all(event: Any) -> list[str]:
        with monkeypatch.context() as patched:
            patched.setattr(validation, "is_valid_by_parts", lambda *_: False)
            return problems(event)

    return check_all


def places(value: Any, path: tuple = ()):
    """Give all paths in an event."""
    yield path
    if isinstance(value, (dict, list)):
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(child, (*path, step))


@pytest.mark.parametrize("value", [None, "x", 7, [], {}, {"a": 1}, "gone"])
@pytest.mark.parametrize("path", SAMPLES[::3], ids=lambda path: path.stem)
def test_parts_are_judged_as_the_whole_is(path: Path, value: Any, slowly):
    """Each value of a real event is replaced or removed, one after the other."""
    event = json.loads(path.read_text())
    event["inputs"] = [{"namespace": "a", "name": "b", "facets": {}, "inputFacets": {}}]
    assert problems(event) == slowly(event) == []
    facets = event["run"]["facets"]
    for name in list(facets):
        if name not in {"parent", "errorMessage", "processing_engine"}:
            del facets[name]
    for place in list(places(event))[1:]:
        changed = copy.deepcopy(event)
        holder = changed
        for step in place[:-1]:
            holder = holder[step]
        if value == "gone":
            del holder[place[-1]]
        else:
            holder[place[-1]] = value
        assert problems(changed) == slowly(changed), place
