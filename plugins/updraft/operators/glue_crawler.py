"""Runs a crawler of Glue."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.operators.glue_base import LONGEST_WAIT, GlueOperator
from updraft.operators.glue_links import GlueCrawlerLink
from updraft.operators.try_series import try_series
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.triggers.glue_catalog import GlueCrawlTrigger

_SERIES_TAG = "updraft:crawl_series"
_AFTER_TAG = "updraft:crawl_after"
_ATTEMPT_TAG = "updraft:crawl_attempt"
_NONE = "none"  # there was no crawl before
_READY = "READY"
_RUNNING = "RUNNING"
_COMPLETED = "COMPLETED"
_OVER = frozenset({"CrawlerNotRunningException", "CrawlerStoppingException"})
_LAG = 10  # looks, a second apart, for a crawl that has begun but is not listed yet
_MOST_LOOKS = 20  # those after the lag are poll intervals apart


class GlueCrawlerOperator(GlueOperator):
    """Run a crawler and wait for its crawl.

    A crawl has no owner and its start takes no token, but a crawler makes one crawl after the
    other. So before the start, the task writes on the crawler, as tags, who it is and which crawl
    was the last. A retry reads them: the crawl after that one is its own, whether it goes on or has
    completed, and is not repeated. After one that has failed or was stopped a new crawl is made, as
    it is once the task was cleared.

    A crawl that is going on already may have passed by what was written meanwhile. It is waited
    for, and then the task's own begins. A user who ends the task stops its own crawl only.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/webapi/API_CrawlerHistory.html

    :param crawler_name: name of the crawler, which exists. (templated)
    :param kwargs: as of :class:`GlueOperator`. The crawler's targets in S3 and its tables are
        lineage by themselves.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys((*GlueOperator.template_fields, *aws_template_fields("crawler_name")))
    )
    operator_extra_links = (GlueCrawlerLink(),)

    def __init__(self, *, crawler_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crawler_name = crawler_name
        self._crawling = False

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        if not self.crawler_name:
            raise UpdraftError("crawler_name: it is missing")

    def begin(self, context: Context) -> dict[str, Any] | Deferral:
        """Find the crawl of an earlier attempt or start one, and wait for its end.

        :param context: context of the task instance.
        :returns: ``crawl_id``, ``state`` and ``summary`` of what was changed; or what to wait for.
        :raises UpdraftError: when the crawl did not succeed.
        """
        self.persist_console_link(context, GlueCrawlerLink, crawler_name=self.crawler_name)
        return self._advance(context, self._mark(context), _give_up_at())

    def go_on(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any] | Deferral:
        """Look what has become of the crawl.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: as :meth:`begin`.
        :raises UpdraftError: as :meth:`begin`.
        """
        return self._advance(context, event["after"], event["give_up_at"], own=event["own"])

    def find_own(self, context: Context) -> None:
        """Find the crawl that goes on.

        :param context: context of the task instance.
        :raises UpdraftError: when AWS refuses.
        """
        after = self._mark(context)
        crawl = _next_after(self._crawls(), after) if after is not None else None
        self._crawling = crawl is not None and crawl["State"] == _RUNNING

    def stop(self) -> None:
        """Stop the crawl, if it is the task's own."""
        if not self._crawling:
            return
        try:
            self._request("StopCrawler", Name=self.crawler_name)
            self.log.info("Told crawler %s to stop", self.crawler_name)
        except ServiceError as error:
            if error.code in _OVER:
                self.log.info("Crawler %s is being stopped, or has ended", self.crawler_name)
            else:
                self.log.warning("Crawler %s may go on. %s", self.crawler_name, error)

    def _advance(
        self, context: Context, after: str | None, give_up_at: float, *, own: bool = False
    ) -> dict[str, Any] | Deferral:
        """Go on until there is a result.

        :param after: id of the last crawl before the task's own, if the crawler is marked.
        :param own: whether the task has started a crawl after that one, listed or not.
        """
        self._found_going_on(own=own)
        looks = 0
        while True:
            state = self._crawler()["State"]
            crawls = self._crawls()
            crawl = _next_after(crawls, after) if after is not None else None
            if state == _READY and crawl is not None and crawl["State"] != _RUNNING:
                if crawl["State"] == _COMPLETED or not self._is_of_earlier_attempt(context):
                    return self._result(crawl)
                self.log.info(
                    "Crawl %s ended as %s; a new one is made", crawl["CrawlId"], crawl["State"]
                )
                after, crawl, self._crawling = None, None, False
            if state == _READY and crawl is None:
                if self._crawling or looks:
                    looks += 1
                    self._pause(looks)
                if not self._crawling:
                    is_marked = after == _NONE or any(one["CrawlId"] == after for one in crawls)
                    after = self._start(context, crawls, after if is_marked else None)
                    looks = 0 if self._crawling else max(looks, 1)
                continue
            if crawl is not None:
                self._found_going_on(own=crawl["State"] == _RUNNING)
            trigger = GlueCrawlTrigger(
                crawler_name=self.crawler_name,
                after=after,
                own=self._crawling,
                **self.waiting(give_up_at),
            )
            if not self._crawling:
                self.log.info("Waiting for the crawl of somebody else that is going on")
            deferral = self.wait(trigger, f"Crawler {self.crawler_name!r}")
            if deferral is not None:
                return deferral

    def _found_going_on(self, *, own: bool) -> None:
        """Note whether the crawl that goes on is the task's own.

        One that this attempt did not begin is stopped here if ``on_kill`` came before it was known.
        """
        is_news = own and not self._crawling
        self._crawling = own
        if is_news:
            self.kill_switch.check(self.stop)

    def _pause(self, looks: int) -> None:
        """Wait until a crawl that was started is listed."""
        if looks > _MOST_LOOKS:
            raise UpdraftError(
                f"Crawler {self.crawler_name!r} is ready, but Glue lists no crawl since it was "
                "started. Look at its runs in the console; a retry of this task looks again."
            )
        time.sleep(1 if looks <= _LAG else self.poll_interval)

    def _start(self, context: Context, crawls: list[dict[str, Any]], after: str | None) -> str:
        """Start the crawler, and say which crawl was the last one before."""
        if after is None:
            after = crawls[0]["CrawlId"] if crawls else _NONE
            owner = ResourceOwner.of(context)
            tags = {
                **owner.tags(),
                _SERIES_TAG: try_series(context),
                _ATTEMPT_TAG: str(context["ti"].try_number),
                _AFTER_TAG: after,
            }
            self._request("TagResource", ResourceArn=self._arn(), TagsToAdd=tags)
        self.kill_switch.check()
        try:
            self._request("StartCrawler", Name=self.crawler_name)
            self._crawling = True
            self.log.info("Started crawler %s", self.crawler_name)
            self.kill_switch.check(self.stop)
        except ServiceError as error:
            if error.code != "CrawlerRunningException":
                raise
            # Somebody was faster; that crawl sees all that this one would have.
            self.log.info("Crawler %s was started by somebody else", self.crawler_name)
        return after

    def _mark(self, context: Context) -> str | None:
        """Read which crawl was the last when an earlier attempt of this series began one."""
        tags = self._tags()
        owner = ResourceOwner.from_tags(tags)
        if owner != ResourceOwner.of(context) or tags.get(_SERIES_TAG) != try_series(context):
            return None
        self.log.info("An earlier attempt has marked the crawler; its crawl is adopted")
        return tags.get(_AFTER_TAG)

    def _is_of_earlier_attempt(self, context: Context) -> bool:
        """Say whether the task's own crawl was begun, and perhaps stopped, before this attempt."""
        if self.kill_switch.is_thrown:
            return False
        return self._tags().get(_ATTEMPT_TAG) != str(context["ti"].try_number)

    def _tags(self) -> dict[str, str]:
        tags: dict[str, str] = self._request("GetTags", ResourceArn=self._arn()).get("Tags", {})
        return tags

    def _crawler(self) -> dict[str, Any]:
        crawler: dict[str, Any] = self._request("GetCrawler", Name=self.crawler_name)["Crawler"]
        return crawler

    def _crawls(self) -> list[dict[str, Any]]:
        """List the latest crawls, the latest first."""
        answer = self._request("ListCrawls", CrawlerName=self.crawler_name, MaxResults=100)
        return sorted(answer["Crawls"], key=lambda crawl: crawl["StartTime"], reverse=True)

    def _result(self, crawl: Mapping[str, Any]) -> dict[str, Any]:
        self._crawling = False
        crawler = self._crawler()
        targets = (crawler.get("Targets") or {}).get("S3Targets", ())
        self.remember_lineage(
            crawl["CrawlId"],
            inputs=[target["Path"] for target in targets],
            outputs=self._tables(crawler.get("DatabaseName")),
        )
        if crawl["State"] != _COMPLETED:
            reason = crawl.get("ErrorMessage") or "Glue gives no reason"
            raise UpdraftError(
                f"Crawl {crawl['CrawlId']} of crawler {self.crawler_name!r} ended as "
                f"{crawl['State']}: {reason} Its log is in {crawl.get('LogGroup')}, stream "
                f"{crawl.get('LogStream')}"
            )
        self.log.info("The crawl has changed: %s", crawl.get("Summary") or "nothing")
        return {
            "crawl_id": crawl["CrawlId"],
            "state": crawl["State"],
            "summary": crawl.get("Summary"),
        }

    def _tables(self, database: str | None) -> list[str]:
        """List the tables that the crawler keeps."""
        if not database:
            return []
        try:
            pages = self.hook.pages(
                "GetTables", "TableList", f"database {database!r}", DatabaseName=database
            )
            return [
                f"{database}.{table['Name']}"
                for table in pages
                if table.get("Parameters", {}).get("UPDATED_BY_CRAWLER") == self.crawler_name
            ]
        except UpdraftError as error:
            self.log.warning("Lineage leaves the tables out. %s", error)
            return []

    def _arn(self) -> str:
        hook = self.hook
        return (
            f"arn:{hook.conn_partition}:glue:{hook.conn_region_name}:{hook.account_id}:"
            f"crawler/{self.crawler_name}"
        )

    def _request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.hook.request(operation, f"crawler {self.crawler_name!r}", **parameters)


def _give_up_at() -> float:
    return time.time() + LONGEST_WAIT.total_seconds()


def _next_after(crawls: Sequence[dict[str, Any]], after: str) -> dict[str, Any] | None:
    """Find the crawl that came next after another; the oldest if there was none."""
    newer: dict[str, Any] | None = None
    for crawl in crawls:
        if crawl["CrawlId"] == after:
            return newer
        newer = crawl
    return newer if after == _NONE else None
