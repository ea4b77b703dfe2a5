"""Triggers that wait while DynamoDB exports or imports a table by itself."""

from collections.abc import AsyncIterator
from typing import Any, ClassVar

from airflow.providers.amazon.aws.triggers.base import AwsBaseWaiterTrigger
from airflow.triggers.base import TriggerEvent

from updraft.hooks.dynamodb import DynamoDBClientHook


class DynamoDBJobTrigger(AwsBaseWaiterTrigger):
    """Base of the triggers that wait for an export or import, with the provider's waiters.

    The event has ``status`` (``success`` or ``error``), ``message`` with an error, the ARN, and
    ``give_up_at``. An error only says that the waiting ended: the job itself may go on, or be
    done, so the task has to look again.

    :param arn: ARN of the job.
    :param give_up_at: when the waiting ends, in seconds since 1970. The task hands it on if it has
        to wait again.
    :param kwargs: ``waiter_delay`` (seconds between two looks) and ``waiter_max_attempts``, and
        how AWS is reached: ``aws_conn_id``, ``region_name``, ``verify`` and ``botocore_config``.
    """

    aws_hook_class: ClassVar[type[DynamoDBClientHook]] = DynamoDBClientHook
    """The provider asks triggers for it from version 9.37 on."""

    job_waiter: ClassVar[str]
    """Name of the provider's waiter."""

    job_arn: ClassVar[str]
    """Argument of the waiter's operation."""

    job_status_queries: ClassVar[tuple[str, ...]]
    """Paths into the operation's answer, in JMESPath, of what goes to the log."""

    arn_field: ClassVar[str]
    """Name of the ARN in the trigger's arguments and in its event."""

    def __init__(self, *, arn: str, give_up_at: float, **kwargs: Any) -> None:
        super().__init__(
            serialized_fields={self.arn_field: arn, "give_up_at": give_up_at},
            waiter_name=self.job_waiter,
            waiter_args={self.job_arn: arn},
            failure_message=f"{arn} failed",
            status_message=f"Status of {arn}",
            status_queries=list(self.job_status_queries),
            return_key=self.arn_field,
            return_value=arn,
            **kwargs,
        )
        self.give_up_at = give_up_at

    def hook(self) -> DynamoDBClientHook:
        """Make the hook with everything that the task was given for its own.

        :returns: the hook.
        """
        return DynamoDBClientHook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Wait.

        What botocore raises becomes an event as well. Left to the triggerer, it would fail the
        task without letting it look at the job.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            async for event in super().run():
                yield self._completed(event.payload)
        except (BotoCoreError, ClientError) as error:
            yield self._completed(
                {"status": "error", "message": str(error), self.return_key: self.return_value}
            )

    def _completed(self, payload: dict[str, Any]) -> TriggerEvent:
        completed = {**payload, "give_up_at": self.give_up_at}
        return TriggerEvent(completed)  # type: ignore[no-untyped-call]


class DynamoDBExportTrigger(DynamoDBJobTrigger):
    """Wait for the end of an export to S3.

    :param export_arn: ARN of the export.
    :param give_up_at: when the waiting ends, in seconds since 1970.
    :param kwargs: as of :class:`DynamoDBJobTrigger`.
    """

    job_waiter = "export_table"
    job_arn = "ExportArn"
    job_status_queries = (
        "ExportDescription.ExportStatus",
        "ExportDescription.FailureCode",
        "ExportDescription.FailureMessage",
    )
    arn_field = "export_arn"

    def __init__(self, *, export_arn: str, give_up_at: float, **kwargs: Any) -> None:
        super().__init__(arn=export_arn, give_up_at=give_up_at, **kwargs)


class DynamoDBImportTrigger(DynamoDBJobTrigger):
    """Wait for the end of an import from S3.

    :param import_arn: ARN of the import.
    :param give_up_at: when the waiting ends, in seconds since 1970.
    :param kwargs: as of :class:`DynamoDBJobTrigger`.
    """

    job_waiter = "import_table"
    job_arn = "ImportArn"
    job_status_queries = (
        "ImportTableDescription.ImportStatus",
        "ImportTableDescription.FailureCode",
        "ImportTableDescription.FailureMessage",
    )
    arn_field = "import_arn"

    def __init__(self, *, import_arn: str, give_up_at: float, **kwargs: Any) -> None:
        super().__init__(arn=import_arn, give_up_at=give_up_at, **kwargs)
