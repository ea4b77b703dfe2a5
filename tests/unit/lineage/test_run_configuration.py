"""What of a form reaches the catalog."""

import json

import pytest

from updraft.lineage.run_configuration import mask_run_configuration

SECRET = "--token=hunter2"


def _event(conf, *facets):
    facets = {name: {"dagRun": {"run_id": "manual", "conf": conf}} for name in facets}
    return json.dumps({"run": {"runId": "r", "facets": {**facets, "nominalTime": {"x": 1}}}})


@pytest.mark.parametrize("facets", [["airflow"], ["airflowDagRun"], ["airflow", "airflowDagRun"]])
def test_values_are_masked_and_names_stay(facets):
    conf = {"steps": [{"Args": [SECRET]}], "openlineage": {"parentRunId": "p"}}

    masked = mask_run_configuration(_event(conf, *facets).encode())

    assert b"hunter2" not in masked
    expected = _event({"steps": "***", "openlineage": {"parentRunId": "p"}}, *facets)
    assert json.loads(masked) == json.loads(expected)


@pytest.mark.parametrize(
    "event",
    [
        _event({}, "airflow"),
        _event(None, "airflow"),
        _event({}),
        '{"job": {"name": "\\"conf\\""}}',
        '{"run": {"runId": "r"}, "conf": {"a": 1}}',
    ],
)
def test_other_events_keep_their_bytes(event):
    assert mask_run_configuration(event.encode()) == event.encode()
