import json
from datetime import UTC, datetime, timedelta

import pytest
from airflow.exceptions import TaskDeferred

from updraft.dynamodb.service_errors import ServiceError
from updraft.hooks.glue import GlueClientHook
from updraft.lineage.local_outbox import LocalOutbox
from updraft.operators.glue_crawl_harvest import HarvestGlueCrawlsOperator

NOW = datetime.now(UTC)
THROTTLED = ServiceError("Too much.", "ThrottlingException")


@pytest.fixture
def glue(monkeypatch) -> dict[str, list]:
    """Answers of Glue that are not the usual ones, by operation and name."""
    odd: dict[str, list] = {}

    def request(_, operation, resource, **members):
        name = members.get("Name") or members.get("CrawlerName") or members.get("DatabaseName")
        if odd.get(f"{operation} {name}"):
            answer = odd[f"{operation} {name}"].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        crawl = {"CrawlId": f"of {name}", "State": "COMPLETED"}
        crawl |= {"StartTime": NOW - timedelta(minutes=9), "EndTime": NOW - timedelta(minutes=5)}
        table = {"Name": "t", "UpdateTime": NOW - timedelta(minutes=6)}
        table["Parameters"] = {"UPDATED_BY_CRAWLER": name}
        table["StorageDescriptor"] = {"Location": f"s3://lake/{name}/", "Columns": []}
        return {
            "GetCrawler": {"Crawler": {"Name": name, "State": "READY", "DatabaseName": name}},
            "ListCrawls": {"Crawls": [crawl]},
            "GetTables": {"TableList": [table]},
        }[operation]

    monkeypatch.setattr(GlueClientHook, "request", request)
    monkeypatch.setattr(GlueClientHook, "account_id", "123456789012")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return odd


def test_what_is_waited_for_needs_no_slot_and_repeats_no_crawler(glue, tmp_path):
    glue["GetTables b"] = [THROTTLED]
    running = {"Name": "c", "State": "RUNNING", "DatabaseName": "c"}
    glue["GetCrawler c"] = [{"Crawler": running}]

    def task():
        return HarvestGlueCrawlsOperator(
            task_id="harvest",
            aws_conn_id=None,
            crawlers="a, b, c",
            outbox_uri=tmp_path.as_uri(),
            wait_for_running="True",
        )

    with pytest.raises(TaskDeferred) as throttled:
        task().execute({})
    assert 7 <= throttled.value.trigger.seconds <= 15
    glue["ListCrawls a"] = [AssertionError("crawler a was done")]
    kept = json.loads(json.dumps(throttled.value.kwargs))
    with pytest.raises(TaskDeferred) as waiting:
        task().execute_complete({}, {"status": "success"}, **kept)
    assert waiting.value.trigger.crawler_name == "c"
    kept = json.loads(json.dumps(waiting.value.kwargs))
    counts = task().execute_complete({}, {"status": "success"}, **kept)
    assert counts == {
        "crawlers": 3, "crawls": 3, "tables": 3, "without_source": 0, "stored": 6, "duplicates": 0,
    }  # fmt: skip
    assert len(list(LocalOutbox(tmp_path).event_names())) == 6
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
