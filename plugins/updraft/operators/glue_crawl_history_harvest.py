"""Reads the history of crawlers of AWS Glue, crawler by crawler, and stores its lineage."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Self

from updraft.dynamodb.service_errors import THROTTLED, ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.lineage.harvest_outbox import HarvestOutbox
from updraft.lineage.harvest_position import HarvestPosition
from updraft.lineage.outbox import Outbox
from updraft.operators.glue_crawl_events import CrawlEvents

_COMPLETED = "COMPLETED"
_READY = "READY"
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


class CrawlGoesOnError(Exception):
    """A crawler is to be waited for. The harvest goes on with its progress when it is ready.

    :param crawler: its name.
    """

    def __init__(self, crawler: str) -> None:
        super().__init__(f"crawler {crawler!r} goes on")
        self.crawler = crawler


@dataclass
class CrawlProgress:
    """How far a harvest has come that was interrupted.

    :param since: from when on crawls are looked for; None before the harvest has begun.
    :param begun: when the harvest began.
    :param done: names of the crawlers that are done.
    :param waited: names of the crawlers that were waited for.
    :param counts: what was done.
    """

    since: datetime | None = None
    begun: datetime | None = None
    done: list[str] = field(default_factory=list)
    waited: list[str] = field(default_factory=list)
    counts: CrawlCounts = field(default_factory=CrawlCounts)

    def as_document(self) -> dict[str, Any]:
        """Give it as JSON can hold it."""
        since, begun = (one.isoformat() if one else None for one in (self.since, self.begun))
        return {**asdict(self), "since": since, "begun": begun}

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_document` gave.

        :param document: the document.
        :returns: the progress.
        """
        times = (document["since"], document["begun"])
        since, begun = (datetime.fromisoformat(one) if one else None for one in times)
        done, waited = list(document["done"]), list(document["waited"])
        return cls(since, begun, done, waited, CrawlCounts(**document["counts"]))


class GlueCrawlHarvest:
    """A harvest of the crawls of a Region.

    It can be interrupted by whatever Glue refuses, and goes on with ``progress``: a crawler is done
    when its events are stored, and the position moves when all are done.

    :param hook: access to Glue.
    :param outbox: where events and position go.
    :param crawlers: names of crawlers; all of the Region if empty.
    :param waits: whether to wait for those of ``crawlers`` that are running.
    :param progress: how far an earlier part of this harvest has come.
    """

    def __init__(
        self,
        hook: GlueClientHook,
        outbox: Outbox,
        crawlers: Sequence[str] = (),
        *,
        waits: bool = False,
        progress: CrawlProgress | None = None,
    ) -> None:
        self.progress = progress or CrawlProgress()
        self.troubles: list[str] = []
        self._hook = hook
        self._outbox = outbox
        self._crawlers = crawlers
        self._waits = waits and bool(crawlers)
        self._events = CrawlEvents(hook)

    def run(self, look_back: timedelta, overlap: timedelta) -> CrawlCounts:
        """Harvest the crawls that have completed since the last time.

        :param look_back: where to begin the first time.
        :param overlap: how long before the last time to begin.
        :returns: what was done; ``troubles`` has what could not be told, in sentences.
        :raises CrawlGoesOnError: when a crawler is to be waited for.
        :raises UpdraftError: when Glue or the outbox refuses.
        """
        names = ",".join(sorted(self._crawlers))
        digest = sha256(f"{self._hook.conn_region_name}/{names}".encode()).hexdigest()[:8]
        position = HarvestPosition(self._outbox, f"crawlers-{digest}")
        progress = self.progress
        if progress.since is None or progress.begun is None:
            now, through = datetime.now(UTC), position.load()
            progress.since = now - look_back if through is None else through - overlap
            progress.begun = now
        for crawler in self._described():
            if crawler["Name"] not in progress.done:
                self._wait(crawler)
                self._harvest(crawler, progress.since)
                progress.done.append(crawler["Name"])
        # A crawl that goes on is listed with its end later, which is after this.
        position.save(progress.begun)
        return progress.counts

    def _described(self) -> Iterator[dict[str, Any]]:
        if not self._crawlers:
            yield from self._hook.pages("GetCrawlers", "Crawlers", "crawlers")
        for name in self._crawlers:
            yield self._hook.request("GetCrawler", f"crawler {name!r}", Name=name)["Crawler"]

    def _wait(self, crawler: Mapping[str, Any]) -> None:
        name, waited = crawler["Name"], self.progress.waited
        if self._waits and crawler.get("State") != _READY and name not in waited:
            waited.append(name)
            raise CrawlGoesOnError(name)

    def _harvest(self, crawler: Mapping[str, Any], since: datetime) -> None:
        """Store what is new of one crawler, and count it when all of it is stored."""
        name, database = crawler["Name"], crawler.get("DatabaseName")
        crawls = [
            crawl
            for crawl in self._crawls(name, since)
            if crawl["State"] == _COMPLETED and crawl["EndTime"] >= since
        ]
        counts = replace(self.progress.counts)
        counts.crawlers += 1
        counts.crawls += len(crawls)
        target = HarvestOutbox(self._outbox)
        troubles: list[str] = []
        for table in self._tables(name, database) if crawls and database else ():
            crawl = next((one for one in crawls if _has_changed(one, table)), None)
            if crawl is None:
                continue
            counts.tables += 1
            try:
                for identity, found in self._events.of(name, crawl, str(database), table):
                    target.add(found, identity)
            except UpdraftError as error:
                if isinstance(error, ServiceError) and error.code in THROTTLED:
                    raise
                counts.without_source += 1
                troubles.append(str(error))
        target.save()
        counts.stored += target.stored
        counts.duplicates += target.duplicates
        self.progress.counts = counts
        self.troubles += troubles

    def _tables(self, crawler: str, database: str) -> Iterator[dict[str, Any]]:
        tables = self._hook.pages(
            "GetTables", "TableList", f"database {database!r}", DatabaseName=database
        )
        for table in tables:
            if table.get("Parameters", {}).get(_KEEPER) == crawler:
                yield table

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
