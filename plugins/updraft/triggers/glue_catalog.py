"""Triggers that wait for what Glue does with the Data Catalog."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from updraft.triggers.glue_polling import GluePollingTrigger

_GOES_ON = frozenset({"STARTING", "RUNNING", "STOPPING"})


class GlueCrawlTrigger(GluePollingTrigger):
    """Wait until a crawler is ready.

    :param crawler_name: name of the crawler.
    :param after: id of the last crawl before the task's own; None as long as the task has not
        marked the crawler.
    :param own: whether the crawl that goes on is the task's own.
    :param kwargs: as of :class:`GluePollingTrigger`.
    """

    argument_names = ("crawler_name", "after", "own")

    def __init__(self, *, crawler_name: str, after: str | None, own: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.crawler_name = crawler_name
        self.after = after
        self.own = own

    async def is_over(self, client: Any) -> bool:
        """Look at the crawler.

        :param client: asynchronous client of Glue.
        :returns: whether it is ready.
        """
        crawler = (await client.get_crawler(Name=self.crawler_name))["Crawler"]
        self.log.info("Crawler %s is %s", self.crawler_name, crawler["State"])
        return bool(crawler["State"] == "READY")

    async def stop(self, client: Any) -> None:
        """Stop the crawler if it is the task's own crawl.

        :param client: asynchronous client of Glue.
        """
        if not self.own:
            return
        errors = client.exceptions
        with suppress(errors.CrawlerNotRunningException, errors.CrawlerStoppingException):
            await client.stop_crawler(Name=self.crawler_name)


class GlueColumnStatisticsTrigger(GluePollingTrigger):
    """Wait until one of several column statistics runs has ended.

    :param database_name: name of the database.
    :param runs: id of the run by name of the table; none where there was no room for any.
    :param own: tables whose run the task began.
    :param progress: what the task needs to know when it goes on.
    :param kwargs: as of :class:`GluePollingTrigger`.
    """

    argument_names = ("database_name", "runs", "own", "progress")

    def __init__(
        self,
        *,
        database_name: str,
        runs: Mapping[str, str],
        own: Sequence[str],
        progress: Mapping[str, Any],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database_name = database_name
        self.runs = dict(runs)
        self.own = list(own)
        self.progress = dict(progress)

    def first_pause(self) -> float:
        """Say how long to wait before the first look.

        :returns: seconds; an interval where there is nothing to look at.
        """
        return 0.0 if self.runs else float(self.waiter_delay)

    async def is_over(self, client: Any) -> bool:
        """Look at the runs.

        :param client: asynchronous client of Glue.
        :returns: whether one has ended; true as well where there is none to wait for.
        """
        for run_id in self.runs.values():
            answer = await client.get_column_statistics_task_run(ColumnStatisticsTaskRunId=run_id)
            if answer["ColumnStatisticsTaskRun"]["Status"] not in _GOES_ON:
                return True
        return not self.runs

    async def stop(self, client: Any) -> None:
        """Stop the runs that the task began.

        :param client: asynchronous client of Glue.
        """
        errors = client.exceptions
        for table in sorted(set(self.runs) & set(self.own)):
            with suppress(
                errors.ColumnStatisticsTaskNotRunningException,
                errors.ColumnStatisticsTaskStoppingException,
                errors.EntityNotFoundException,
            ):
                await client.stop_column_statistics_task_run(
                    DatabaseName=self.database_name, TableName=table
                )


class GlueDataQualityTrigger(GluePollingTrigger):
    """Wait for the end of an evaluation of data quality rules.

    :param evaluation_run_id: id of the run.
    :param kwargs: as of :class:`GluePollingTrigger`.
    """

    argument_names = ("evaluation_run_id",)

    def __init__(self, *, evaluation_run_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.evaluation_run_id = evaluation_run_id

    async def is_over(self, client: Any) -> bool:
        """Look at the run.

        :param client: asynchronous client of Glue.
        :returns: whether it has ended.
        """
        run = await client.get_data_quality_ruleset_evaluation_run(RunId=self.evaluation_run_id)
        self.log.info("Evaluation %s is %s", self.evaluation_run_id, run["Status"])
        return run["Status"] not in _GOES_ON

    async def stop(self, client: Any) -> None:
        """Cancel the run.

        :param client: asynchronous client of Glue.
        """
        await client.cancel_data_quality_ruleset_evaluation_run(RunId=self.evaluation_run_id)


class GlueWorkflowRunTrigger(GluePollingTrigger):
    """Wait for the end of a run of a workflow.

    :param workflow_name: name of the workflow.
    :param run_id: id of the run; empty as long as there is no room for it.
    :param kwargs: as of :class:`GluePollingTrigger`.
    """

    argument_names = ("workflow_name", "run_id")

    def __init__(self, *, workflow_name: str, run_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.workflow_name = workflow_name
        self.run_id = run_id

    def first_pause(self) -> float:
        """Say how long to wait before the first look.

        :returns: seconds; an interval where there was no room.
        """
        return 0.0 if self.run_id else float(self.waiter_delay)

    async def is_over(self, client: Any) -> bool:
        """Look at the run.

        :param client: asynchronous client of Glue.
        :returns: whether it has ended; true without a run, since the task then tries again.
        """
        if not self.run_id:
            return True
        answer = await client.get_workflow_run(Name=self.workflow_name, RunId=self.run_id)
        status = answer["Run"]["Status"]
        self.log.info("Run %s of workflow %s is %s", self.run_id, self.workflow_name, status)
        return status not in _GOES_ON

    async def stop(self, client: Any) -> None:
        """Stop the run.

        :param client: asynchronous client of Glue.
        """
        if self.run_id:
            await client.stop_workflow_run(Name=self.workflow_name, RunId=self.run_id)
