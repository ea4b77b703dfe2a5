"""What the engines that let a Glue job read or write a table have in common."""

import time
from collections.abc import Mapping
from typing import Any

from updraft.dynamodb.table import TableDescription, TableReference, describe_table
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service
from updraft.operators.glue_job_calls import JobRun
from updraft.operators.glue_job_runs import GlueJobRuns
from updraft.operators.glue_job_settings import merged_arguments
from updraft.spark.arguments import JobArguments


class GlueEngine:
    """Base of these engines.

    :param hook: makes the client for the table.
    :param s3_hook_parameters: connection, region, verification and botocore configuration for S3.
    :param runs: the runs of the job.
    :param arguments: further arguments of the script.
    """

    def __init__(
        self,
        hook: DynamoDBClientHook,
        s3_hook_parameters: Mapping[str, Any],
        runs: GlueJobRuns,
        arguments: Mapping[str, str] | None,
    ) -> None:
        self._hook = hook
        self._s3_hook_parameters = s3_hook_parameters
        self._runs = runs
        self._arguments = arguments

    def stop(self) -> None:
        """Stop the run of the job; what it has finished stays."""
        self._runs.stop()

    def _begun(self, arguments: JobArguments, attempt: int) -> JobRun:
        """Find the run of an earlier attempt, or start one."""
        merged = merged_arguments(arguments.as_arguments(), self._arguments)
        return self._runs.adopt_or_start(merged, attempt)

    def _described(self, table: TableReference) -> TableDescription:
        service = dynamodb_service(self._hook, sleep=time.sleep, on_throttled=lambda: None)
        return describe_table(service, table)
