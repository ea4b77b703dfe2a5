"""`updraft lineage forward` and `replay` from the outside."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.unit.lineage.openlineage_server import OpenLineageServer
from updraft.cli.lineage import lineage_app
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import DEAD_LETTERS

LOGS = Path(__file__).parents[1] / "lineage" / "logs"
_runner = CliRunner()


@pytest.fixture
def server():
    with OpenLineageServer() as running:
        yield running


@pytest.fixture
def outbox(tmp_path: Path) -> Path:
    path = tmp_path / "outbox"
    assert run("harvest", "--file", *LOGS.iterdir(), "--outbox", path).exit_code == 0
    return path


def run(*arguments: object):
    return _runner.invoke(lineage_app, [str(one) for one in arguments])


def test_from_logs_to_an_endpoint_once(outbox, server):
    result = run("forward", "--outbox", outbox, "--url", server.url, "--json")
    assert result.exit_code == 0, result.output
    counts = json.loads(result.stdout)
    # In the log of 2.10.5, two mapped tasks share a run.
    assert (counts["read"], counts["posted"], counts["merged"]) == (34, 32, 2)
    assert len(server.posted) == 32
    # The names are those of the specification.
    assert "dynamodb://us-east-1" in {
        dataset["namespace"] for event in server.posted for dataset in event["inputs"]
    }
    again = run("forward", "--outbox", outbox, "--url", server.url)
    assert (again.stdout, len(server.posted)) == ("nothing new\n", 32)


def test_a_dead_letter_is_replayed(outbox, server):
    server.answers.extend([201, 400, 201, 422])
    run("forward", "--outbox", outbox, "--url", server.url)
    assert len(server.posted) == 30
    listed = run("replay", "--outbox", outbox, "--list", "--containing", "says 422")
    assert listed.stdout.count("\n") == 1
    assert "says 422: as the test wished" in listed.stdout
    assert listed.stderr == "1 dead letters, 0 put back\n"
    replayed = run("replay", "--outbox", outbox)
    assert replayed.stderr == "2 dead letters, 2 put back\n"
    assert list(LocalOutbox(outbox).dead_letter_names()) == []
    run("forward", "--outbox", outbox, "--url", server.url)
    assert len(server.posted) == 32


def test_a_letter_that_cannot_be_read_stays(outbox):
    LocalOutbox(outbox).write(f"{DEAD_LETTERS}x.json", b"{")
    result = run("replay", "--outbox", outbox)
    assert "dead-letters/x.json: not a dead letter" in result.stdout
    assert result.stderr == "1 dead letters, 0 put back\n"
    assert LocalOutbox(outbox).read(f"{DEAD_LETTERS}x.json") == b"{"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either --domain-id or --url"),
        (("--domain-id", "dzd_1", "--url", "http://x"), "give either --domain-id or --url"),
        (("--domain-id", "mine"), "'mine' is not the id of a DataZone domain"),
        (("--domain-id", "dzd_1", "--events-per-second", "21"), "21 is above 20, the quota"),
        (("--url", "marquez"), "'marquez' is no URL of an OpenLineage endpoint"),
    ],
)
def test_wrong_options(outbox, options, message):
    result = run("forward", "--outbox", outbox, *options)
    assert result.exit_code != 0
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_a_key_that_the_endpoint_does_not_take(outbox, server):
    server.answers.append(401)
    result = run("forward", "--outbox", outbox, "--url", server.url, "--api-key", "k3y")
    assert result.exit_code == 1
    assert "says 401" in result.stderr
    assert "k3y" not in result.output
    assert list(LocalOutbox(outbox).dead_letter_names()) == []
