import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from tests.unit.lineage.datazone_server import DataZoneServer
from tests.unit.lineage.openlineage_server import OpenLineageServer
from updraft.compat import AirflowException, AirflowFailException
from updraft.lineage.checkpoint import Checkpoint
from updraft.lineage.configuration import TRANSPORT_TYPE
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import EventKey
from updraft.operators.lineage import ForwardLineageOperator, configured_namespace

SAMPLES = Path(__file__).parents[1] / "lineage" / "samples"
DOMAIN = "dzd_test1234"


@pytest.fixture
def outbox(tmp_path: Path) -> LocalOutbox:
    outbox = LocalOutbox(tmp_path)
    for path in sorted(SAMPLES.glob("*.json")):
        event = json.loads(path.read_text())
        key = EventKey.for_event(
            path.read_bytes(), run_id=event["run"]["runId"], event_type=event["eventType"]
        )
        outbox.put_event(path.read_bytes(), key)
    return outbox


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[DataZoneServer]:
    with DataZoneServer() as running:
        monkeypatch.setenv("AWS_ENDPOINT_URL", running.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        yield running


def operator(**arguments) -> ForwardLineageOperator:
    defaults = {"aws_conn_id": None, "max_events_per_second": 20, "account_id": "123456789012"}
    return ForwardLineageOperator(task_id="post_to_catalog", **(defaults | arguments))


def test_events_of_real_airflow_reach_the_catalog_once(server, outbox):
    counts = operator(domain_id=DOMAIN, outbox_uri=outbox.uri).execute({})
    assert (counts["read"], counts["posted"], counts["dead_lettered"]) == (7, 7, 0)
    json.dumps(counts)
    assert operator(domain_id=DOMAIN, outbox_uri=outbox.uri).execute({})["posted"] == 0
    assert len(server.paths) == 7


def test_the_configuration_fills_in_what_is_not_given(server, outbox, monkeypatch):
    transport = {
        "type": "composite",
        "transports": {
            "log": {"type": "console"},
            "box": {"type": TRANSPORT_TYPE, "uri": outbox.uri},
        },
    }
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__TRANSPORT", json.dumps(transport))
    monkeypatch.setenv("AIRFLOW__UPDRAFT__DATAZONE_DOMAIN_ID", "dzd_configured")
    assert operator(domain_id="", outbox_uri="").execute({})["posted"] == 7
    assert set(server.paths) == {"/v2/domains/dzd_configured/lineage/events"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"outbox_uri": "/tmp"}, r"no DataZone domain is given: .* \[updraft\] datazone_domain_id"),
        ({"domain_id": DOMAIN}, r"no outbox is given: .* \[openlineage\] transport with"),
        ({"domain_id": "test", "outbox_uri": "/tmp"}, "'test' is not the id of a DataZone domain"),
        ({"domain_id": DOMAIN, "outbox_uri": "ftp://x"}, "'ftp://x' is not an outbox"),
        (
            {"domain_id": DOMAIN, "outbox_uri": "/tmp", "max_events_per_second": "21"},
            "max_events_per_second is '21'; give a number above 0 and up to 20",
        ),
        (
            {"domain_id": DOMAIN, "outbox_uri": "/tmp", "max_events_per_second": "None"},
            "max_events_per_second is 'None'",
        ),
    ],
)
def test_what_is_missing_or_wrong_is_named(arguments, message):
    # An error of this type is not retried.
    with pytest.raises(AirflowFailException, match=message) as caught:
        operator(**arguments).execute({})
    assert caught.value.__suppress_context__


def test_without_permission_the_task_fails_and_no_event_is_lost(server, outbox):
    server.answers.append((403, "AccessDeniedException"))
    with pytest.raises(AirflowException, match="role needs datazone:PostLineageEvent") as caught:
        operator(domain_id=DOMAIN, outbox_uri=outbox.uri).execute({})
    assert not isinstance(caught.value, AirflowFailException)
    assert caught.value.__suppress_context__
    assert list(outbox.dead_letter_names()) == []
    assert operator(domain_id=DOMAIN, outbox_uri=outbox.uri).execute({})["posted"] == 7


def test_kill_stops_between_events(server, outbox):
    task = operator(domain_id=DOMAIN, outbox_uri=outbox.uri)
    answer = server.answer

    def kill_then_answer(*arguments):
        task.on_kill()
        return answer(*arguments)

    server.answer = kill_then_answer
    with pytest.raises(AirflowException, match="stopped after 1 events"):
        task.execute({})
    server.answer = answer
    assert operator(domain_id=DOMAIN, outbox_uri=outbox.uri).execute({})["posted"] == 6


def test_client_options_reach_datazone_and_s3(server, monkeypatch):
    clients = []
    open_as_before = S3Hook.get_conn

    def get_conn(hook: S3Hook):
        clients.append(open_as_before(hook))
        return clients[-1]

    monkeypatch.setattr(S3Hook, "get_conn", get_conn)
    server.answers.append((403, "AccessDenied"))
    task = operator(
        domain_id=DOMAIN,
        outbox_uri="s3://bucket/lineage",
        botocore_config={"read_timeout": 7, "retries": {"total_max_attempts": 1}},
    )
    with pytest.raises(AirflowException):
        task.execute({})
    (client,) = clients
    assert client.meta.config.read_timeout == 7
    assert task.hook.client.meta.config.read_timeout == 7


def test_kill_before_the_start_is_no_error():
    operator().on_kill()


def test_template_fields_are_arguments():
    task = operator(domain_id="a", outbox_uri="b")
    assert set(task.template_fields) == {
        "account_id", "aws_conn_id", "close_orphans_after_minutes", "domain_id", "http_conn_id",
        "max_events_per_second", "outbox_uri", "redshift_workgroups", "region_name", "verify",
    }  # fmt: skip
    for field in task.template_fields:
        assert hasattr(task, field)


def test_defaults():
    task = ForwardLineageOperator(task_id="t")
    assert (task.domain_id, task.outbox_uri, task.max_events_per_second) == (None, None, 10.0)
    assert task.aws_conn_id == "aws_default"


def test_runs_that_airflow_has_ended_are_closed(server, outbox, monkeypatch):
    """Of the samples, only the mapped task has a start without an end, and 2.6.3's."""
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__NAMESPACE", "mwaa-env")
    asked = []

    def state(*attempt: object) -> str:
        asked.append(attempt)
        return "failed"

    monkeypatch.setattr("updraft.operators.lineage.task_instance_state", state)
    arguments = {"domain_id": DOMAIN, "outbox_uri": outbox.uri}
    open_runs = _age_open_runs(outbox, operator(**arguments))
    counts = operator(**arguments).execute({})
    assert counts["closed"] == counts["posted"] == open_runs
    assert ("ol_demo", "e_mapped", 0) in {(one[0], one[2], one[3]) for one in asked}
    ends = [json.loads(body) for body in list(server.posted.values())[-open_runs:]]
    assert {end["eventType"] for end in ends} == {"FAIL"}
    assert operator(**arguments).execute({})["closed"] == 0


def _age_open_runs(outbox: LocalOutbox, task: ForwardLineageOperator) -> int:
    """Forward, and let the runs that are open then have been so for long."""
    task.execute({})
    name = f"datazone-{DOMAIN}"
    checkpoint = Checkpoint.from_json(outbox.load_checkpoint(name) or b"", name)
    for run in checkpoint.runs.runs.values():
        run.started_at = run.over_since = datetime(2026, 11, 22, tzinfo=UTC)
    outbox.save_checkpoint(name, checkpoint.to_json())
    return len(checkpoint.runs.runs)


def test_an_airflow_that_does_not_answer_holds_nothing_up(server, outbox, monkeypatch):
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__NAMESPACE", "mwaa-env")
    arguments = {"domain_id": DOMAIN, "outbox_uri": outbox.uri}
    _age_open_runs(outbox, operator(**arguments))
    outbox.put_event(b"{", EventKey.for_event(b"{", run_id="r", event_type="START"))

    def fail(*_: object) -> str:
        raise ConnectionError("no API server")

    monkeypatch.setattr("updraft.operators.lineage.task_instance_state", fail)
    counts = operator(**arguments).execute({})
    assert (counts["dead_lettered"], counts["closed"]) == (1, 0)
    assert operator(**arguments, close_orphans_after_minutes=0).execute({})["closed"] == 0


def test_an_endpoint_of_openlineage_in_place_of_a_domain(outbox, monkeypatch):
    counted = {}
    monkeypatch.setattr(
        "updraft.operators.lineage.count_metric", lambda name, count: counted.update({name: count})
    )
    with OpenLineageServer() as endpoint:
        connection = {"conn_type": "http", "host": endpoint.url}
        monkeypatch.setenv("AIRFLOW_CONN_MARQUEZ", json.dumps(connection))
        counts = operator(
            http_conn_id="marquez", outbox_uri=outbox.uri, max_events_per_second=500
        ).execute({})
    assert (counts["posted"], len(endpoint.posted)) == (7, 7)
    assert counted["updraft.lineage.forward.posted"] == 7
    assert counted["updraft.lineage.forward.dead_lettered"] == 0


@pytest.mark.parametrize("value", ["x", -1, None])
def test_patience_is_a_number(value):
    task = operator(domain_id=DOMAIN, outbox_uri="/tmp/x", close_orphans_after_minutes=value)
    with pytest.raises(AirflowFailException, match="close_orphans_after_minutes"):
        task.execute({})


def test_names_that_need_the_account(server, outbox):
    sample = json.loads((SAMPLES / "airflow_3_complete.json").read_text())
    tables = [
        {"namespace": f"redshift://{name}.eu-west-1:5439", "name": "dev.public.t"}
        for name in ("c1", "w1")
    ]
    body = json.dumps({**sample, "inputs": tables}).encode()
    outbox.put_event(body, EventKey.for_event(body, run_id="r", event_type="COMPLETE"))
    task = operator(
        domain_id=DOMAIN,
        outbox_uri=outbox.uri,
        account_id="123456789012",
        redshift_workgroups="w1,w2",
    )
    task.execute({})
    names = {
        f"{dataset['namespace']}/{dataset['name']}"
        for event in map(json.loads, server.posted.values())
        for dataset in event["inputs"]
    }
    assert "arn:aws:redshift:eu-west-1:123456789012:table/c1/dev/public/t" in names
    assert "arn:aws:redshift-serverless:eu-west-1:123456789012:table/w1/dev/public/t" in names
    task.account_id = ""  # asks STS, which the server does not speak; the names stay
    task.execute({})
    task.account_id = "mine"
    with pytest.raises(AirflowFailException, match="account_id: 'mine' is no id of an account"):
        task.execute({})


def test_the_namespace_is_the_one_that_the_listener_uses(monkeypatch):
    assert configured_namespace() == ""
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "old")
    assert configured_namespace() == "old"
    monkeypatch.setenv("AIRFLOW__OPENLINEAGE__NAMESPACE", "new")
    assert configured_namespace() == "new"
