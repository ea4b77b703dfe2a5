"""What the engines that let a Glue job read or write a table have in common."""

import time
from collections.abc import Mapping
from typing import Any

from updraft.dynamodb.table import TableDescription, TableReference, describe_table
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service
from updraft.operators.glue_job_calls import ConcurrentRunsError, JobRun
from updraft.operators.glue_job_runs import LONGEST_WAIT, GlueJobRuns
from updraft.operators.glue_job_settings import merged_arguments
from updraft.operators.waiting import Deferral
from updraft.spark.arguments import JobArguments


class GlueEngine:
    """Base of these engines.

    :param hook: makes the client for the table.
    :param s3_hook_parameters: connection, region, verification and botocore configuration for S3.
    :param runs: the runs of the job.
    :param arguments: further arguments of the script.
    :param owner_arguments: arguments by which the reaper knows whose run it is.
    """

    def __init__(
        self,
        hook: DynamoDBClientHook,
        s3_hook_parameters: Mapping[str, Any],
        runs: GlueJobRuns,
        arguments: Mapping[str, str] | None,
        owner_arguments: Mapping[str, str],
    ) -> None:
        self._hook = hook
        self._s3_hook_parameters = s3_hook_parameters
        self._runs = runs
        self._arguments = arguments
        self._owner_arguments = owner_arguments
        self._give_up_at = time.time() + LONGEST_WAIT.total_seconds()

    def stop(self) -> None:
        """Stop the run of the job; what it has finished stays."""
        self._runs.stop()

    def _ended(self, arguments: JobArguments, attempt: int) -> JobRun | Deferral:
        """Find the run of an earlier attempt or start one, and wait for its end.

        :param arguments: the arguments of the script.
        :param attempt: number of the attempt.
        :returns: the run after it has succeeded, or what to wait for.
        """
        merged = merged_arguments(
            {**arguments.as_arguments(), **self._owner_arguments}, self._arguments
        )
        while True:
            try:
                run = self._runs.adopt_or_start(merged, attempt)
            except ConcurrentRunsError as error:
                deferral = self._runs.wait_for_room(error, self._give_up_at)
                if deferral is not None:
                    return deferral
            else:
                return self._runs.wait(run)

    def _has_room(self, event: Mapping[str, Any]) -> bool:
        """Tell whether a trigger has waited for room in the job rather than for a run.

        :param event: its event.
        :returns: whether no run has been started yet.
        """
        if "run_id" in event:
            return False
        self._runs.hear(event)
        self._give_up_at = event["give_up_at"]
        return True

    def _described(self, table: TableReference) -> TableDescription:
        service = dynamodb_service(self._hook, sleep=time.sleep, on_throttled=lambda: None)
        return describe_table(service, table)
