"""What a Glue job is told, and what becomes of its definition."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.hooks.owned_glue_resources import tags_of_arguments
from updraft.hooks.owned_resources import is_of
from updraft.operators import glue_job_arguments
from updraft.operators.glue_datasets import names_argument
from updraft.operators.glue_job_arguments import bookmark_arguments, with_spark_properties
from updraft.operators.glue_job_definition import check_definition, difference, ensure_job
from updraft.operators.glue_job_settings import RunSettings, longest_use, script_arguments_of
from updraft.operators.try_series import is_first_attempt, try_series
from updraft.resource_owner import ResourceOwner

PARENT = {
    "spark.openlineage.parentJobName": "d.t",
    "spark.openlineage.rootParentRunId": "r",
    "spark.openlineage.transport.type": "http",
}


def _context(attempt, max_tries, retries=2, started=None):
    task = SimpleNamespace(retries=retries)
    return {
        "ti": SimpleNamespace(try_number=attempt, max_tries=max_tries, task=task),
        "dag_run": SimpleNamespace(start_date=started),
    }


@given(retries=st.integers(0, 5), steps=st.lists(st.sampled_from(["retry", "clear"]), max_size=8))
def test_a_series_lasts_from_one_clear_to_the_next(retries, steps):
    """Counts as ``clear_task_instances`` and the scheduler do."""
    attempt, max_tries = 1, retries
    number, seen = 0, {}
    for step in ["begin", *steps]:
        if step == "clear":
            max_tries = attempt + retries
            number += 1
        elif step == "retry" and attempt > max_tries:
            continue
        attempt += step != "begin"
        context = _context(attempt, max_tries, retries)
        assert is_first_attempt(context) is (number not in seen)
        assert seen.setdefault(number, try_series(context)) == try_series(context)
    assert len(set(seen.values())) == len(seen)


def test_a_dag_run_that_was_made_anew_has_other_series():
    first, second = (_context(1, 2, started=datetime(2026, 1, day, tzinfo=UTC)) for day in (1, 2))
    assert try_series(first) != try_series(second)


@pytest.fixture
def properties(monkeypatch):
    monkeypatch.setattr(
        glue_job_arguments, "_openlineage_properties", lambda *_, **__: dict(PARENT)
    )


@pytest.mark.parametrize(
    ("arguments", "job", "expected"),
    [
        ({}, {}, " --conf ".join(f"{k}={v}" for k, v in PARENT.items())),
        (
            {"--conf": "a=1"},
            {"--conf": "b=2"},
            "a=1 --conf spark.openlineage.parentJobName=d.t --conf "
            "spark.openlineage.rootParentRunId=r --conf spark.openlineage.transport.type=http",
        ),
        (
            {},
            {"--conf": "spark.openlineage.parentRunId=mine --conf b=2"},
            "spark.openlineage.parentRunId=mine --conf b=2 --conf "
            "spark.openlineage.transport.type=http",
        ),
        (
            {},
            {"--conf": "spark.openlineage.transport.type=console"},
            "spark.openlineage.transport.type=console --conf "
            "spark.openlineage.parentJobName=d.t --conf spark.openlineage.rootParentRunId=r",
        ),
    ],
)
def test_properties_join_those_of_the_user(properties, arguments, job, expected):
    found = with_spark_properties({**arguments, "--x": "1"}, job, {}, parent=True, transport=True)
    assert found == {"--x": "1", "--conf": expected}


def test_without_lineage_the_jobs_own_conf_stays_in_force():
    found = with_spark_properties({}, {"--conf": "b=2"}, {}, parent=False, transport=False)
    assert found == {}


def test_bookmarks():
    assert bookmark_arguments("", None, None) == {}
    assert bookmark_arguments("pause", "jr_1", "jr_2") == {
        "--job-bookmark-option": "job-bookmark-pause",
        "--job-bookmark-from": "jr_1",
        "--job-bookmark-to": "jr_2",
    }
    for wrong in (("enable", "jr_1", "jr_2"), ("pause", "jr_1", None)):
        with pytest.raises(UpdraftError, match="need each other"):
            bookmark_arguments(*wrong)


JOB = {
    "Name": "j",
    "Role": "r",
    "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/s.py", "PythonVersion": "3"},
    "MaxRetries": 0,
    "Timeout": 480,
    "ExecutionClass": "STANDARD",
    "CreatedOn": datetime(2026, 1, 1, tzinfo=UTC),
    "DefaultArguments": {"--a": "1"},
}
DEFINITION = {
    "Name": "j",
    "Role": "r",
    "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/s.py"},
    "DefaultArguments": {"--a": "1"},
    "Tags": {"only": "when created"},
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"Timeout": 480}, None),
        ({"Timeout": 60}, r'-  "Timeout": 480\n\+  "Timeout": 60'),
        ({"DefaultArguments": {}}, r'-  "DefaultArguments": {\n-    "--a": "\*\*\* before"'),
        ({"DefaultArguments": None}, r'-    "--a": "\*\*\* before"'),
        ({"Description": "d"}, r'\+  "Description": "d"'),
        ({"Command": {"Name": "glueetl", "ScriptLocation": "s3://b/t.py"}}, "t.py"),
    ],
)
def test_a_difference_is_what_an_update_would_change(change, expected):
    wanted = {k: v for k, v in {**DEFINITION, **change}.items() if v is not None}
    found = difference(JOB, wanted)
    assert re.search(expected, found) if expected else found == ""


def test_a_difference_shows_no_secrets():
    job = {**JOB, "DefaultArguments": {"--password": "old", "--same": "kept", "--TempDir": "t"}}
    changed = {"--password": "new", "--same": "kept", "--TempDir": "u", "--key": "added"}
    found = difference(job, {**DEFINITION, "DefaultArguments": changed})
    assert '-    "--password": "*** before"' in found
    assert '+    "--password": "*** after"' in found
    assert '+    "--TempDir": "u"' in found
    assert not any(secret in found for secret in ('"old"', '"new"', "kept", "added"))


def test_the_owner_is_written_as_the_reaper_reads_it(monkeypatch):
    monkeypatch.setenv("AIRFLOW__UPDRAFT__ENVIRONMENT", "prüfung & mehr")
    instance = SimpleNamespace(
        dag_id="d",
        run_id="scheduled__2026-01-01T00:00:00+00:00, again",
        task_id="t",
        map_index=3,
        try_number=2,
        max_tries=2,
        task=SimpleNamespace(retries=2),
    )
    context = {"ti": instance, "dag_run": SimpleNamespace(start_date=None)}
    tags = tags_of_arguments(glue_job_arguments.owner_arguments(context))
    assert ResourceOwner.from_tags(tags) == ResourceOwner.of(context)
    assert is_of("prüfung & mehr", tags)


def test_arguments_of_a_script():
    assert script_arguments_of('{"--day": "2026-11-02"}') == {"--day": "2026-11-02"}
    with pytest.raises(UpdraftError, match="value of '--day' is empty"):
        script_arguments_of({"--day": ""})
    with pytest.raises(UpdraftError, match="'--pin' with a value of type int") as caught:
        script_arguments_of({"--pin": 1234})
    assert "1234" not in str(caught.value)


class Glue:
    """A job that somebody else creates and changes in between."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.calls = []
        self.job = None

    def get_job(self, **_):
        if self.job is None:
            raise ClientError({"Error": {"Code": "EntityNotFoundException"}}, "GetJob")
        return {"Job": self.job}

    def create_job(self, **definition):
        self._change("create", definition)

    def update_job(self, **request):
        self._change("update", {"Name": request["JobName"], **request["JobUpdate"]})

    def _change(self, kind, job):
        self.calls.append(kind)
        self.job = job
        if self.errors:
            raise ClientError({"Error": {"Code": self.errors.pop(0)}}, kind)


def test_who_comes_second_finds_the_job_as_it_should_be(monkeypatch):
    glue = Glue("AlreadyExistsException")
    monkeypatch.setattr("updraft.hooks.glue.connected_client", lambda hook: glue)
    assert ensure_job(GlueClientHook(aws_conn_id=None), DEFINITION)["Name"] == "j"
    assert glue.calls == ["create"]
    glue.errors = ["ConcurrentModificationException"]
    ensure_job(GlueClientHook(aws_conn_id=None), {**DEFINITION, "Timeout": 1})
    assert glue.calls == ["create", "update"]
    glue.errors = ["InvalidInputException"]
    with pytest.raises(UpdraftError, match="InvalidInputException"):
        ensure_job(GlueClientHook(aws_conn_id=None), {**DEFINITION, "Timeout": 2})


def test_a_definition_has_one_name():
    with pytest.raises(UpdraftError, match="'Name' is 'j', while job_name is 'k'"):
        check_definition(DEFINITION, "k")
    with pytest.raises(UpdraftError, match="no 'Name'"):
        check_definition({"Role": "r"}, None)


def test_settings_of_a_run():
    settings = RunSettings(
        number_of_workers="10", worker_type="G.2X", timeout="", max_capacity=None
    )
    assert settings.checked().parameters() == {"NumberOfWorkers": 10, "WorkerType": "G.2X"}
    for wrong, message in (
        ({"number_of_workers": 5}, "need each other"),
        ({"number_of_workers": 1, "worker_type": "G.1X"}, "1 is less than 2"),
        ({"worker_type": "G.3X", "number_of_workers": 2}, "did you mean 'G"),
        ({"timeout": "soon"}, "timeout: 'soon'"),
        ({"execution_class": "flex"}, "did you mean 'FLEX'"),
    ):
        with pytest.raises(UpdraftError, match=message):
            RunSettings(**wrong).checked()


def test_the_bound_of_costs():
    job = {"WorkerType": "G.1X", "NumberOfWorkers": 2, "Timeout": 480}
    run = {"WorkerType": "G.2X", "NumberOfWorkers": 10, "Timeout": 60}
    assert longest_use(job, run).startswith("The run uses 20.0 DPU hours at most (10 workers G.2X")


@pytest.mark.parametrize(
    ("value", "names"),
    [(None, []), ("", []), ("a.b", ["a.b"]), ('["a", "b"]', ["a", "b"]), (("a",), ["a"])],
)
def test_names(value, names):
    assert names_argument("inputs", value) == names
