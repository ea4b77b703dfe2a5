"""Takes lineage out of the history of crawlers of AWS Glue."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.hooks.outbox import open_outbox
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.failures import task_failure
from updraft.operators.glue_crawl_history_harvest import (
    CrawlGoesOnError,
    CrawlProgress,
    GlueCrawlHarvest,
)
from updraft.operators.lineage import configured_outbox_uri
from updraft.operators.template_arguments import given, number_argument, truth
from updraft.operators.throttling import may_pause, pause
from updraft.operators.waiting import GRACE, check_poll_interval, may_defer
from updraft.triggers.glue_catalog import GlueCrawlTrigger
from updraft.triggers.pauses import growing_pauses

_LONGEST_CRAWL = timedelta(hours=24)


class HarvestGlueCrawlsOperator(AwsOperator[GlueClientHook]):
    """Take lineage out of the history of crawlers, whoever has started them, each crawl once.

    Each table that a crawl has made or changed gets a start and an end in the outbox, with what it
    was made from: a prefix in S3, a table of DynamoDB, or a table of a database behind a
    connection. ``ForwardLineageOperator`` takes them from there.

    A crawl that ``GlueCrawlerOperator`` has run has lineage by its task as well.

    Where Glue has no room for more calls, the task waits without a slot and goes on with the
    crawler that it was reading. So it waits for crawls that go on, if it is told to.

    .. seealso:: ``docs/lineage-harvest.md``; ListCrawls in the API reference of AWS Glue.

    :param crawlers: names of crawlers, a list or a text with commas; all of the Region if empty.
        (templated)
    :param outbox_uri: ``s3://bucket/prefix`` or ``file:///directory``; the URI of the
        ``OutboxTransport`` in ``[openlineage] transport`` if empty. (templated)
    :param look_back_hours: where to begin for the first time. (templated)
    :param overlap_minutes: how long before the last run to begin. (templated)
    :param wait_for_running: wait for those of ``crawlers`` that are running, so that what they
        change is harvested by this run; else the next run has it. (templated)
    :param deferrable: wait without a slot.
    :param poll_interval: longest time between two looks at a crawler, seconds.
    :param kwargs: as of the provider's ``AwsBaseOperator``.
    """

    aws_hook_class = GlueClientHook
    template_fields: Sequence[str] = aws_template_fields(
        "crawlers", "outbox_uri", "look_back_hours", "overlap_minutes", "wait_for_running"
    )
    ui_color = "#e8e4f5"

    def __init__(
        self,
        *,
        crawlers: Sequence[str] | str | None = None,
        outbox_uri: str | None = None,
        look_back_hours: float | str = 24,
        overlap_minutes: float | str = 15,
        wait_for_running: bool | str = False,
        deferrable: bool = True,
        poll_interval: int = 30,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.crawlers = crawlers
        self.outbox_uri = outbox_uri
        self.look_back_hours = look_back_hours
        self.overlap_minutes = overlap_minutes
        self.wait_for_running = wait_for_running
        self.deferrable = deferrable
        self.poll_interval = poll_interval

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's interface
        """Harvest what is new.

        :param context: Airflow's context.
        :returns: counts by name; see
            :class:`~updraft.operators.glue_crawl_history_harvest.CrawlCounts`.
        :raises AirflowFailException: when an argument is wrong, which no retry can mend.
        :raises AirflowException: when Glue or the outbox refuses.
        """
        return self._go_on(CrawlProgress(), 0)

    def execute_complete(
        self,
        context: Context,  # noqa: ARG002 - Airflow's interface
        event: dict[str, Any],
        progress: dict[str, Any],
    ) -> dict[str, int]:
        """Go on after a deferral.

        :param context: Airflow's context.
        :param event: the event of the trigger.
        :param progress: what was done before.
        :returns: as :meth:`execute`.
        """
        if event["status"] != "success":
            self.log.warning(
                "The crawl was not waited for to its end, so that a later run has it: %s",
                event.get("message"),
            )
        pauses = progress.pop("pauses")
        return self._go_on(CrawlProgress.of_document(progress), pauses)

    def _go_on(self, progress: CrawlProgress, pauses: int) -> dict[str, int]:
        while True:
            done = len(progress.done)
            try:
                return self._harvested(progress)
            except CrawlGoesOnError as waiting:
                self._wait(waiting, progress)
                pauses = 0
            except ServiceError as error:
                pauses = pauses if len(progress.done) == done else 0
                if not may_pause(error, pauses):
                    raise task_failure(error) from None
                kept = {**progress.as_document(), "pauses": pauses + 1}
                pause(self, error, pauses, kept, deferrable=self.deferrable)
                pauses += 1
            except UpdraftError as error:
                raise task_failure(error) from None

    def _harvested(self, progress: CrawlProgress) -> dict[str, int]:
        named = self.crawlers or ()
        names = named.split(",") if isinstance(named, str) else named
        check_poll_interval(self.poll_interval)
        hours = number_argument("look_back_hours", self.look_back_hours)
        minutes = number_argument("overlap_minutes", self.overlap_minutes)
        outbox = open_outbox(
            given(self.outbox_uri) or configured_outbox_uri(),
            aws_conn_id=self.aws_conn_id,
            verify=self.verify,
            config=self.botocore_config,
        )
        harvest = GlueCrawlHarvest(
            self.hook,
            outbox,
            [name.strip() for name in names if name.strip()],
            waits=truth("wait_for_running", self.wait_for_running),
            progress=progress,
        )
        try:
            counts = asdict(harvest.run(timedelta(hours=hours), timedelta(minutes=minutes)))
        finally:
            for trouble in harvest.troubles:
                self.log.warning("Lineage leaves a table out: %s", trouble)
        self.log.info("Crawls: %s", ", ".join(f"{name} {count}" for name, count in counts.items()))
        return counts

    def _wait(self, waiting: CrawlGoesOnError, progress: CrawlProgress) -> None:
        """Wait for a crawl; it returns in the task's slot only."""
        self.log.info("Crawler %s is running; waiting for it", waiting.crawler)
        give_up_at = time.time() + _LONGEST_CRAWL.total_seconds()
        if may_defer(deferrable=self.deferrable):
            self.defer(
                trigger=GlueCrawlTrigger(
                    crawler_name=waiting.crawler,
                    after=None,
                    own=False,
                    give_up_at=give_up_at,
                    waiter_delay=self.poll_interval,
                    aws_conn_id=self.aws_conn_id,
                    region_name=self.hook.conn_region_name,
                    verify=self.verify,
                    botocore_config=client_configuration(self.botocore_config),
                ),
                method_name="execute_complete",
                kwargs={"progress": {**progress.as_document(), "pauses": 0}},
                timeout=_LONGEST_CRAWL + GRACE,
            )
        resource = f"crawler {waiting.crawler!r}"
        for seconds in growing_pauses(self.poll_interval):
            found = self.hook.request("GetCrawler", resource, Name=waiting.crawler)
            if found["Crawler"]["State"] == "READY" or time.time() > give_up_at:
                return
            time.sleep(seconds)
