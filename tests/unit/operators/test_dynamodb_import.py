"""The import operator's arguments and its lineage; the work itself is in tests/integration."""

import inspect
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from updraft.dynamodb.import_totals import ChangedExportError
from updraft.dynamodb.table import TableDescription
from updraft.dynamodb.table_import import ImportResult, RejectedRecordError
from updraft.errors import ArgumentError, UpdraftError
from updraft.lineage.validation import problems
from updraft.operators.dynamodb_import import IMPORT_ENGINES, DynamoDBImportOperator
from updraft.operators.dynamodb_import_engine import ImportOutcome
from updraft.operators.waiting import Deferral

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
OUTCOME = ImportOutcome(
    ImportResult(
        table_arn=ARN,
        files=4,
        items=20,
        deleted=1,
        skipped=2,
        superseded=3,
        rejected=4,
        rejected_records="s3://bucket/rejected",
    ),
    TableDescription(ARN, {"id": "S"}, 5, 5, 20, 400),
    {"id": ["S"], "mixed": ["N", "S"]},
    "arn:aws:dynamodb:eu-west-1:123456789012:table/orders/import/01795402037000-a1b2c3d4",
)


class Engine:
    """An engine that only remembers what it was asked."""

    def __init__(self):
        self.outcome = OUTCOME
        self.requests = []
        self.stopped = False

    def import_files(self, request):
        self.requests.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def resume(self, request, event):
        self.requests.append((request, event))
        return OUTCOME

    def stop(self):
        self.stopped = True


@pytest.fixture(autouse=True)
def _region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    monkeypatch.setitem(IMPORT_ENGINES, "worker", lambda operator: made)
    return made


def _operator(**arguments):
    return DynamoDBImportOperator(
        **({"task_id": "import", "table_name": "orders", "s3_uri": "s3://bucket/p"} | arguments)
    )


def _context(**changes):
    instance = {"dag_id": "d", "task_id": "import", "map_index": -1, "run_id": "r", "try_number": 1}
    return {"ti": SimpleNamespace(**(instance | changes))}


def test_defaults_are_pinned():
    """A change of these changes what existing DAGs do: say so in the changelog."""
    signature = inspect.signature(DynamoDBImportOperator.__init__).parameters
    assert {
        name: parameter.default
        for name, parameter in signature.items()
        if parameter.default is not inspect.Parameter.empty
    } == {
        "engine": "worker",
        "import_format": None,
        "format_options": None,
        "write_throughput_ratio": 0.25,
        "on_conflict": "put",
        "on_error": "fail",
        "dead_letter_s3_uri": None,
        "checkpoint_s3_uri": None,
        "mode": "import",
        "table_creation_parameters": None,
        "deferrable": True,
        "poll_interval": 30,
        "glue_job_name": None,
        "glue_workers": None,
        "glue_worker_type": "G.1X",
        "glue_arguments": None,
    }


def test_templated_fields_are_attributes():
    operator = _operator()

    assert all(hasattr(operator, field) for field in operator.template_fields)


def test_what_a_form_leaves_empty_is_not_given(engine):
    operator = _operator(
        import_format="", dead_letter_s3_uri="", checkpoint_s3_uri="", region_name=""
    )
    result = operator.execute(_context())

    (request,) = engine.requests
    assert (request.import_format, request.rejected_records, request.checkpoint) == (None,) * 3
    assert json.loads(json.dumps(result)) == {
        "table_arn": ARN,
        "files": 4,
        "items": 20,
        "deleted": 1,
        "skipped": 2,
        "superseded": 3,
        "rejected": 4,
        "rejected_records": "s3://bucket/rejected",
        "already_imported": False,
        "import_arn": OUTCOME.import_arn,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table_name": "a/b"}, "table_name: 'a/b' is neither"),
        ({"s3_uri": "/tmp/x"}, "s3_uri: '/tmp/x' is not an S3 URI"),
        ({"engine": "worke"}, "engine: 'worke' is unknown; did you mean 'worker'"),
        ({"import_format": "JSON"}, "import_format: 'JSON' is unknown"),
        ({"on_conflict": "skipp"}, "did you mean 'skip'"),
        ({"on_error": "ignore"}, "on_error: 'ignore' is unknown"),
        ({"mode": "check"}, "mode: 'check' is unknown"),
        (
            {"dead_letter_s3_uri": "s3://bucket/rejected"},
            "dead_letter_s3_uri: 's3://bucket/rejected' has no meaning with on_error='fail'",
        ),
        ({"on_error": "dead_letter"}, "dead_letter_s3_uri: on_error='dead_letter' needs a prefix"),
        ({"write_throughput_ratio": "all"}, "write_throughput_ratio: 'all' is not a number"),
    ],
)
def test_wrong_arguments_fail_for_good_with_name_value_and_advice(engine, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        _operator(**arguments).execute(_context())
    assert engine.requests == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (UpdraftError("There is no table"), AirflowException),
        (ArgumentError("checkpoint_s3_uri: has no meaning"), AirflowFailException),
        (RejectedRecordError("s3://b/f, line 2: no item"), AirflowFailException),
        (ChangedExportError("s3://b/manifest: less than before"), AirflowFailException),
    ],
)
def test_only_what_a_retry_can_mend_is_retried(engine, error, expected):
    engine.outcome = error

    with pytest.raises(AirflowException, match=str(error)) as raised:
        _operator().execute(_context())
    assert type(raised.value) is expected


def test_an_engine_that_waits_for_aws_defers_the_task(engine):
    engine.outcome = Deferral(SimpleNamespace(), timedelta(hours=1))
    operator = _operator()

    with pytest.raises(TaskDeferred):
        operator.execute(_context())
    assert operator.execute_complete(_context(), {"status": "success"})["items"] == 20


def test_kill_stops_the_engine(engine):
    operator = _operator()
    operator.execute(_context())
    assert not engine.stopped
    operator.on_kill()
    assert engine.stopped


@pytest.mark.parametrize("mode", ["import", "verify"])
def test_a_task_that_was_told_to_stop_does_nothing(engine, mode):
    operator = _operator(mode=mode)
    operator.on_kill()

    with pytest.raises(AirflowException, match="told to stop"):
        operator.execute(_context())
    assert engine.requests == []


def _event(lineage):
    event = RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        run=Run(runId="01938273-9c4a-7bb1-a7a5-4a7c3a1f7d11", facets=lineage.run_facets),
        job=Job(namespace="airflow", name="d.import"),
        inputs=lineage.inputs,
        outputs=lineage.outputs,
        producer="https://github.com/apache/airflow",
    )
    return json.loads(Serde.to_json(event))


def test_lineage_goes_from_the_prefix_to_the_table(engine):
    operator = _operator()
    planned = _event(operator.get_openlineage_facets_on_start())
    operator.execute(_context())
    event = _event(operator.get_openlineage_facets_on_complete(None))

    assert problems(planned) == problems(event) == []
    assert planned["outputs"] == []
    (prefix,), (table,) = event["inputs"], event["outputs"]
    assert (prefix["namespace"], prefix["name"]) == ("s3://bucket", "p")
    assert (table["namespace"], table["name"]) == (
        "arn:aws:dynamodb:eu-west-1:123456789012",
        "table/orders",
    )
    fields = table["facets"]["schema"]["fields"]
    assert [(field["name"], field["type"]) for field in fields] == [("id", "S"), ("mixed", "N|S")]
    assert prefix["facets"]["schema"]["fields"] == fields
    assert table["outputFacets"]["outputStatistics"]["rowCount"] == 20
    assert event["run"]["facets"]["externalQuery"]["externalQueryId"] == OUTCOME.import_arn


def test_a_failed_import_names_what_should_have_been(engine):
    engine.outcome = UpdraftError("no")
    operator = _operator(table_name=ARN)
    with pytest.raises(AirflowException):
        operator.execute(_context())
    event = _event(operator.get_openlineage_facets_on_failure(None))

    assert problems(event) == []
    assert len(event["inputs"]) == len(event["outputs"]) == 1
