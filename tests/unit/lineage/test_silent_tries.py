import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.lineage.test_forwarder import MemoryCatalog, forward, put, start
from updraft.lineage.forwarder import Forwarder
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.run_records import EndedDagRun
from updraft.lineage.silent_tries import LastTry
from updraft.lineage.validation import problems

DAG_RUN = json.loads((Path(__file__).parent / "samples" / "airflow_3_dag_fail.json").read_text())
STARTED = datetime(2026, 11, 22, 20, 7, 1, tzinfo=UTC)
NAMESPACE = DAG_RUN["job"]["namespace"]


@pytest.fixture
def outbox(tmp_path: Path) -> LocalOutbox:
    return LocalOutbox(tmp_path)


@pytest.fixture
def catalog() -> MemoryCatalog:
    return MemoryCatalog()


@pytest.fixture(autouse=True)
def no_grace(monkeypatch):
    monkeypatch.setattr("updraft.lineage.forwarder._LISTENER_MAY_TAKE", timedelta(0))


def last_try(run: int, task_id: str = "d_fail", state: str = "failed", number: int = 3) -> LastTry:
    ended = STARTED + timedelta(seconds=2)
    return LastTry(f"00000000-0000-0000-0000-{run:012}", task_id, -1, number, state, STARTED, ended)


def complete(outbox, catalog, *tries: LastTry, namespace: str = NAMESPACE):
    """Do what the forwarder's task does; tell what it has asked about, and what it has posted."""
    before = len(catalog.events)
    asked: list[EndedDagRun] = []

    def last_tries(dag_run: EndedDagRun) -> Iterator[LastTry]:
        asked.append(dag_run)
        yield from tries

    forwarder = Forwarder(outbox, catalog, events_per_second=1e6)
    forwarder.complete_runs(lambda _: "running", namespace, timedelta(hours=1), last_tries)
    forwarder.run()
    return asked, list(catalog.events.values())[before:]


def test_a_last_try_that_has_said_nothing_gets_a_start_and_an_end(outbox, catalog):
    put(outbox, DAG_RUN)
    assert complete(outbox, catalog, last_try(7))[0] == []  # it learns of the DAG run now
    asked, posted = complete(outbox, catalog, last_try(7))
    (dag_run,) = asked
    assert dag_run.run_id == DAG_RUN["run"]["facets"]["airflowDagRun"]["dagRun"]["run_id"]
    assert [problems(event) for event in posted] == [[], []]
    assert [(event["eventType"], event["eventTime"]) for event in posted] == [
        ("START", "2026-11-22T20:07:01+00:00"),
        ("FAIL", "2026-11-22T20:07:03+00:00"),
    ]
    begin, end = posted
    assert begin["job"]["name"] == "ol_demo.d_fail"
    assert begin["run"]["facets"]["parent"]["run"]["runId"] == DAG_RUN["run"]["runId"]
    assert begin["run"]["facets"]["airflow"]["taskInstance"]["try_number"] == 3
    assert "errorMessage" not in begin["run"]["facets"]
    assert "Airflow says: failed" in end["run"]["facets"]["errorMessage"]["message"]
    assert complete(outbox, catalog, last_try(7)) == ([], [])


def test_a_try_that_has_said_something_is_left_to_itself(outbox, catalog):
    ended, begun, long_ago = last_try(1), last_try(2, "begun"), last_try(3, "long_ago")
    at = STARTED  # so long before the end of the DAG run that the checkpoint forgets it
    put(outbox, start(3, 1, try_number=1), at)
    put(outbox, start(3, 1, try_number=1) | {"eventType": "FAIL"}, at)
    forward(outbox, catalog)
    put(outbox, DAG_RUN)
    for number, event_type in ((1, "START"), (1, "FAIL"), (2, "START")):
        put(outbox, start(number, 1, try_number=3) | {"eventType": event_type})
    forward(outbox, catalog)
    asked, posted = complete(outbox, catalog, ended, begun, long_ago)
    assert len(asked) == 1
    assert posted == []


def test_two_forwarders_make_the_same_events(outbox, catalog):
    put(outbox, DAG_RUN)
    forward(outbox, catalog)
    saved = outbox.load_checkpoint("memory")
    assert len(complete(outbox, catalog, last_try(7))[1]) == 2
    outbox.save_checkpoint("memory", saved)  # as if the first were killed before it could save
    assert complete(outbox, catalog, last_try(7))[1] == []


def test_tasks_that_were_tried_again_are_known_when_their_dag_run_ends(outbox, catalog):
    begun = copy.deepcopy(DAG_RUN) | {"eventType": "START"}
    put(outbox, begun)
    again = start(5, 1, try_number=2)
    again["run"]["facets"]["parent"]["run"]["runId"] = DAG_RUN["run"]["runId"]
    put(outbox, again)
    forward(outbox, catalog)
    put(outbox, DAG_RUN)
    forward(outbox, catalog)
    asked, posted = complete(outbox, catalog, last_try(7, "t", "success", 3))
    assert asked[0].retried == {("t", -1)}
    assert [event["eventType"] for event in posted] == ["START", "COMPLETE"]
    assert "errorMessage" not in posted[1]["run"]["facets"]


def test_dag_runs_of_another_environment_are_left_alone(outbox, catalog):
    put(outbox, DAG_RUN)
    forward(outbox, catalog)
    assert complete(outbox, catalog, last_try(7), namespace="another") == ([], [])


def test_an_airflow_that_cannot_be_asked_for_tries_is_asked_for_states_all_the_same(
    outbox, catalog
):
    put(outbox, DAG_RUN)
    put(outbox, start(1, 1, try_number=1))
    forward(outbox, catalog)

    def broken(_: EndedDagRun) -> Iterator[LastTry]:
        raise ConnectionError

    for _ in range(2):
        forwarder = Forwarder(outbox, catalog, events_per_second=1e6)
        with pytest.raises(ConnectionError):
            forwarder.complete_runs(lambda _: "failed", NAMESPACE, timedelta(0), broken)
    forwarder.run()
    assert [event["eventType"] for event in catalog.events.values()][-1] == "FAIL"
