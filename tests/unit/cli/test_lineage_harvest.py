"""`updraft lineage harvest` and `validate` from the outside."""

import gzip
import json
import os
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from updraft.cli.lineage import lineage_app
from updraft.lineage.event_sources import opened

LOGS = Path(__file__).parents[1] / "lineage" / "logs"
SAMPLE = Path(__file__).parents[1] / "lineage" / "samples" / "airflow_3_complete.json"
_runner = CliRunner()


def run(*arguments: object, stdin: bytes | None = None):
    return _runner.invoke(lineage_app, [str(one) for one in arguments], input=stdin)


def harvest(outbox: Path, *logs: object, stdin: bytes | None = None):
    result = run("harvest", "--file", *logs, "--outbox", outbox, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_all_logs_at_once_and_again(tmp_path: Path):
    logs = sorted(LOGS.iterdir())
    none = {"split": 0, "truncated": 0, "cut": []}
    assert harvest(tmp_path, *logs) == {**none, "found": 34, "stored": 34, "duplicates": 0}
    assert harvest(tmp_path, *logs) == {**none, "found": 34, "stored": 0, "duplicates": 34}
    assert len(list(tmp_path.glob("events/**/*.json"))) == 34


def test_in_words_with_what_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log = LOGS / "airflow2.10.5_provider1.14.0_task_log.txt"
    text = log.read_text()
    (tmp_path / "cut.log").write_text(text[: text.rindex('"runId"')])
    monkeypatch.chdir(tmp_path)
    result = run("harvest", "--file", "cut.log", "--outbox", "here")
    assert result.stdout == "found 11, split 0, truncated 1, stored 11, duplicates 0\n"
    assert "truncated: cut.log:24: eventTime 2026-11-22T20:08:35.544570+00:00" in result.stderr
    assert (tmp_path / "here" / "events").is_dir()


def test_bytes_that_are_no_character_are_told(tmp_path: Path):
    log = LOGS / "airflow2.10.5_provider1.14.0_task_log.txt"
    (tmp_path / "latin.log").write_bytes(log.read_bytes().replace(b"START", b"ST\xe4RT", 1))
    result = run("harvest", "--file", log, tmp_path / "latin.log", "--outbox", tmp_path / "outbox")
    assert result.exit_code == 0
    (told,) = [one for one in result.stderr.splitlines() if one.startswith("garbled")]
    assert told.endswith("no UTF-8, for which U+FFFD stands: 1")


def test_standard_input(tmp_path: Path):
    content = gzip.compress((LOGS / "airflow3.3.2_scheduler_stdout.txt").read_bytes())
    assert harvest(tmp_path, "-", stdin=content)["stored"] == 2


def test_a_log_without_events_is_named(tmp_path: Path):
    (tmp_path / "empty.log").touch()
    log = LOGS / "airflow3.3.2_scheduler_stdout.txt"
    result = run("harvest", "--file", log, tmp_path / "empty.log", "--outbox", tmp_path / "outbox")
    assert result.exit_code == 0
    (named,) = [one for one in result.stderr.splitlines() if "no event" in one]
    assert named == f"{tmp_path / 'empty.log'}: there is no event of OpenLineage in it"


def test_what_cannot_be_read_does_not_hide_the_others(tmp_path: Path):
    damaged = tmp_path / "x.gz"
    damaged.write_bytes(gzip.compress(b"x" * 1000)[:-10])
    log = LOGS / "airflow3.3.2_scheduler_stdout.txt"
    for path, reason in (
        (tmp_path / "missing.log", "No such file"),
        (tmp_path, "directory"),
        (damaged, "ended before"),
    ):
        result = run("harvest", "--file", path, log, "--outbox", tmp_path / "outbox" / path.name)
        assert result.exit_code == 1
        assert result.stdout == "found 2, split 0, truncated 0, stored 2, duplicates 0\n"
        assert f"error: cannot read {path}: " in result.stderr
        assert reason in result.stderr


def test_the_next_log_does_not_go_on_with_one_that_ends_in_the_middle(tmp_path: Path):
    text = (LOGS / "airflow3.3.2_scheduler_stdout.txt").read_bytes()
    at = text.index(b'"eventType"')
    damaged, rest = tmp_path / "x.gz", tmp_path / "rest.log"
    unended = b"x" * 1_000_000  # more than what is read ahead
    damaged.write_bytes(gzip.compress(text[:at] + b"\n" + unended)[:-10])
    rest.write_bytes(text[at:])
    result = run("harvest", "--file", damaged, rest, "--outbox", tmp_path / "outbox")
    assert result.exit_code == 1
    assert result.stdout == "found 1, split 0, truncated 2, stored 1, duplicates 0\n"


@pytest.mark.parametrize("place", ["", "ftp://x", "s3:/bucket/prefix", "file:/x"])
def test_what_is_no_outbox(place: str):
    for command in (["harvest", "--file", next(LOGS.iterdir())], ["replay"]):
        result = run(*command, "--outbox", place)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert result.stderr.count("\n") == 1


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(OSError, match="standard input is closed"):
        opened(Path("-"))


def test_what_can_be_read_only_once(tmp_path: Path):
    """A pipe, such as `<(aws s3 cp s3://… -)`, has a document as well as a log."""
    for path, count in ((SAMPLE, 1), (LOGS / "airflow3.3.2_scheduler_stdout.txt", 2)):
        pipe = tmp_path / f"{count}.pipe"
        os.mkfifo(pipe)
        writer = threading.Thread(target=pipe.write_bytes, args=(path.read_bytes(),))
        writer.start()
        result = run("validate", pipe)
        writer.join()
        assert (result.exit_code, result.stderr) == (0, f"{count} events, 0 faults\n")
        result = run("validate", "-", stdin=path.read_bytes())
        assert (result.exit_code, result.stderr) == (0, f"{count} events, 0 faults\n")


def test_valid_events_in_any_file(tmp_path: Path):
    event = json.loads(SAMPLE.read_text())
    job = {key: event[key] for key in ("eventTime", "producer", "schemaURL", "job")}
    (tmp_path / "list.json").write_text(json.dumps([event, job], indent=2))
    (tmp_path / "lines.jsonl").write_text(f"{json.dumps(event)}\n{json.dumps(job)}\n")
    files = [SAMPLE, tmp_path / "list.json", tmp_path / "lines.jsonl", *LOGS.iterdir()]
    result = run("validate", *files)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "39 events, 0 faults\n"


def test_each_fault_has_file_line_path_and_value(tmp_path: Path):
    event = json.loads(SAMPLE.read_text())
    event["eventTime"] = "yesterday"
    event["run"]["runId"] = "17"
    indented, lines = tmp_path / "one.json", tmp_path / "lines.log"
    indented.write_text(json.dumps(event, indent=2))
    lines.write_text(f"first\n[2026] - {json.dumps(event)}\n")
    result = run("validate", indented, lines)
    assert result.exit_code == 1
    number = next(
        index for index, line in enumerate(indented.read_text().splitlines(), 1) if '"17"' in line
    )
    assert sorted(result.stdout.splitlines()) == sorted(
        [
            f'{indented}:2: $.eventTime is "yesterday", which is not a date-time',
            f'{indented}:{number}: $.run.runId is "17", which is not a uuid',
            f'{lines}:2: $.eventTime is "yesterday", which is not a date-time',
            f'{lines}:2: $.run.runId is "17", which is not a uuid',
        ]
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ":1: there is no event of OpenLineage in the file"),
        ("{}", ":1: $: 'run' is a required property"),
        ("[]", ":1: there is no event of OpenLineage in the file"),
        ("[" * 100_000, ":1: there is no event of OpenLineage in the file"),
        ('x\n{"eventTime": "2026-11-22', ":2: the event is cut or no JSON (eventTime 2026-11-22)"),
    ],
)
def test_files_without_a_whole_event(tmp_path: Path, content: str, message: str):
    path = tmp_path / "x.json"
    path.write_text(content)
    result = run("validate", path)
    assert result.exit_code == 1
    assert message in result.stdout


def test_one_unreadable_file_does_not_hide_the_others(tmp_path: Path):
    result = run("validate", tmp_path / "missing", SAMPLE)
    assert result.exit_code == 1
    assert f"error: cannot read {tmp_path / 'missing'}: No such file" in result.stderr
    assert "1 events, 0 faults" in result.stderr
