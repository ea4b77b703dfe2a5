"""The operator's arguments and its lineage; the work itself is in tests/integration."""

import inspect
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowException, AirflowFailException, TaskDeferred
from openlineage.client.event_v2 import Job, Run, RunEvent, RunState
from openlineage.client.serde import Serde

from updraft.dynamodb.attempt import ExportResult
from updraft.dynamodb.table import TableDescription
from updraft.errors import ArgumentError, UpdraftError
from updraft.lineage.validation import problems
from updraft.operators.dynamodb_export import EXPORT_ENGINES, DynamoDBExportOperator
from updraft.operators.dynamodb_export_engine import ExportOutcome, PointInTime
from updraft.operators.template_arguments import time_argument
from updraft.operators.waiting import Deferral

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
OUTCOME = ExportOutcome(
    ExportResult("s3://bucket/p/manifest", items=20, bytes=400, files=4, table_arn=ARN),
    TableDescription(ARN, {"id": "S", "at": "N"}, 5, 5, 20, 400),
    {"at": ["N"], "id": ["S"], "mixed": ["N", "S"], "ümlaut": ["BOOL"]},
)


class Engine:
    """An engine that only remembers what it was asked."""

    def __init__(self, outcome=OUTCOME):
        self.outcome = outcome
        self.requests = []
        self.stopped = False

    def export(self, request):
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
    monkeypatch.setitem(EXPORT_ENGINES, "worker", lambda operator: made)
    return made


def _operator(**arguments):
    return DynamoDBExportOperator(
        **({"task_id": "export", "table_name": "orders", "s3_uri": "s3://bucket/p"} | arguments)
    )


def _context(**changes):
    instance = {"dag_id": "d", "task_id": "export", "map_index": -1, "run_id": "r", "try_number": 1}
    return {"ti": SimpleNamespace(**(instance | changes))}


def _execute(operator, **changes):
    return operator.execute(_context(**changes))


def test_defaults_are_pinned():
    """A change of these changes what existing DAGs do: say so in the changelog."""
    signature = inspect.signature(DynamoDBExportOperator.__init__).parameters
    defaults = {
        name: parameter.default
        for name, parameter in signature.items()
        if parameter.default is not inspect.Parameter.empty
    }

    assert defaults == {
        "engine": "worker",
        "export_format": None,
        "format_options": None,
        "read_throughput_ratio": 0.25,
        "total_segments": None,
        "export_type": "FULL_EXPORT",
        "export_time": None,
        "export_from_time": None,
        "export_to_time": None,
        "export_view_type": "NEW_AND_OLD_IMAGES",
        "kms_key_id": None,
        "deferrable": True,
        "poll_interval": 30,
        "glue_job_name": None,
        "glue_workers": None,
        "glue_worker_type": "G.1X",
        "glue_arguments": None,
    }


def test_templated_fields():
    assert set(DynamoDBExportOperator.template_fields) == {
        "aws_conn_id",
        "region_name",
        "verify",
        "table_name",
        "s3_uri",
        "read_throughput_ratio",
        "engine",
        "export_format",
        "format_options",
        "export_type",
        "export_time",
        "export_from_time",
        "export_to_time",
        "kms_key_id",
        "glue_job_name",
        "glue_arguments",
    }
    operator = _operator()
    assert all(hasattr(operator, field) for field in operator.template_fields)


def test_arguments_may_be_templates_until_execute():
    operator = _operator(table_name="{{ params.table }}", read_throughput_ratio="{{ params.r }}")
    operator.render_template_fields({"params": {"table": "orders", "r": 0.5}})

    assert operator.table_name == "orders"
    assert float(operator.read_throughput_ratio) == 0.5


def test_result_is_a_plain_dictionary(engine):
    result = _execute(_operator(read_throughput_ratio="0.5"))

    assert json.loads(json.dumps(result)) == {
        "manifest": "s3://bucket/p/manifest",
        "items": 20,
        "bytes": 400,
        "files": 4,
        "table_arn": ARN,
        "already_exported": False,
    }
    (request,) = engine.requests
    assert request.read_throughput_ratio == 0.5
    assert request.export_format == "DATA_PIPELINE"
    assert request.total_segments is None


def test_times_are_read_from_templates(engine):
    _execute(
        _operator(
            export_type="INCREMENTAL_EXPORT",
            export_from_time="2026-11-23T04:00:00+00:00",
            export_to_time="2026-11-23 05:00",
            export_time="",
            kms_key_id="key",
        )
    )

    (request,) = engine.requests
    assert request.point_in_time == PointInTime(
        export_type="INCREMENTAL_EXPORT",
        export_from_time=datetime(2026, 11, 23, 4, tzinfo=UTC),
        export_to_time=datetime(2026, 11, 23, 5, tzinfo=UTC),
        kms_key_id="key",
    )


def test_a_day_is_a_time_and_an_hour_without_a_day_is_none():
    assert time_argument("export_time", "2026-11-23") == datetime(2026, 11, 23, tzinfo=UTC)
    for wrong in ("10:00", "P1D", 5):
        with pytest.raises(ArgumentError, match=f"export_time: {wrong!r} is no time such as"):
            time_argument("export_time", wrong)


def test_an_engine_that_waits_for_aws_defers_the_task(engine):
    engine.outcome = Deferral(SimpleNamespace(), timedelta(hours=1))
    operator = _operator()

    with pytest.raises(TaskDeferred) as deferred:
        _execute(operator)
    assert deferred.value.method_name == "execute_complete"
    assert deferred.value.timeout == timedelta(hours=1)

    result = operator.execute_complete(_context(), {"status": "success"})

    assert result["items"] == 20
    ((request, event),) = engine.requests[1:]
    assert (request, event) == (engine.requests[0], {"status": "success"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table_name": "a/b"}, "table_name: 'a/b' is neither"),
        ({"s3_uri": "/tmp/x"}, "s3_uri: '/tmp/x' is not an S3 URI"),
        ({"engine": "Workers"}, "engine: 'Workers' is unknown; did you mean 'worker'"),
        ({"engine": "xyz"}, r"engine: 'xyz' is unknown\. Known: .*worker"),
        (
            {"export_format": "data_pipeline"},
            "export_format: 'data_pipeline' is unknown; did you mean 'DATA_PIPELINE'",
        ),
        ({"read_throughput_ratio": 0}, "read_throughput_ratio: 0 is not"),
        ({"read_throughput_ratio": 1.01}, "read_throughput_ratio: 1.01 is not"),
        ({"read_throughput_ratio": "nan"}, "read_throughput_ratio: 'nan' is not"),
        ({"read_throughput_ratio": "a quarter"}, "read_throughput_ratio: 'a quarter' is not"),
        (
            {"export_type": "FULL_EXPORTS"},
            "export_type: 'FULL_EXPORTS' is unknown; did you mean 'FULL_EXPORT'",
        ),
        ({"export_view_type": "OLD"}, "export_view_type: 'OLD' is unknown"),
        ({"export_time": "yesterday"}, "export_time: 'yesterday' is no time such as"),
        ({"total_segments": 0}, "total_segments: 0 is not"),
        ({"total_segments": 2.5}, "total_segments: 2.5 is not"),
        ({"table_name": ARN, "region_name": "us-east-1"}, "'us-east-1' contradicts the ARN"),
    ],
)
def test_wrong_arguments_fail_for_good_with_name_value_and_advice(engine, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        _execute(_operator(**arguments))
    assert engine.requests == []


def test_a_failed_export_may_be_retried(engine):
    engine.outcome = UpdraftError("There is no table 'orders'")

    with pytest.raises(AirflowException, match="There is no table 'orders'") as error:
        _execute(_operator())
    assert not isinstance(error.value, AirflowFailException)


def test_an_argument_that_the_engine_refuses_fails_for_good(engine):
    engine.outcome = ArgumentError("format_options: the engine native has none")

    with pytest.raises(AirflowFailException, match="format_options: the engine native has none"):
        _operator().execute(_context())


def test_identity_is_that_of_the_task_instance_and_not_of_the_attempt(engine):
    for changes in (
        {},
        {"try_number": 2},
        {"dag_id": "e"},
        {"task_id": "t"},
        {"map_index": 0},
        {"run_id": "s"},
        {"dag_id": "export", "task_id": "d"},
    ):
        _execute(_operator(), **changes)
    first, second, *others = [request.export_id for request in engine.requests]
    assert [request.attempt for request in engine.requests[:2]] == [1, 2]

    assert first == second
    assert len({first, *others}) == 6


def _without_region(monkeypatch, tmp_path):
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))


def test_the_link_to_the_console_is_no_reason_to_fail(engine, monkeypatch, tmp_path, capsys):
    _without_region(monkeypatch, tmp_path)
    result = _execute(_operator(aws_conn_id=None))

    assert result["items"] == 20
    assert "The task has no link to the AWS console" in capsys.readouterr().out


def test_a_connection_without_a_region_is_one_clear_error(monkeypatch, tmp_path):
    _without_region(monkeypatch, tmp_path)

    with pytest.raises(AirflowException, match=r"dynamodb: You must specify a region\. Check its"):
        _execute(_operator(aws_conn_id=None))


def test_kill_stops_the_engine(engine):
    operator = _operator()
    _execute(operator)
    assert not engine.stopped
    operator.on_kill()
    assert engine.stopped


def test_a_task_that_was_told_to_stop_exports_nothing(engine):
    operator = _operator()
    operator.on_kill()

    with pytest.raises(AirflowException, match="told to stop"):
        _execute(operator)
    assert engine.requests == []


def test_region_comes_from_the_arn_for_the_table_only():
    operator = _operator(table_name=ARN, aws_conn_id=None)

    assert operator.hook.region_name == "eu-west-1"
    assert operator.s3_hook_parameters["region_name"] is None


def test_users_botocore_configuration_wins():
    operator = _operator(botocore_config={"retries": {"mode": "standard"}, "read_timeout": 7})
    config = operator.s3_hook_parameters["config"]

    assert config["retries"] == {"mode": "standard"}
    assert config["read_timeout"] == 7
    assert config["max_pool_connections"] >= 8


def _event(lineage, state):
    event = RunEvent(
        eventType=state,
        eventTime=datetime(2026, 1, 1, tzinfo=UTC).isoformat(),
        run=Run(runId="01938273-9c4a-7bb1-a7a5-4a7c3a1f7d11"),
        job=Job(namespace="airflow", name="d.export"),
        inputs=lineage.inputs,
        outputs=lineage.outputs,
        producer="https://github.com/apache/airflow",
    )
    return json.loads(Serde.to_json(event))


def test_start_names_the_prefix_only():
    event = _event(_operator().get_openlineage_facets_on_start(), RunState.START)

    assert problems(event) == []
    assert event["inputs"] == []
    assert [(o["namespace"], o["name"]) for o in event["outputs"]] == [("s3://bucket", "p")]


def test_start_names_the_table_when_its_arn_is_given():
    event = _event(_operator(table_name=ARN).get_openlineage_facets_on_start(), RunState.START)

    assert problems(event) == []
    assert [(i["namespace"], i["name"]) for i in event["inputs"]] == [
        ("arn:aws:dynamodb:eu-west-1:123456789012", "table/orders")
    ]


def test_complete_has_the_schema_and_the_statistics(engine):
    operator = _operator(s3_uri="s3://bucket//p/")
    _execute(operator)
    event = _event(operator.get_openlineage_facets_on_complete(None), RunState.COMPLETE)

    assert problems(event) == []
    (table,), (prefix,) = event["inputs"], event["outputs"]
    assert prefix["facets"]["schema"]["fields"] == table["facets"]["schema"]["fields"]
    fields = [
        (field["name"], field["type"], field.get("description"))
        for field in table["facets"]["schema"]["fields"]
    ]
    assert fields == [
        ("id", "S", "partition key"),
        ("at", "N", "sort key"),
        ("mixed", "N|S", None),
        ("ümlaut", "BOOL", None),
    ]
    assert (prefix["namespace"], prefix["name"]) == ("s3://bucket", "p")
    statistics = prefix["outputFacets"]["outputStatistics"]
    assert {name: statistics[name] for name in ("rowCount", "size", "fileCount")} == {
        "rowCount": 20,
        "size": 400,
        "fileCount": 4,
    }


def test_failure_names_what_should_have_been(engine):
    engine.outcome = UpdraftError("no")
    operator = _operator(table_name=ARN)
    with pytest.raises(AirflowException):
        _execute(operator)
    event = _event(operator.get_openlineage_facets_on_failure(None), RunState.FAIL)

    assert problems(event) == []
    assert len(event["inputs"]) == len(event["outputs"]) == 1


def test_without_openlineage_there_is_no_lineage_and_no_error(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "updraft.operators.dynamodb_lineage", None)
    operator = _operator()

    assert operator.get_openlineage_facets_on_start() is None
    assert operator.get_openlineage_facets_on_failure(None) is None
