"""The operator's arguments, what it makes of a report, and its lineage; the work itself is in
tests/integration."""

import inspect
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from airflow.exceptions import AirflowException, AirflowFailException

from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.difference_report import DifferenceReport
from updraft.errors import ArgumentError, UpdraftError
from updraft.operators import dynamodb_verify
from updraft.operators.dynamodb import DynamoDBVerifyOperator

ARN = "arn:aws:dynamodb:eu-west-1:123456789012:table/orders"
SAME = DifferenceReport(
    table_arn=ARN,
    s3_uri="s3://bucket/p",
    files=1,
    table_items=20,
    export_items=20,
    equal=20,
    different=0,
    only_in_export=0,
    only_in_table=0,
    deleted=0,
    not_deleted=0,
    superseded=0,
    unreadable=0,
    differences=0,
    first_differences=[],
    differences_file=None,
)
DIFFERENT = replace(
    SAME,
    equal=19,
    only_in_table=1,
    differences=1,
    first_differences=[{"kind": "only_in_table", "key": {"id": {"S": "Zürich"}}}],
    differences_file="s3://bucket/d/differences_x.jsonl",
)


class Engine:
    """An engine that only remembers what it was asked."""

    def __init__(self):
        self.outcome = SAME
        self.requests = []
        self.stopped = False

    def verify(self, request):
        self.requests.append(request)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def stop(self):
        self.stopped = True


@pytest.fixture(autouse=True)
def _region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


@pytest.fixture
def engine(monkeypatch):
    made = Engine()
    monkeypatch.setattr(dynamodb_verify, "VerifyEngine", lambda hook, parameters: made)
    return made


def _operator(**arguments):
    return DynamoDBVerifyOperator(
        **({"task_id": "verify", "table_name": "orders", "s3_uri": "s3://bucket/p"} | arguments)
    )


def _execute(operator):
    instance = {"dag_id": "d", "task_id": "verify", "map_index": -1, "run_id": "r", "try_number": 1}
    return operator.execute({"ti": SimpleNamespace(**instance)})


def test_defaults_are_pinned():
    """A change of these changes what existing DAGs do: say so in the changelog."""
    signature = inspect.signature(DynamoDBVerifyOperator.__init__).parameters
    defaults = {
        name: parameter.default
        for name, parameter in signature.items()
        if parameter.default is not inspect.Parameter.empty
    }

    assert defaults == {
        "import_format": None,
        "format_options": None,
        "read_throughput_ratio": 0.25,
        "consistent_read": False,
        "allow_other_items": False,
        "on_difference": "fail",
        "differences_s3_uri": None,
        "maximum_differences": 100,
    }


def test_templated_fields():
    assert set(DynamoDBVerifyOperator.template_fields) == {
        "aws_conn_id",
        "region_name",
        "verify",
        "table_name",
        "s3_uri",
        "import_format",
        "format_options",
        "read_throughput_ratio",
        "on_difference",
        "differences_s3_uri",
    }
    operator = _operator()
    assert all(hasattr(operator, field) for field in operator.template_fields)


def test_the_report_is_a_plain_dictionary(engine):
    result = _execute(_operator())

    assert json.loads(json.dumps(result)) == result
    assert result["equal"] == 20
    assert result["differences"] == 0


def test_arguments_reach_the_engine(engine):
    _execute(
        _operator(
            s3_uri="s3://bucket//p/",
            import_format="CSV",
            format_options={"delimiter": ";"},
            read_throughput_ratio="0.5",
            consistent_read=True,
            allow_other_items=True,
            differences_s3_uri="s3://bucket/d/",
            maximum_differences=3,
        )
    )

    (request,) = engine.requests
    assert request.s3_uri == "s3://bucket/p"
    assert request.import_format == "CSV"
    assert request.format_options == {"delimiter": ";"}
    assert request.read_throughput_ratio == 0.5
    assert request.consistent_read is True
    assert request.partial is True
    assert request.differences == S3Prefix("bucket", "d")
    assert request.maximum_differences == 3


def test_the_identity_is_that_of_the_task_instance(engine):
    for _ in range(2):
        _execute(_operator())

    first, second = engine.requests
    assert first.verification_id == second.verification_id
    assert len(first.verification_id) == 36


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"table_name": "a/b"}, "table_name: 'a/b' is neither"),
        ({"s3_uri": "/tmp/x"}, "s3_uri: '/tmp/x' is not an S3 URI"),
        ({"differences_s3_uri": "x"}, "differences_s3_uri: 'x' is not an S3 URI"),
        ({"import_format": "csv"}, "import_format: 'csv' is unknown; did you mean 'CSV'"),
        ({"on_difference": "warn"}, r"on_difference: 'warn' is unknown\. Known: fail, report"),
        ({"on_difference": "Fail"}, "did you mean 'fail'"),
        ({"read_throughput_ratio": 0}, "read_throughput_ratio: 0 is not"),
        ({"maximum_differences": 0}, "maximum_differences: 0 is not"),
        ({"maximum_differences": "5"}, "maximum_differences: '5' is not"),
        ({"table_name": ARN, "region_name": "us-east-1"}, "'us-east-1' contradicts the ARN"),
    ],
)
def test_wrong_arguments_fail_for_good_with_name_value_and_advice(engine, arguments, message):
    with pytest.raises(AirflowFailException, match=message):
        _execute(_operator(**arguments))
    assert engine.requests == []


@pytest.mark.parametrize("given", [None, "", "None"])
def test_no_list_of_differences_unless_asked_for(engine, given):
    _execute(_operator(differences_s3_uri=given))

    assert engine.requests[0].differences is None


def test_differences_fail_the_task_for_good_with_counts_and_keys(engine):
    engine.outcome = DIFFERENT

    with pytest.raises(AirflowFailException) as raised:
        _execute(_operator())

    assert str(raised.value) == (
        f"{ARN} and s3://bucket/p differ in 1 place: 1 item is only in the table; 19 items are "
        'equal. First: only in table {"id": {"S": "Zürich"}}. All are listed in '
        "s3://bucket/d/differences_x.jsonl."
    )


def test_differences_can_be_left_to_the_reader_of_the_report(engine):
    engine.outcome = DIFFERENT

    result = _execute(_operator(on_difference="report"))

    assert result["differences"] == 1
    assert result["first_differences"] == DIFFERENT.first_differences


def test_a_side_that_cannot_be_read_fails_the_task_but_a_retry_may_help(engine):
    engine.outcome = UpdraftError("There is no table")

    with pytest.raises(AirflowException, match="There is no table") as raised:
        _execute(_operator())
    assert not isinstance(raised.value, AirflowFailException)


def test_an_argument_that_contradicts_the_table_or_the_files_fails_for_good(engine):
    engine.outcome = ArgumentError("columns: the key attribute 'id' is missing")

    with pytest.raises(AirflowFailException, match="columns: the key attribute 'id' is missing"):
        _execute(_operator())


def test_a_killed_task_stops_the_engine(engine):
    operator = _operator()
    operator.on_kill()  # nothing runs yet
    _execute(operator)
    operator.on_kill()

    assert engine.stopped


def _names(lineage):
    return [(dataset.namespace, dataset.name) for dataset in lineage.inputs]


def test_lineage_names_both_as_inputs(engine):
    operator = _operator()
    prefix = ("s3://bucket", "p")
    assert _names(operator.get_openlineage_facets_on_start()) == [prefix]

    _execute(operator)

    table = ("arn:aws:dynamodb:eu-west-1:123456789012", "table/orders")
    for lineage in (
        operator.get_openlineage_facets_on_complete(None),
        operator.get_openlineage_facets_on_failure(None),
    ):
        assert _names(lineage) == [table, prefix]
        assert lineage.outputs == []


def test_lineage_of_a_task_that_found_differences(engine):
    engine.outcome = DIFFERENT
    operator = _operator()
    with pytest.raises(AirflowFailException):
        _execute(operator)

    assert len(operator.get_openlineage_facets_on_failure(None).inputs) == 2


def test_lineage_without_openlineage(engine, monkeypatch):
    monkeypatch.setitem(
        __import__("sys").modules, "updraft.operators.dynamodb_verify_lineage", None
    )

    assert _operator().get_openlineage_facets_on_start() is None
