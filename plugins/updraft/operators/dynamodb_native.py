"""What the engines have in common that let DynamoDB itself export or import a table."""

import json
import logging
import math
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from airflow.providers.amazon.aws.utils.waiter_with_logging import wait

from updraft.compat import AirflowException
from updraft.dynamodb.table import TableDescription, TableReference, describe_table
from updraft.errors import UpdraftError
from updraft.hooks.clients import connected_client
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.hooks.dynamodb_service import dynamodb_service
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.waiting import GRACE, Deferral, may_defer
from updraft.triggers.dynamodb import DynamoDBJobTrigger

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)

Description: TypeAlias = Mapping[str, Any]
"""What DescribeExport or DescribeImport says about one export or import."""

LONGEST_WAIT = timedelta(hours=24)
"""How long a task waits. The export or import itself goes on after it."""

_MAXIMUM_TRIES = 20
_IN_PROGRESS = "IN_PROGRESS"
_COMPLETED = "COMPLETED"
_FAILED = "FAILED"
_RESOLUTION = timedelta(seconds=1)


class NativeEngine(ABC):
    """Starts an export or import of DynamoDB's own once, however often it is tried, and waits.

    Each attempt of a task sends the same client tokens, and DynamoDB answers a known token with
    the job that exists already. It does so for eight hours; later attempts therefore look through
    the table's jobs first.

    :param hook: makes the client for the table.
    :param s3_hook_parameters: connection, region, verification and botocore configuration for S3.
    :param deferrable: whether to wait in Airflow's triggerer.
    :param poll_interval: seconds between two looks at a job.
    """

    kind: ClassVar[str]
    """What names in the API begin with, ``Export`` or ``Import``."""

    trigger: ClassVar[type[DynamoDBJobTrigger]]

    compared_members: ClassVar[tuple[str, ...]]
    """Members of a description by which an adopted job must be the one that is asked for."""

    def __init__(
        self,
        hook: DynamoDBClientHook,
        s3_hook_parameters: Mapping[str, Any],
        *,
        deferrable: bool,
        poll_interval: int,
    ) -> None:
        self._hook = hook
        self._s3_hook_parameters = s3_hook_parameters
        self._deferrable = deferrable
        self._poll_interval = poll_interval
        self._waiting_for: str | None = None
        self._kill_switch = KillSwitch()

    @abstractmethod
    def _start(self, parameters: Mapping[str, Any], token: str) -> Description:
        """Start a job, or get the one that has the token."""

    @abstractmethod
    def _describe(self, arn: str) -> Description:
        """Ask for the state of a job."""

    @abstractmethod
    def _known(self, parameters: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
        """List ARN and status of the table's jobs."""

    @abstractmethod
    def _is_result_gone(self, description: Description) -> bool:
        """Tell whether what a completed job made has been deleted since."""

    def stop(self) -> None:
        """Say what goes on: AWS offers no call that cancels an export or import."""
        self._kill_switch.throw()
        self._say_what_goes_on()

    def _say_what_goes_on(self) -> None:
        if self._waiting_for is not None:
            log.warning(
                "The task ends, but %s goes on in DynamoDB, which has no call to cancel it. The "
                "next attempt of this task adopts it.",
                self._waiting_for,
            )

    @property
    def _client(self) -> "DynamoDBClient":
        client: DynamoDBClient = connected_client(self._hook)
        return client

    def _described_table(self, table: TableReference) -> TableDescription:
        service = dynamodb_service(self._hook, sleep=time.sleep, on_throttled=lambda: None)
        return describe_table(service, table)

    def _adopt_or_start(
        self, identity: str, attempt: int, target: Sequence[str], parameters: Mapping[str, Any]
    ) -> Description:
        """Find the job of an earlier attempt, or start one.

        :param identity: identity of the task instance, the same in each attempt.
        :param attempt: number of the attempt.
        :param target: table and bucket. Two Airflow environments that run the same DAG at the same
            times in one account have the same identities, but must not share tokens.
        :param parameters: the request without its client token.
        :returns: the job, in progress or completed.
        """
        tokens = [
            str(uuid.uuid5(uuid.UUID(identity), json.dumps([*target, number])))
            for number in range(_MAXIMUM_TRIES)
        ]
        if attempt > 1:
            for description in self._own_jobs(parameters, tokens):
                if self._is_of_use(description, parameters):
                    log.info("Adopted %s of an earlier attempt", description[f"{self.kind}Arn"])
                    return description
                tokens.remove(description["ClientToken"])
        for token in tokens:
            self._kill_switch.check()
            description = self._start(parameters, token)
            self._waiting_for = description[f"{self.kind}Arn"]
            self._kill_switch.check(self._say_what_goes_on)
            if self._is_of_use(description, parameters):
                log.info("DynamoDB has begun %s", description[f"{self.kind}Arn"])
                return description
        raise UpdraftError(
            f"DynamoDB has been told {_MAXIMUM_TRIES} times to {self.kind.lower()} in this run, "
            "each time without a result that is still there. See the log for the reasons, and "
            "trigger a new run when they are mended."
        )

    def _own_jobs(
        self, parameters: Mapping[str, Any], tokens: Iterable[str]
    ) -> Iterator[Description]:
        """Give the jobs with the tokens, the latest first; one for each token."""
        left = set(tokens)
        # The ARNs of a table differ in the time of the start, in milliseconds with leading zeros.
        for arn, status in sorted(self._known(parameters), reverse=True):
            if status == _FAILED:
                continue
            description = self._describe(arn)
            if description.get("ClientToken") in left:
                left.remove(description["ClientToken"])
                yield description

    def _is_of_use(self, description: Description, parameters: Mapping[str, Any]) -> bool:
        arn, status = description[f"{self.kind}Arn"], description[f"{self.kind}Status"]
        differences = list(_differences(parameters, description, self.compared_members))
        if status == _IN_PROGRESS:
            if differences:
                raise UpdraftError(
                    f"{arn}, which an earlier attempt of this task started, is still in progress "
                    f"with other arguments: {'; '.join(differences)}. Wait for its end, and let "
                    "templates give the same values in each attempt."
                )
            return True
        if status != _COMPLETED:
            log.warning("An earlier attempt ended without result: %s", self._error(description))
            return False
        if differences:
            log.warning("%s was made with other arguments: %s", arn, "; ".join(differences))
            return False
        if self._is_result_gone(description):
            log.warning("What %s made has been deleted since", arn)
            return False
        return True

    def _wait(self, description: Description) -> Description | Deferral:
        """Wait for the end of a job.

        :param description: the job.
        :returns: the job after its end, or what to wait for.
        :raises UpdraftError: when it failed, or has not ended after :data:`LONGEST_WAIT`.
        """
        return self._wait_until(description, time.time() + LONGEST_WAIT.total_seconds())

    def _look_again(self, event: Mapping[str, Any]) -> Description | Deferral:
        """Go on when a trigger has ended, whatever it says.

        :param event: its event.
        :returns: the job after its end, or what to wait for again.
        :raises UpdraftError: as :meth:`_wait`.
        """
        description = self._describe(event[f"{self.kind.lower()}_arn"])
        if event["status"] != "success":
            log.warning("The trigger ended with: %s", event.get("message"))
        return self._wait_until(description, event["give_up_at"])

    def _wait_until(self, description: Description, give_up_at: float) -> Description | Deferral:
        arn = self._waiting_for = description[f"{self.kind}Arn"]
        while description[f"{self.kind}Status"] == _IN_PROGRESS:
            seconds = give_up_at - time.time()
            if seconds <= 0:
                raise UpdraftError(
                    f"{arn} is still in progress after {LONGEST_WAIT}. It goes on in DynamoDB; a "
                    "retry of this task adopts it and waits again."
                )
            looks = math.ceil(seconds / self._poll_interval) + 1
            if may_defer(deferrable=self._deferrable):
                return self._deferral(arn, give_up_at, looks)
            self._wait_here(arn, looks)
            description = self._describe(arn)
        self._waiting_for = None
        if description[f"{self.kind}Status"] != _COMPLETED:
            raise self._error(description)
        return description

    def _wait_here(self, arn: str, looks: int) -> None:
        """Wait with the same waiter as the trigger; what it says is checked by describing again."""
        from botocore.exceptions import BotoCoreError

        try:
            wait(
                self._hook.get_waiter(self.trigger.job_waiter),
                self._poll_interval,
                looks,
                {f"{self.kind}Arn": arn},
                f"{arn} failed",
                f"Status of {arn}",
                list(self.trigger.job_status_queries),
            )
        except (AirflowException, BotoCoreError) as error:
            log.warning("The waiting ended with: %s", error)
            time.sleep(min(self._poll_interval, 1))

    def _deferral(self, arn: str, give_up_at: float, looks: int) -> Deferral:
        trigger = self.trigger(
            **{f"{self.kind.lower()}_arn": arn},
            give_up_at=give_up_at,
            waiter_delay=self._poll_interval,
            waiter_max_attempts=looks,
            aws_conn_id=self._hook.aws_conn_id,
            region_name=self._client.meta.region_name,
            verify=self._s3_hook_parameters.get("verify"),
            botocore_config=self._s3_hook_parameters.get("config"),
        )
        return Deferral(trigger, timedelta(seconds=give_up_at - time.time()) + GRACE)

    def _error(self, description: Description) -> UpdraftError:
        """Say why a job ended without result."""
        reason = ": ".join(
            description[name] for name in ("FailureCode", "FailureMessage") if name in description
        )
        arn, status = description[f"{self.kind}Arn"], description[f"{self.kind}Status"]
        return UpdraftError(f"{arn} ended as {status}: {reason or 'AWS gives no reason'}")


def _differences(
    wanted: Mapping[str, Any], found: Mapping[str, Any], names: Iterable[str]
) -> Iterator[str]:
    """Name the members that were asked for and are different, or absent."""
    for name in names:
        want, has = wanted.get(name), found.get(name)
        if want is None:
            continue
        if isinstance(want, Mapping):
            yield from _differences(want, has or {}, want)
        elif isinstance(want, datetime) and isinstance(has, datetime):
            if abs(want - has) >= _RESOLUTION:
                yield f"{name} {has.isoformat()} instead of {want.isoformat()}"
        elif want != has:
            yield f"{name} {has!r} instead of {want!r}"
