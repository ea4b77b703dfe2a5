import json
from types import SimpleNamespace

import pytest
from airflow.exceptions import TaskDeferred

from updraft.compat import AirflowException
from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks.redshift_data import RedshiftStatementsHook
from updraft.lineage.local_outbox import LocalOutbox
from updraft.operators import redshift_history_harvest, redshift_lookups
from updraft.operators.redshift_query_harvest import HarvestRedshiftQueriesOperator

COLUMNS = ("database_name", "schema_name", "table_name", "column_name", "data_type")
HISTORY = ("query_id", "query_type", "status", "start_time", "end_time", "error_message")
NOW = "2026-11-20 10:30:00"
QUERY = (
    *(7, "MERGE", "success", "2026-11-20 10:00:00", "2026-11-20 10:01:00", ""),
    "merge into t using s on t.a = s.a when matched then update set b = s.b",
)


class DataApi:
    """The Data API, whose statements go on until they are told to end."""

    def __init__(self) -> None:
        self.statements: dict[str, dict] = {}
        self.cancelled: list[str] = []
        self.refusals: list[Exception] = []
        self.history = [QUERY]

    def request(self, operation: str, resource: str, **members) -> dict:
        answer: dict = getattr(self, operation)(**members)
        return answer

    def ExecuteStatement(self, ClientToken, Sql, StatementName, **_) -> dict:  # noqa: N802, N803
        if self.refusals:
            raise self.refusals.pop()
        new = {"Id": ClientToken, "Status": "STARTED", "QueryString": Sql}
        return self.statements.setdefault(ClientToken, {**new, "StatementName": StatementName})

    def ListStatements(self, **_) -> dict:  # noqa: N802
        return {"Statements": list(self.statements.values())}

    def DescribeStatement(self, Id) -> dict:  # noqa: N802, N803
        return self.statements[Id]

    def CancelStatement(self, Id) -> dict:  # noqa: N802, N803
        self.cancelled.append(Id)
        self.statements[Id]["Status"] = "ABORTED"
        return {}

    def GetStatementResult(self, Id, **_) -> dict:  # noqa: N802, N803
        sql = self.statements[Id]["QueryString"]
        names, rows = ("now",), [(NOW,)]
        if "sys_query_history" in sql:
            names, rows = (*HISTORY, "query_text"), self.history
        if "svv_all_columns" in sql:
            names = COLUMNS
            rows = [("dev", "public", t, c, "int") for t in "ts" for c in "ab"]
        return {
            "ColumnMetadata": [{"name": name, "typeName": "varchar"} for name in names],
            "Records": [[{"stringValue": str(value)} for value in row] for row in rows],
        }

    def end(self) -> None:
        for one in self.statements.values():
            if one["Status"] == "STARTED":
                one["Status"] = "FINISHED"


@pytest.fixture
def api(monkeypatch) -> DataApi:
    api = DataApi()
    monkeypatch.setattr(RedshiftStatementsHook, "request", lambda _, *a, **m: api.request(*a, **m))
    monkeypatch.setattr(redshift_lookups, "_FIRST_LOOKS", (0.0,))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return api


def operator(tmp_path, **more) -> HarvestRedshiftQueriesOperator:
    return HarvestRedshiftQueriesOperator(
        task_id="harvest",
        aws_conn_id=None,
        cluster_identifier="warehouse",
        db_user="lineage",
        outbox_uri=tmp_path.as_uri(),
        look_back_hours=4,
        **more,
    )


def context(attempt: int = 1) -> dict:
    instance = SimpleNamespace(
        dag_id="d", task_id="t", run_id="r", map_index=-1, try_number=attempt, max_tries=2
    )
    return {"ti": instance, "dag_run": SimpleNamespace(start_date=None)}


def deferral(work) -> TaskDeferred:
    with pytest.raises(TaskDeferred) as deferred:
        work()
    return deferred.value


def resumed(task, deferred: TaskDeferred, status: str = "success", attempt: int = 1):
    """Let a new process go on, which knows what the database of Airflow keeps."""
    kwargs = json.loads(json.dumps(deferred.kwargs))
    trigger = deferred.trigger
    event = {"status": status, "statement_id": trigger.statement_id, "errors": trigger.errors}
    event["give_up_at"] = trigger.give_up_at
    return task.execute_complete(context(attempt), event, **kwargs)


def test_each_answer_is_waited_for_without_a_slot_and_asked_for_once(api, tmp_path):
    waits = deferral(lambda: operator(tmp_path).execute(context()))
    for _ in ("the history", "the columns"):
        api.end()
        waits = deferral(lambda before=waits: resumed(operator(tmp_path), before))
    api.end()
    asked = len(api.statements)
    assert resumed(operator(tmp_path), waits) == {
        "queries": 1, "without_lineage": 0, "stored": 2, "duplicates": 0,
    }  # fmt: skip
    assert len(list(LocalOutbox(tmp_path).event_names())) == 2
    # The next attempt finds the time that was asked for, and asks for the overlap alone.
    waits = deferral(lambda: operator(tmp_path).execute(context(2)))
    assert len(api.statements) - asked == 1
    api.end()
    assert resumed(operator(tmp_path), waits, attempt=2)["stored"] == 0


def test_an_interruption_neither_loses_nor_repeats_queries(api, tmp_path, monkeypatch):
    monkeypatch.setattr(redshift_history_harvest, "_AT_ONCE", 1)
    api.history = [
        (number, *QUERY[1:-1], f"copy t{number} from 's3://lake/{number}' iam_role default")
        for number in range(4)
    ]
    waits = deferral(lambda: operator(tmp_path).execute(context()))
    for _ in ("the history", *api.history):
        api.end()
        waits = deferral(lambda before=waits: resumed(operator(tmp_path), before))
    api.end()
    counts = resumed(operator(tmp_path), waits)
    assert (counts["queries"], counts["stored"], counts["duplicates"]) == (4, 8, 0)
    assert len(api.statements) == 2 + len(api.history)


def test_what_goes_on_is_found_by_a_retry_and_cancelled_by_a_user(api, tmp_path):
    first = deferral(lambda: operator(tmp_path).execute(context()))
    task = operator(tmp_path)
    second = deferral(lambda: task.execute(context(2)))
    assert second.trigger.statement_id == first.trigger.statement_id
    task.on_kill()
    assert api.cancelled == [first.trigger.statement_id]
    with pytest.raises(AirflowException, match=r"failed: ABORTED It reads: SELECT getdate"):
        resumed(operator(tmp_path), second, attempt=2)
    third = deferral(lambda: operator(tmp_path).execute(context(3)))
    assert third.trigger.statement_id not in api.cancelled
    operator(tmp_path).stop_after_trigger(context(3))
    assert api.cancelled[1:] == [third.trigger.statement_id]


def test_a_user_who_ends_the_task_leaves_no_events_without_columns(api, tmp_path, monkeypatch):
    waits = deferral(lambda: operator(tmp_path).execute(context()))
    api.end()
    waits = deferral(lambda: resumed(operator(tmp_path), waits))
    api.end()
    task = operator(tmp_path)
    describe = api.DescribeStatement
    # The signal comes while the task looks at its query for the columns of the tables.
    monkeypatch.setattr(api, "DescribeStatement", lambda **m: task.on_kill() or describe(**m))
    with pytest.raises(AirflowException, match="ABORTED"):
        resumed(task, waits)
    assert list(LocalOutbox(tmp_path).event_names()) == []


def test_room_is_waited_for_and_what_does_not_end_is_cancelled(api, tmp_path):
    api.refusals = [ServiceError("Too many.", "ActiveStatementsExceededException")]
    waits = deferral(lambda: operator(tmp_path).execute(context()))
    assert waits.trigger.statement_id is None
    begun = deferral(lambda: resumed(operator(tmp_path), waits))
    begun.trigger.give_up_at = 0.0
    with pytest.raises(AirflowException, match="has not ended in time and was cancelled"):
        resumed(operator(tmp_path), begun, "timeout")
    assert api.cancelled == [begun.trigger.statement_id]
