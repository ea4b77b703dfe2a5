"""Lineage out of the history of a crawler that somebody else has started."""

import json
import time
import uuid

import boto3
import pytest

from tests.integration.glue_tasks import finish_counting
from tests.integration.permission_proxy import Policy, permission_proxy
from updraft.hooks.glue import GlueClientHook
from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.validation import problems
from updraft.operators.glue_crawl_harvest import HarvestGlueCrawlsOperator

pytestmark = pytest.mark.integration


def test_what_a_crawl_has_changed_arrives_once(local_stack, tmp_path, monkeypatch):
    for name, value in local_stack.environment.items():
        monkeypatch.setenv(name, value)
    s3, glue = (boto3.client(service, region_name="us-east-1") for service in ("s3", "glue"))
    name = f"lake-{uuid.uuid4()}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="data/customers/a.csv", Body=b"number,name\n1,Ada\n")
    s3.put_object(Bucket=name, Key="data/orders/a.csv", Body=b"order,sum\n1,2\n")
    glue.create_database(DatabaseInput={"Name": name})
    glue.create_crawler(
        Name=name,
        Role="arn:aws:iam::123456789012:role/glue",
        DatabaseName=name,
        Targets={"S3Targets": [{"Path": f"s3://{name}/data/"}]},
    )
    outbox = LocalOutbox(tmp_path)
    operator = HarvestGlueCrawlsOperator(
        task_id="harvest",
        aws_conn_id=None,
        crawlers=name,
        outbox_uri=outbox.uri,
        wait_for_running=True,
        poll_interval=1,
    )

    account = "arn:aws:glue:us-east-1:123456789012"
    policy = Policy(
        "glue-crawl-history",
        crawler_arn=f"{account}:crawler/{name}",
        catalog_arn=f"{account}:catalog",
        database_arn=f"{account}:database/{name}",
        tables_arn=f"{account}:table/{name}/*",
        connections_arn=f"{account}:connection/*",
    )
    with permission_proxy(local_stack.endpoint_url, policy) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        with monkeypatch.context() as just_before:
            just_before.setattr(GlueClientHook, "request", _after_start(glue, name))
            counts, deferrals = finish_counting(operator, {})
    assert deferrals == 1  # until the crawl had ended
    monkeypatch.setenv("AWS_ENDPOINT_URL", local_stack.endpoint_url)
    assert proxy.denied == []
    # Crawlers are listed where none is named, connections where a table is behind one.
    assert proxy.used == policy.actions - {"glue:GetConnection", "glue:GetCrawlers"}
    assert counts == {
        "crawlers": 1, "crawls": 1, "tables": 2, "without_source": 0, "stored": 4, "duplicates": 0,
    }  # fmt: skip
    found = [json.loads(outbox.read(key)) for key in outbox.event_names()]
    assert [problems(event) for event in found] == [[]] * 4
    edges = {
        (event["inputs"][0]["name"], event["outputs"][0]["name"])
        for event in found
        if event["eventType"] == "COMPLETE"
    }
    assert edges == {(f"data/{it}", f"table/{name}/{it}") for it in ("customers", "orders")}

    assert operator.execute({})["stored"] == 0
    s3.put_object(Bucket=name, Key="data/orders/b.csv", Body=b"order,sum,note\n1,2,x\n")
    s3.delete_object(Bucket=name, Key="data/orders/a.csv")
    time.sleep(2)  # the time at which a table has changed has whole seconds
    _crawl(glue, name, 2)
    assert operator.execute({})["stored"] == 2


def _after_start(glue, name):
    """Start the crawler right before the first call about it, which then finds it running."""
    usual, begun = GlueClientHook.request, []

    def request(self, operation, *arguments, **members):
        if operation == "GetCrawler" and not begun:
            begun.append(glue.start_crawler(Name=name))
        return usual(self, operation, *arguments, **members)

    return request


def _crawl(glue, name, number):
    deadline = time.monotonic() + 60
    glue.start_crawler(Name=name)
    while True:
        crawls = glue.list_crawls(CrawlerName=name)["Crawls"]
        ready = glue.get_crawler(Name=name)["Crawler"]["State"] == "READY"
        if ready and len(crawls) == number and crawls[0]["State"] == "COMPLETED":
            return
        assert time.monotonic() < deadline, crawls
        time.sleep(0.3)
