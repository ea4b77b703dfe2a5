"""Takes lineage out of the history of crawlers of AWS Glue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.hooks.outbox import open_outbox
from updraft.lineage.harvest_outbox import HarvestOutbox
from updraft.lineage.harvest_position import HarvestPosition
from updraft.lineage.outbox import Outbox
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.failures import task_failure
from updraft.operators.glue_crawl_events import CrawlEvents
from updraft.operators.lineage import configured_outbox_uri
from updraft.operators.template_arguments import given, number_argument

_COMPLETED = "COMPLETED"
_KEEPER = "UPDATED_BY_CRAWLER"
_ROUNDED = timedelta(seconds=1)  # Glue tells when a table was changed in whole seconds


@dataclass
class CrawlCounts:
    """What was done with crawlers.

    :param crawlers: crawlers that were looked at.
    :param crawls: crawls that have completed since the last time.
    :param tables: tables that these have made or changed.
    :param without_source: tables whose source has no name that lineage knows.
    :param stored: events that were new.
    :param duplicates: events that were harvested before.
    """

    crawlers: int = 0
    crawls: int = 0
    tables: int = 0
    without_source: int = 0
    stored: int = 0
    duplicates: int = 0


class GlueCrawlHarvest:
    """A harvest of the crawls of a Region.

    :param hook: access to Glue.
    :param outbox: where events and position go.
    :param crawlers: names of crawlers; all of the Region if empty.
    """

    def __init__(self, hook: GlueClientHook, outbox: Outbox, crawlers: Sequence[str] = ()) -> None:
        self.counts = CrawlCounts()
        self.troubles: list[str] = []
        self._hook = hook
        self._outbox = outbox
        self._crawlers = crawlers
        self._events = CrawlEvents(hook)

    def run(self, look_back: timedelta, overlap: timedelta) -> CrawlCounts:
        """Harvest the crawls that have completed since the last time.

        :param look_back: where to begin the first time.
        :param overlap: how long before the last time to begin.
        :returns: what was done; ``troubles`` has what could not be told, in sentences.
        :raises UpdraftError: when Glue or the outbox refuses.
        """
        names = ",".join(sorted(self._crawlers))
        digest = sha256(f"{self._hook.conn_region_name}/{names}".encode()).hexdigest()[:8]
        position = HarvestPosition(self._outbox, f"crawlers-{digest}")
        now, through = datetime.now(UTC), position.load()
        since = now - look_back if through is None else through - overlap
        target = HarvestOutbox(self._outbox)
        for crawler in self._described():
            self.counts.crawlers += 1
            self._harvest(crawler, since, target)
        target.save()
        self.counts.stored, self.counts.duplicates = target.stored, target.duplicates
        # A crawl that goes on is listed with its end later, which is after now.
        position.save(now)
        return self.counts

    def _described(self) -> Iterator[dict[str, Any]]:
        if not self._crawlers:
            yield from self._hook.pages("GetCrawlers", "Crawlers", "crawlers")
        for name in self._crawlers:
            yield self._hook.request("GetCrawler", f"crawler {name!r}", Name=name)["Crawler"]

    def _harvest(self, crawler: Mapping[str, Any], since: datetime, target: HarvestOutbox) -> None:
        name, database = crawler["Name"], crawler.get("DatabaseName")
        crawls = [
            crawl
            for crawl in self._crawls(name, since)
            if crawl["State"] == _COMPLETED and crawl["EndTime"] >= since
        ]
        self.counts.crawls += len(crawls)
        if not crawls or not database:
            return
        pages = self._hook.pages(
            "GetTables", "TableList", f"database {database!r}", DatabaseName=database
        )
        for table in pages:
            if table.get("Parameters", {}).get(_KEEPER) != name:
                continue
            crawl = next((one for one in crawls if _has_changed(one, table)), None)
            if crawl is None:
                continue
            self.counts.tables += 1
            try:
                for identity, found in self._events.of(name, crawl, database, table):
                    target.add(found, identity)
            except UpdraftError as error:
                self.counts.without_source += 1
                self.troubles.append(str(error))

    def _crawls(self, crawler: str, since: datetime) -> Iterator[dict[str, Any]]:
        """List crawls, the latest first, until those that cannot have ended since."""
        # A crawl that began before may have ended since; none takes longer than a day.
        oldest = since - timedelta(days=1)
        crawls = self._hook.pages(
            "ListCrawls", "Crawls", f"crawler {crawler!r}", CrawlerName=crawler
        )
        for crawl in crawls:
            if crawl["StartTime"] < oldest:
                return
            yield crawl


def _has_changed(crawl: Mapping[str, Any], table: Mapping[str, Any]) -> bool:
    changed = table.get("UpdateTime") or table.get("CreateTime")
    if changed is None:
        return False
    return bool(crawl["StartTime"] - _ROUNDED <= changed <= crawl["EndTime"] + _ROUNDED)


class HarvestGlueCrawlsOperator(AwsOperator[GlueClientHook]):
    """Take lineage out of the history of crawlers, whoever has started them, each crawl once.

    Each table that a crawl has made or changed gets a start and an end in the outbox, with what it
    was made from: a prefix in S3, a table of DynamoDB, or a table of a database behind a
    connection. ``ForwardLineageOperator`` takes them from there.

    A crawl that ``GlueCrawlerOperator`` has run has lineage by its task as well.

    .. seealso:: ``docs/lineage-harvest.md``; ListCrawls in the API reference of AWS Glue.

    :param crawlers: names of crawlers, a list or a text with commas; all of the Region if empty.
        (templated)
    :param outbox_uri: ``s3://bucket/prefix`` or ``file:///directory``; the URI of the
        ``OutboxTransport`` in ``[openlineage] transport`` if empty. (templated)
    :param look_back_hours: where to begin for the first time. (templated)
    :param overlap_minutes: how long before the last run to begin. (templated)
    :param kwargs: as of the provider's ``AwsBaseOperator``.
    """

    aws_hook_class = GlueClientHook
    template_fields: Sequence[str] = aws_template_fields(
        "crawlers", "outbox_uri", "look_back_hours", "overlap_minutes"
    )
    ui_color = "#e8e4f5"

    def __init__(
        self,
        *,
        crawlers: Sequence[str] | str | None = None,
        outbox_uri: str | None = None,
        look_back_hours: float | str = 24,
        overlap_minutes: float | str = 15,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.crawlers = crawlers
        self.outbox_uri = outbox_uri
        self.look_back_hours = look_back_hours
        self.overlap_minutes = overlap_minutes

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's interface
        """Harvest what is new.

        :param context: Airflow's context.
        :returns: counts by name; see :class:`CrawlCounts`.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when Glue or the outbox refuses.
        """
        named = self.crawlers or ()
        names = named.split(",") if isinstance(named, str) else named
        try:
            hours = number_argument("look_back_hours", self.look_back_hours)
            minutes = number_argument("overlap_minutes", self.overlap_minutes)
            outbox = open_outbox(
                given(self.outbox_uri) or configured_outbox_uri(),
                aws_conn_id=self.aws_conn_id,
                verify=self.verify,
                config=self.botocore_config,
            )
            harvest = GlueCrawlHarvest(
                self.hook, outbox, [name.strip() for name in names if name.strip()]
            )
            counts = asdict(harvest.run(timedelta(hours=hours), timedelta(minutes=minutes)))
        except UpdraftError as error:
            raise task_failure(error) from None
        for trouble in harvest.troubles:
            self.log.warning("Lineage leaves a table out: %s", trouble)
        self.log.info("Crawls: %s", ", ".join(f"{name} {count}" for name, count in counts.items()))
        return counts
