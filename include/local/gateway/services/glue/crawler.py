"""Crawlers, which really read S3 and write tables into the Data Catalog.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/crawler-running.html
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from include.local.gateway.errors import AwsError
from include.local.gateway.handlers import Operation, OperationRequest
from include.local.gateway.services.glue.background import States, Work, Works
from include.local.gateway.services.glue.catalog import moto_backend

_STATES = States(succeeded="COMPLETED")
_STOPPING = timedelta(seconds=0.5)  # a crawler is not ready as soon as its crawl has ended
_LOG_GROUP = "/aws-glue/crawlers"
_PAGE = 20


class Crawlers:
    """Runs crawlers; moto keeps what they are.

    :param endpoint_url: address of the gateway.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._works = Works()

    def operations(self) -> Mapping[str, Operation]:
        """Name the operations.

        :returns: function by operation.
        """
        return {
            "GetCrawler": lambda request: {"Crawler": self._described(request)},
            "GetCrawlers": self._list_crawlers,
            "ListCrawls": self._list_crawls,
            "StartCrawler": self.start,
            "StopCrawler": self._stop,
        }

    def start(self, request: OperationRequest) -> Mapping[str, Any]:
        """Start a crawler.

        :param request: with its ``Name``.
        :returns: nothing.
        :raises AwsError: when there is none, or it is running.
        """
        crawler = self._described(request)
        work = Work(request.region, crawler["Name"], states=_STATES)
        if crawler["State"] != "READY" or not self._works.start(work, self._crawl):
            raise AwsError(
                "CrawlerRunningException",
                f"Crawler with name {crawler['Name']} has already started",
            )
        return {}

    def latest(self, region: str, name: str) -> Work | None:
        """Find the latest crawl of a crawler.

        :param region: its Region.
        :param name: its name.
        :returns: the crawl, None when there was none.
        """
        return next(self._works.about(region, name), None)

    def stop(self, work: Work) -> None:
        """Stop a crawl.

        :param work: the crawl.
        """
        self._works.stop(work)

    def _crawl(self, work: Work) -> None:
        # pyarrow is not loaded before somebody needs it.
        from include.local.gateway.services.glue.crawling import Crawl  # noqa: PLC0415

        definition = moto_backend(work.region).get_crawler(work.subject).as_dict()
        changes = Crawl(self._endpoint_url, work.region, definition, work.stop_asked).run()
        work.details["summary"] = changes

    def _stop(self, request: OperationRequest) -> Mapping[str, Any]:
        crawler = self._described(request)
        work = self.latest(request.region, crawler["Name"])
        if work is None or not work.goes_on:
            raise AwsError(
                "CrawlerNotRunningException", f"Crawler {crawler['Name']} is not running"
            )
        if work.stop_asked.is_set():
            raise AwsError("CrawlerStoppingException", f"Crawler {crawler['Name']} is stopping")
        self._works.stop(work)
        return {}

    def _described(self, request: OperationRequest, name: str | None = None) -> dict[str, Any]:
        name = name or request.parameters["Name"]
        backend = moto_backend(request.region)
        if name not in backend.crawlers:
            raise AwsError("EntityNotFoundException", f"Crawler entry with name {name} not found")
        described: dict[str, Any] = backend.get_crawler(name).as_dict()
        described.pop("LastCrawl", None)
        described["State"] = "READY"
        for work in self._works.about(request.region, name):
            if work.ended is None:
                described["State"] = "STOPPING" if work.stop_asked.is_set() else "RUNNING"
                continue
            if described["State"] == "READY" and datetime.now(UTC) - work.ended < _STOPPING:
                described["State"] = "STOPPING"
            described["LastCrawl"] = {
                "Status": {"COMPLETED": "SUCCEEDED", "STOPPED": "CANCELLED"}.get(
                    work.state, work.state
                ),
                "LogGroup": _LOG_GROUP,
                "LogStream": name,
                "MessagePrefix": work.id,
                "StartTime": work.started,
                **({"ErrorMessage": work.error} if work.error else {}),
            }
            break
        return described

    def _list_crawlers(self, request: OperationRequest) -> Mapping[str, Any]:
        names = list(moto_backend(request.region).crawlers)
        return {"Crawlers": [self._described(request, name) for name in names]}

    def _list_crawls(self, request: OperationRequest) -> Mapping[str, Any]:
        given = request.parameters
        if given.get("Filters"):
            raise AwsError(
                "InvalidInputException", "The local stack has no filters for ListCrawls", 501
            )
        name = given["CrawlerName"]
        self._described(request, name)
        works = list(self._works.about(request.region, name))
        start, size = int(given.get("NextToken", 0)), given.get("MaxResults", _PAGE)
        page: dict[str, Any] = {"Crawls": [_members(w) for w in works[start : start + size]]}
        if start + size < len(works):
            page["NextToken"] = str(start + size)
        return page


def _members(work: Work) -> dict[str, Any]:
    """Give a crawl as ListCrawls returns it."""
    members = {
        "CrawlId": work.id,
        "State": work.state if work.ended else "RUNNING",
        "StartTime": work.started,
        "LogGroup": _LOG_GROUP,
        "LogStream": work.subject,
        "MessagePrefix": work.id,
        "DPUHour": 0.0,
    }
    if work.ended is not None:
        members["EndTime"] = work.ended
        members["Summary"] = json.dumps(
            {kind: json.dumps(changes) for kind, changes in work.details.get("summary", {}).items()}
        )
    if work.error is not None:
        members["ErrorMessage"] = work.error
    return members
