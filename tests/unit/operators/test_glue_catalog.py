"""The operators of the Data Catalog against a Glue that answers late, or as it is told."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.exceptions import TaskDeferralError, TaskDeferred
from botocore import xform_name

from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks.glue import GlueClientHook
from updraft.operators import glue_base, glue_column_statistics_runs, glue_crawler
from updraft.operators.glue_column_statistics import GlueColumnStatisticsOperator
from updraft.operators.glue_crawler import GlueCrawlerOperator
from updraft.operators.glue_data_quality import GlueDataQualityRulesetRunOperator
from updraft.operators.glue_workflow import GlueWorkflowRunOperator
from updraft.operators.kill_switch import TaskStoppedError
from updraft.resource_owner import ResourceOwner

BEGUN = datetime.now(UTC) - timedelta(minutes=5)


class Crawler:
    """A crawler whose crawls are listed some looks after their start."""

    conn_partition, conn_region_name, account_id = "aws", "eu-west-1", "1"

    def __init__(self, *crawls, lag=0, running=2):
        self.crawls = list(crawls)
        self.lag = lag
        self.running = running
        self.tags = {}
        self.calls = []
        self.looks_until = 0
        self.looks_after = 0
        self.is_stopped = False

    def request(self, operation, resource, **parameters):
        self.calls.append(operation)
        return getattr(self, xform_name(operation))(**parameters) or {}

    def pages(self, *_, **__):
        return []

    def get_tags(self, **_):
        return {"Tags": dict(self.tags)}

    def tag_resource(self, **request):
        self.tags.update(request["TagsToAdd"])

    def get_crawler(self, **_):
        self.looks_until = max(self.looks_until - 1, 0)
        return {"Crawler": {"State": "RUNNING" if self.looks_until else "READY"}}

    def list_crawls(self, **_):
        if self.looks_after:
            self.looks_after -= 1
            return {"Crawls": self.crawls[:-1]}
        if self.crawls and not self.looks_until:
            self.crawls[-1]["State"] = "COMPLETED"
        return {"Crawls": list(self.crawls)}

    def start_crawler(self, **_):
        number = len(self.crawls) + 1
        self.crawls.append(_crawl(number, "RUNNING"))
        self.looks_until, self.looks_after = self.running, self.lag

    def stop_crawler(self, **_):
        if self.is_stopped:
            raise ServiceError("it is stopping", "CrawlerStoppingException")
        self.is_stopped = True


def _crawl(number, state):
    return {
        "CrawlId": f"crawl-{number}",
        "State": state,
        "StartTime": datetime(2026, 1, number, tzinfo=UTC),
    }


@pytest.fixture
def pauses(monkeypatch):
    seen = []
    clock = SimpleNamespace(sleep=seen.append, time=time.time)
    for module in (glue_base, glue_crawler, glue_column_statistics_runs):
        monkeypatch.setattr(module, "time", clock)
    return seen


def _context(attempt=1, retries=2):
    instance = SimpleNamespace(
        dag_id="d",
        run_id="r",
        task_id="t",
        map_index=-1,
        try_number=attempt,
        max_tries=retries,
        task=SimpleNamespace(retries=retries),
    )
    return {"ti": instance, "dag_run": SimpleNamespace(start_date=BEGUN)}


def _with_glue(kind, glue, **arguments):
    operator = kind(task_id="t", poll_interval=30, **{"deferrable": False, **arguments})
    operator.__dict__["hook"] = glue
    return operator


def _crawler_task(glue, **arguments):
    return _with_glue(GlueCrawlerOperator, glue, crawler_name="c", **arguments)


@pytest.mark.parametrize("running", [1, 4])
@pytest.mark.parametrize("lag", [0, 2, 8])
def test_a_crawl_that_is_listed_late_is_made_once(pauses, lag, running):
    glue = Crawler(_crawl(1, "COMPLETED"), lag=lag, running=running)
    assert _crawler_task(glue).begin(_context())["crawl_id"] == "crawl-2"
    assert glue.calls.count("StartCrawler") == 1


def test_a_crawl_that_is_not_listed_is_the_tasks_own_while_the_crawler_runs(pauses):
    glue = Crawler(_crawl(1, "COMPLETED"), lag=99, running=99)
    operator = _crawler_task(glue)
    operator.deferrable = True
    operator.__dict__["region_name"] = "eu-west-1"
    deferral = operator.begin(_context())
    assert (deferral.trigger.own, deferral.trigger.after) == (True, "crawl-1")
    event = {"own": True, "after": "crawl-1", "give_up_at": deferral.trigger.give_up_at}
    again = operator.go_on(_context(), event)
    assert (again.trigger.own, again.trigger.after) == (True, "crawl-1")
    assert glue.calls.count("StartCrawler") == 1
    operator.on_kill()
    assert glue.calls[-1] == "StopCrawler"


def test_a_crawl_that_is_never_listed_is_an_error_after_pauses(pauses):
    glue = Crawler(_crawl(1, "COMPLETED"), lag=999, running=1)
    with pytest.raises(glue_crawler.UpdraftError, match="lists no crawl since it was started"):
        _crawler_task(glue).begin(_context())
    assert glue.calls.count("StartCrawler") == 1
    assert pauses == [1] * 10 + [30] * 10


@pytest.mark.parametrize(("attempt", "stopped"), [(1, 0), (2, 0), (3, 1)])
def test_when_the_trigger_fails_the_last_attempt_ends_its_crawl(pauses, attempt, stopped):
    glue = Crawler(_crawl(1, "COMPLETED"), running=99)
    operator = _crawler_task(glue)
    operator.deferrable = True
    with pytest.raises(TaskDeferred):
        operator.execute(_context())
    operator = _crawler_task(glue)
    with pytest.raises(TaskDeferralError):
        operator.resume_execution("__fail__", {"error": "no"}, _context(attempt))
    assert glue.calls.count("StopCrawler") == stopped


def test_triggers_that_cannot_look_let_the_task_wait_in_its_slot(pauses):
    glue = Crawler(_crawl(1, "COMPLETED"), running=4)
    operator = _crawler_task(glue)
    operator.deferrable = True
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute(_context())
    event = {"status": "error", "message": "no", **deferred.value.trigger.serialize()[1]}
    with pytest.raises(TaskDeferred) as deferred:
        operator.execute_complete(_context(), {**event, "errors": 2})
    assert deferred.value.trigger.errors == 2
    result = operator.execute_complete(_context(), {**event, "errors": 3})
    assert result["crawl_id"] == "crawl-2"


def _stops_during(operator, glue, look):
    """Tell a task to stop while Glue answers a call."""
    answered = getattr(glue, look)

    def told(**parameters):
        operator.on_kill()
        return answered(**parameters)

    setattr(glue, look, told)


@pytest.mark.parametrize("look", ["get_tags", "get_crawler", "list_crawls"])
def test_a_task_that_is_told_to_stop_while_it_adopts_a_crawl_stops_it(pauses, look):
    glue = Crawler(_crawl(1, "COMPLETED"), running=99)
    first = _crawler_task(glue, deferrable=True)
    deferral = first.begin(_context())
    retry = _crawler_task(glue, deferrable=True)
    _stops_during(retry, glue, look)
    with pytest.raises(TaskStoppedError):
        retry.begin(_context(attempt=2))
    assert glue.calls.count("StopCrawler") == 1
    assert deferral.trigger.own


def test_a_task_that_is_told_to_stop_while_it_is_resumed_stops_its_crawl(pauses, caplog):
    glue = Crawler(_crawl(1, "COMPLETED"), running=99)
    deferral = _crawler_task(glue, deferrable=True).begin(_context())
    resumed = _crawler_task(glue, deferrable=True)
    resumed.on_kill()
    assert "StopCrawler" not in glue.calls
    with pytest.raises(TaskStoppedError):
        resumed.go_on(_context(), deferral.trigger.serialize()[1])
    assert glue.calls.count("StopCrawler") == 1
    resumed.stop()  # once more, as after a call that the signal came in the middle of
    assert "may go on" not in caplog.text


def test_a_task_that_is_told_to_stop_leaves_the_crawl_of_somebody_else(pauses):
    glue = Crawler(_crawl(1, "COMPLETED"), running=99)
    glue.start_crawler()
    operator = _crawler_task(glue, deferrable=True)
    _stops_during(operator, glue, "list_crawls")
    operator.begin(_context())
    assert "StopCrawler" not in glue.calls


class Workflow:
    """A workflow with a run that goes on."""

    conn_partition, conn_region_name = "aws", "eu-west-1"

    def __init__(self):
        self.calls = []
        self.while_listing = lambda: None

    def request(self, operation, resource, **parameters):
        self.calls.append(operation)
        return {"Run": {"WorkflowRunId": "wr_1", "Status": "RUNNING"}}

    def pages(self, *_, **__):
        self.while_listing()
        owner = ResourceOwner.of(_context())
        properties = owner.tags()
        yield {"WorkflowRunId": "wr_1", "Status": "RUNNING", "WorkflowRunProperties": properties}


def test_a_task_that_is_told_to_stop_while_it_adopts_a_workflow_run_stops_it():
    glue = Workflow()
    operator = _with_glue(GlueWorkflowRunOperator, glue, workflow_name="w", deferrable=True)
    glue.while_listing = operator.on_kill
    with pytest.raises(TaskStoppedError):
        operator.begin(_context(attempt=2))
    assert glue.calls == ["StopWorkflowRun"]


def test_a_task_that_is_told_to_stop_while_it_is_resumed_stops_its_evaluation():
    glue = Workflow()
    operator = _with_glue(
        GlueDataQualityRulesetRunOperator,
        glue,
        database_name="d",
        table_name="t",
        ruleset_names=["r"],
        role="r",
    )
    operator.on_kill()
    assert glue.calls == []
    with pytest.raises(TaskStoppedError):
        operator.go_on(_context(), {"evaluation_run_id": "dqrun-1", "give_up_at": time.time() + 9})
    assert glue.calls == ["CancelDataQualityRulesetEvaluationRun"]


class Statistics:
    """Runs about one table with two columns that statistics exist for."""

    conn_partition, conn_region_name = "aws", "eu-west-1"

    def __init__(self, *runs, refusals=(), clock_difference=timedelta()):
        self.clock_difference = clock_difference
        self.runs = list(runs)
        self.while_listing = lambda: None
        self.refusals = list(refusals)
        self.calls = []

    def request_once(self, operation, resource, **parameters):
        return self.request(operation, resource, **parameters)

    def request(self, operation, resource, **parameters):
        self.calls.append(operation)
        if operation == "GetTable":
            types = {"a": "int", "B": "string", "c": "array<int>"}
            columns = [{"Name": name, "Type": kind} for name, kind in types.items()]
            return {"Table": {"StorageDescriptor": {"Columns": columns}}}
        if operation == "StartColumnStatisticsTaskRun":
            if self.refusals:
                raise self.refusals.pop(0)
            return {"ColumnStatisticsTaskRunId": "new"}
        if operation == "GetColumnStatisticsTaskRun":
            return {"ColumnStatisticsTaskRun": {**parameters, "Status": "RUNNING"}}
        return {}

    def pages(self, operation, *_, **__):
        self.while_listing()
        return list(self.runs)


def _statistics_run(age=60, **others):
    return {
        "ColumnStatisticsTaskRunId": "old",
        "Status": "RUNNING",
        "CreationTime": datetime.now(UTC) - timedelta(seconds=age),
        **others,
    }


def _running():
    return ServiceError("one goes on", "ColumnStatisticsTaskRunningException")


def _lost():
    return ServiceError("there was no answer")


def _statistics_task(glue, **arguments):
    return _with_glue(
        GlueColumnStatisticsOperator,
        glue,
        database_name="d",
        role="r",
        table_names="t",
        **arguments,
    )


@pytest.mark.parametrize(
    ("wanted", "computed", "same"),
    [
        (None, None, True),
        (None, ["a", "b"], True),
        (None, ["a"], False),
        (["a"], None, True),
        (["A"], ["a", "b"], True),
        (["a", "b"], ["a"], False),
    ],
)
def test_a_run_is_the_same_if_it_computes_as_much(wanted, computed, same):
    operator = _statistics_task(Statistics(), column_names=wanted)
    assert operator._runs.is_same(_statistics_run(ColumnNameList=computed), "t") is same


@pytest.mark.parametrize(
    ("age", "refusal", "ahead", "stopped"),
    [
        pytest.param(60, _running(), 0, 0, id="an old one"),
        pytest.param(60, _lost(), 0, 0, id="an old one, found after a lost answer"),
        pytest.param(-1, _running(), 0, 0, id="somebody was faster"),
        pytest.param(-1, _lost(), 0, 1, id="the answer was lost"),
        pytest.param(7, _lost(), -8, 1, id="the answer was lost, and AWS's clock is behind"),
        pytest.param(-9, _lost(), 60, 0, id="an old one, and AWS's clock is ahead"),
    ],
)
def test_a_run_that_somebody_else_began_is_not_stopped(pauses, age, refusal, ahead, stopped):
    glue = Statistics(
        _statistics_run(age),
        refusals=[refusal],
        clock_difference=timedelta(seconds=ahead),
    )
    operator = _statistics_task(glue)
    operator.deferrable = True
    deferral = operator.begin(_context())
    assert deferral.trigger.runs == {"t": "old"}
    assert len(deferral.trigger.own) == stopped
    operator.on_kill()
    assert glue.calls.count("StopColumnStatisticsTaskRun") == stopped


@pytest.mark.parametrize(("age", "found"), [(-1, "old"), (60, "new")])
def test_a_run_that_ended_before_the_task_heard_of_it_is_not_repeated(pauses, age, found):
    glue = Statistics(_statistics_run(age, Status="SUCCEEDED"), refusals=[_lost()])
    deferral = _statistics_task(glue, deferrable=True).begin(_context())
    assert deferral.trigger.runs == {"t": found}
    assert deferral.trigger.own == ["t"]


def test_a_run_in_the_way_after_a_lost_answer_is_the_tasks_own(pauses):
    """Glue may list a run later than it refuses another one."""
    glue = Statistics(refusals=[_lost(), _running()])
    looks = []

    def appear():
        looks.append(1)
        if len(looks) == 2:
            glue.runs.append(_statistics_run(age=-1))

    glue.while_listing = appear
    deferral = _statistics_task(glue, deferrable=True).begin(_context())
    assert (deferral.trigger.runs, deferral.trigger.own) == ({"t": "old"}, ["t"])


@pytest.mark.parametrize(
    ("age", "ahead", "adopted"),
    [(-1, 0, True), (2, 0, False), (7, -8, True), (-9, 60, False)],
    ids=["own", "before", "AWS's clock is behind", "AWS's clock is ahead"],
)
def test_a_retry_takes_what_began_since_the_dag_run_did(pauses, age, ahead, adopted):
    glue = Statistics(_statistics_run(age), clock_difference=timedelta(seconds=ahead))
    context = _context(attempt=2)
    context["dag_run"].start_date = datetime.now(UTC)
    deferral = _statistics_task(glue, deferrable=True).begin(context)
    assert (deferral.trigger.runs["t"] == "old") is adopted
    assert deferral.trigger.own == ["t"]


@pytest.mark.parametrize("status", ["RUNNING", "SUCCEEDED"])
def test_a_dag_run_without_a_start_has_runs_since_it_was_due(pauses, status):
    glue = Statistics(_statistics_run(age=60, Status=status))
    context = _context(attempt=2)
    context["dag_run"] = SimpleNamespace(start_date=None, run_after=BEGUN)
    deferral = _statistics_task(glue, deferrable=True).begin(context)
    # What has ended may be the result of another DAG run, and is computed anew.
    assert deferral.trigger.runs == {"t": "old" if status == "RUNNING" else "new"}
    assert deferral.trigger.own == ["t"]


def test_a_task_that_is_told_to_stop_while_it_adopts_statistics_stops_them(pauses):
    glue = Statistics(_statistics_run(age=60))
    operator = _statistics_task(glue, deferrable=True)
    glue.while_listing = operator.on_kill
    with pytest.raises(TaskStoppedError):
        operator.begin(_context(attempt=2))
    assert glue.calls == ["StopColumnStatisticsTaskRun"]


@pytest.mark.parametrize("headers", [{}, {"date": "soon"}])
def test_an_answer_without_a_time_changes_nothing(headers):
    hook = GlueClientHook(aws_conn_id=None)
    hook._compare_clocks({"date": "Mon, 01 Jan 2024 00:00:00 GMT"})
    measured = hook.clock_difference
    assert measured < -timedelta(days=300)
    hook._compare_clocks(headers)
    assert hook.clock_difference == measured


def test_a_run_in_the_way_that_ends_again_and_again_is_not_chased(pauses):
    glue = Statistics(refusals=[_running()] * 9)
    operator = _statistics_task(glue)
    operator.deferrable = True
    deferral = operator.begin(_context())
    assert (deferral.trigger.runs, deferral.trigger.progress["waiting"]) == ({}, ["t"])
    assert glue.calls.count("StartColumnStatisticsTaskRun") == 5
    assert pauses == [1, 2, 4, 8]


def test_what_is_wrong_when_the_work_is_looked_for_does_not_hide_the_failure():
    glue = Crawler()
    glue.get_tags = _refuse
    operator = _crawler_task(glue)
    with pytest.raises(TaskDeferralError):
        operator.resume_execution("__fail__", {"error": "no"}, _context(3))


def _refuse(**_):
    raise ServiceError("not permitted", "AccessDeniedException")
