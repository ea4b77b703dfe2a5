"""What the doctor finds in versions, configuration, events and the catalog."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.diagnosis.assets import diagnose_assets
from updraft.lineage.diagnosis.checkpoints import diagnose_checkpoints
from updraft.lineage.diagnosis.configuration import diagnose_configuration, transport_types
from updraft.lineage.diagnosis.events import (
    diagnose_dead_letters,
    diagnose_events,
    survey,
)
from updraft.lineage.diagnosis.findings import Severity, has_errors
from updraft.lineage.diagnosis.versions import CLIENT, OLD_PACKAGE, PROVIDER, diagnose_versions
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.naming import DatasetName
from updraft.lineage.outbox import DeadLetter, EventKey

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
OUTBOX = {"type": "updraft.lineage.transport.OutboxTransport", "uri": "s3://b/lineage"}
# What the images of MWAA bring.
GOOD = {"apache-airflow": "3.3.1", PROVIDER: "2.20.0", CLIENT: "1.52.0"}


def _severities(findings):
    return [one.severity for one in findings]


@pytest.mark.parametrize(
    ("changes", "transports", "severity", "words"),
    [
        ({}, {"console"}, Severity.OK, "apache-airflow 3.3.1"),
        ({PROVIDER: None}, set(), Severity.ERROR, "is not installed"),
        ({PROVIDER: "2.14.0"}, set(), Severity.ERROR, "decryption failed"),
        (
            {"apache-airflow": "2.11.2", PROVIDER: "2.11.0"},
            {"console"},
            Severity.ERROR,
            "does not reach CloudWatch",
        ),
        ({"apache-airflow": "2.11.2", PROVIDER: "2.20.0"}, {"console"}, Severity.OK, "2.11.2"),
        ({OLD_PACKAGE: "1.41.0"}, set(), Severity.WARNING, "registers no listener"),
        ({CLIENT: "1.21.1"}, set(), Severity.WARNING, "older than DataZone supports"),
        ({PROVIDER: "2.16.0"}, set(), Severity.WARNING, "emission_policy"),
        ({PROVIDER: "my.own"}, set(), Severity.ERROR, "is not installed"),
    ],
)
def test_versions(changes, transports, severity, words):
    installed = {name: text for name, text in {**GOOD, **changes}.items() if text}
    found = list(diagnose_versions(installed, transports))
    assert [one for one in found if words in one.message and one.severity is severity], found


def test_the_image_of_mwaa_2_10_loses_console_events_and_not_those_of_the_outbox():
    installed = {"apache-airflow": "2.10.1", PROVIDER: "1.11.0", CLIENT: "1.21.1"}
    assert has_errors(diagnose_versions(installed, {"console"}))
    assert not has_errors(diagnose_versions(installed, {OUTBOX["type"]}))


@pytest.mark.parametrize(
    ("transport", "types"),
    [
        ({}, set()),
        (None, set()),
        (OUTBOX, {OUTBOX["type"]}),
        ({"type": "composite", "transports": [{"type": "http"}, OUTBOX]}, None),
        ({"type": "composite", "transports": {"a": {"type": "http"}, "b": OUTBOX}}, None),
        ({"type": "transform", "transport": OUTBOX}, {"transform", OUTBOX["type"]}),
    ],
)
def test_transports(transport, types):
    expected = {"composite", "http", OUTBOX["type"]} if types is None else types
    assert transport_types(transport) == expected


def test_a_configuration_without_fault():
    (found,) = diagnose_configuration(OUTBOX, disabled=False, namespace="production")
    assert (found.severity, found.message) == (Severity.OK, "events go into s3://b/lineage")


def test_a_configuration_with_faults():
    nothing = list(diagnose_configuration({}, disabled=True, namespace="default"))
    assert _severities(nothing) == [Severity.ERROR, Severity.ERROR, Severity.WARNING]
    (console,) = diagnose_configuration({"type": "console"}, disabled=False, namespace="x")
    assert console.severity is Severity.WARNING
    assert "have to be harvested" in console.message


@pytest.fixture
def outbox(tmp_path):
    return LocalOutbox(str(tmp_path))


def _put(outbox, run_id, event_type, written_at=NOW, **others):
    event = {"eventType": event_type, "run": {"runId": run_id}, "job": {"name": "d.t"}, **others}
    body = json.dumps(event).encode()
    key = EventKey.for_event(body, run_id=run_id, event_type=event_type, written_at=written_at)
    outbox.put_event(body, key)


def test_runs_without_an_end(outbox):
    long_ago = NOW - timedelta(hours=13)
    _put(outbox, "killed", "START", long_ago)
    _put(outbox, "done", "START", long_ago)
    _put(outbox, "done", "COMPLETE")
    _put(outbox, "early end", "FAIL", long_ago)
    _put(outbox, "early end", "START")
    _put(outbox, "running", "START")
    seen = survey(outbox, NOW - timedelta(days=1))

    found = {
        one.check: one for one in diagnose_events(seen, longest_run=timedelta(hours=12), now=NOW)
    }

    assert found["runs"].message.startswith("1 runs have begun and not ended within 12:00:00: d.t")
    assert found["events"].message.startswith("6 events, 6 up to 1 kB")


def test_sizes_and_what_is_no_event(outbox):
    _put(outbox, "small", "START")
    _put(outbox, "large", "COMPLETE", text="x" * 300_000)
    outbox.write("events/dt=2026-11-02/hh=12/note.txt", b"hello")
    seen = survey(outbox, NOW - timedelta(days=1))

    found = {one.check: one for one in diagnose_events(seen, longest_run=timedelta(1), now=NOW)}

    assert found["size"].severity is Severity.ERROR
    assert found["size"].message.startswith(
        "1 events have more than 300,000 bytes, the largest 300,"
    )
    assert "1 larger" in found["events"].message
    assert "note.txt" in found["outbox"].message


def test_an_empty_outbox_is_worth_a_word(outbox):
    (found,) = diagnose_events(survey(outbox, NOW), longest_run=timedelta(1))
    assert found.severity is Severity.WARNING


def test_dead_letters_by_reason(outbox):
    assert _severities(diagnose_dead_letters(outbox)) == [Severity.OK]
    for number, reason in enumerate(["too large", "no job", "too large"]):
        outbox.put_dead_letter(DeadLetter(f"events/{number}.json", reason, NOW, b"{}"))
    outbox.write("dead-letters/x.json", b"?")
    (found,) = diagnose_dead_letters(outbox)
    assert found.message.startswith("4 events were put aside: 2 times too large; 1 times ")
    assert "not a dead letter" in found.message


def test_checkpoints_of_catalogs(outbox):
    assert not list(diagnose_checkpoints(outbox))
    outbox.save_checkpoint("datazone-dzd_a", Checkpoint(NOW).to_json())
    outbox.save_checkpoint("datazone-dzd_b", Checkpoint().to_json())
    outbox.save_checkpoint("http-marquez", b"{")
    outbox.save_checkpoint("logs-of-airflow", b"{")

    served, new, damaged = diagnose_checkpoints(outbox)

    assert served.message == f"datazone-dzd_a: up to {NOW:%Y-%m-%d %H:%M:%S} UTC"
    assert new.message == "datazone-dzd_b: nothing yet"
    assert damaged.severity is Severity.ERROR
    assert "the checkpoint http-marquez in" in damaged.message
    assert "delete it" in damaged.message


def test_datasets_and_the_assets_they_nearly_are():
    glue = "arn:aws:glue:eu-west-1:123456789012:table"
    datasets = {
        DatasetName(glue, "sales/orders"): 3,
        DatasetName(glue, "Sales/Customers"): 2,
        DatasetName(glue, "sales/invoice"): 5,
        DatasetName("s3://data", "raw"): 9,
    }
    assets = [f"{glue}/sales/{name}" for name in ("orders", "customers", "invoices")]

    matched, *missing, strangers = diagnose_assets(datasets, assets)

    assert matched.message == "1 of 4 datasets are assets of the catalog"
    assert [one.message.rpartition("is ")[2] for one in missing] == [assets[2], assets[1]]
    assert strangers.message == "1 datasets are like no asset: s3://data/raw"
    assert list(diagnose_assets({}, assets)) == []


def test_a_survey_counts_datasets_by_the_names_of_the_catalog(outbox):
    table = {"namespace": "arn:aws:glue:eu-west-1:123456789012", "name": "table/sales/orders"}
    _put(outbox, "r", "COMPLETE", inputs=[table], outputs=[table])
    seen = survey(outbox, NOW - timedelta(days=1))
    assert seen.datasets == {
        DatasetName("arn:aws:glue:eu-west-1:123456789012:table", "sales/orders"): 2
    }
