"""Runs a data source of Amazon DataZone."""

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from updraft.compat import Context
from updraft.datazone.names import find_data_source, find_project
from updraft.datazone.service import DomainService
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import ArgumentError, UpdraftError
from updraft.operators.catalog_base import CatalogOperator
from updraft.operators.template_arguments import truth
from updraft.operators.try_series import try_series
from updraft.operators.waiting import GRACE, Deferral, check_poll_interval, may_defer
from updraft.resource_owner import ResourceOwner
from updraft.triggers.datazone import GOES_ON, DataSourceRunTrigger
from updraft.triggers.polling import MOST_ERRORS

LONGEST_WAIT = timedelta(hours=12)
"""How long a task waits; a retry waits again."""

_UNSUCCESSFUL = frozenset({"FAILED", "PARTIALLY_SUCCEEDED"})
_MOST_REFUSALS = 20
_SHOWN = 10


class _Run(NamedTuple):
    """A run that is waited for, and whether it is the task's own."""

    id: str
    own: bool


class CatalogDataSourceOperator(CatalogOperator):
    """Run a data source and wait until its tables are assets of the project.

    The run begins with a client token that is the same in each attempt, so that a retry adopts it
    whether it goes on or has succeeded; after one that failed, it begins another one. A run of
    somebody else that goes on may have passed by what was written meanwhile. It is waited for, and
    then the task's own begins. No call stops a run, so it goes on when a user ends the task.

    .. seealso:: https://docs.aws.amazon.com/datazone/latest/APIReference/API_StartDataSourceRun.html

    :param project: name or id of the project. (templated)
    :param data_source: name or id of the data source. (templated)
    :param allow_partial: whether a run may leave some tables out. (templated)
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks; a trigger begins with shorter ones.
    :param kwargs: as of :class:`CatalogOperator`.
    """

    template_fields: Sequence[str] = (
        *CatalogOperator.template_fields,
        "project",
        "data_source",
        "allow_partial",
    )

    def __init__(
        self,
        *,
        project: str,
        data_source: str,
        allow_partial: bool | str = False,
        deferrable: bool = True,
        poll_interval: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.project = project
        self.data_source = data_source
        self.allow_partial = allow_partial
        self.deferrable = deferrable
        self.poll_interval = poll_interval
        self._trigger_errors = 0

    def execute(self, context: Context) -> dict[str, Any]:
        """Run it, or find it run.

        :param context: context of the task instance.
        :returns: ``run_id``, ``status``, and how many assets were ``added``, ``updated``,
            ``unchanged``, ``skipped`` and ``failed``.
        :raises AirflowFailException: when an argument is wrong.
        :raises AirflowException: when the run failed.
        """
        give_up_at = time.time() + LONGEST_WAIT.total_seconds()
        return self.carry_out(lambda: self._begin(context, give_up_at))  # type: ignore[no-any-return]

    def execute_complete(self, context: Context, event: dict[str, Any]) -> dict[str, Any]:
        """Go on after a deferral.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`execute`.
        :raises AirflowException: when the run failed.
        """
        if event["status"] != "success":
            self.log.warning("The trigger ended with: %s", event.get("message"))
        self._trigger_errors = event.get("errors", 0)
        run, give_up_at = _Run(event["run_id"], event["own"]), event["give_up_at"]
        return self.carry_out(  # type: ignore[no-any-return]
            lambda: self._wait(context, run, give_up_at)
        )

    def on_kill(self) -> None:
        """Begin nothing any more; called from a signal handler."""
        self.kill_switch.throw()

    def _begin(self, context: Context, give_up_at: float) -> dict[str, Any] | Deferral:
        check_poll_interval(self.poll_interval)
        truth("allow_partial", self.allow_partial)
        for name in ("project", "data_source"):
            if not getattr(self, name):
                raise ArgumentError(f"{name}: it is missing")
        return self._wait(context, self._start(context, self.domain()), give_up_at)

    def _wait(self, context: Context, run: _Run, give_up_at: float) -> dict[str, Any] | Deferral:
        domain = self.domain()
        while True:
            found = domain.request("GetDataSourceRun", f"run {run.id}", identifier=run.id)
            if found["status"] not in GOES_ON:
                if run.own:
                    return self._result(domain, found)
                self.log.info("The run of somebody else has ended as %s", found["status"])
                run = self._start(context, domain)
                continue
            deferral = self._pause(run, give_up_at)
            if deferral is not None:
                return deferral

    def _pause(self, run: _Run, give_up_at: float) -> Deferral | None:
        """Wait for the next look, in a trigger or in the slot."""
        seconds = give_up_at - time.time()
        if seconds <= 0:
            raise UpdraftError(
                f"Run {run.id} of data source {self.data_source!r} has not ended after "
                f"{LONGEST_WAIT}. It goes on; a retry of this task finds it and waits again."
            )
        if self._trigger_errors >= MOST_ERRORS:
            self.log.warning("The triggerer can't look; the task waits in its slot")
        elif may_defer(deferrable=self.deferrable):
            trigger = DataSourceRunTrigger(
                domain_id=self.domain().domain_id,
                run_id=run.id,
                own=run.own,
                give_up_at=give_up_at,
                waiter_delay=self.poll_interval,
                aws_conn_id=self.aws_conn_id,
                region_name=self.hook.conn_region_name,
                verify=self.verify,
                botocore_config=self._hook_parameters["config"],
                errors=self._trigger_errors,
            )
            return Deferral(trigger, timedelta(seconds=seconds) + GRACE)
        time.sleep(self.poll_interval)
        return None

    def _start(self, context: Context, domain: DomainService) -> _Run:
        """Begin the task's run or find it, or find the one that is in its way."""
        project_id = find_project(domain, self.project)
        source_id = find_data_source(domain, project_id, self.data_source)
        for _ in range(_MOST_REFUSALS):
            self.kill_switch.check()
            try:
                return _Run(self._own_run(context, domain, source_id), own=True)
            except ServiceError as error:
                if error.code != "ConflictException":
                    raise
                refusal = error
            other = self._run_that_goes_on(domain, source_id)
            if other is not None:
                self.log.info("Waiting for run %s, which somebody else has started", other)
                return _Run(other, own=False)
            self.log.info("The data source takes no run: %s", refusal.message)
            time.sleep(min(self.poll_interval, 5))
        raise refusal

    def _own_run(self, context: Context, domain: DomainService, source_id: str) -> str:
        """Begin a run; a token that was used before leads to the run that it began.

        A run that an earlier attempt saw fail leads to the next token. There are as many as there
        were attempts, so that what fails at once is not begun again and again.
        """
        owner, series = ResourceOwner.of(context), try_series(context)
        attempts = max(1, context["ti"].try_number)
        for number in range(attempts):
            token = owner.token("data source run", source_id, series, number)
            run = domain.request(
                "StartDataSourceRun",
                f"data source {self.data_source!r}",
                dataSourceIdentifier=source_id,
                clientToken=token,
            )
            self.log.info("Run %s of %s is %s", run["id"], self.data_source, run["status"])
            if run["status"] not in _UNSUCCESSFUL:
                break
        return str(run["id"])

    def _run_that_goes_on(self, domain: DomainService, source_id: str) -> str | None:
        what = f"data source {self.data_source!r}"
        for status in sorted(GOES_ON):
            for run in domain.pages(
                "ListDataSourceRuns", what, dataSourceIdentifier=source_id, status=status
            ):
                return str(run["id"])
        return None

    def _result(self, domain: DomainService, run: Mapping[str, Any]) -> dict[str, Any]:
        status = run["status"]
        counts = dict(run.get("runStatisticsForAssets", {}))
        said = ", ".join(f"{name} {count}" for name, count in counts.items() if count)
        self.log.info("Run %s ended as %s: %s", run["id"], status, said or "no assets")
        is_allowed = status == "PARTIALLY_SUCCEEDED" and truth("allow_partial", self.allow_partial)
        if status in _UNSUCCESSFUL and not is_allowed:
            fault = run.get("errorMessage", {})
            reason = (
                fault.get("errorDetail") or fault.get("errorType") or "DataZone gives no reason"
            )
            raise UpdraftError(
                f"Run {run['id']} of data source {self.data_source!r} ended as {status}: "
                f"{reason}{self._failed_tables(domain, run['id'])}"
            )
        return {"run_id": run["id"], "status": status, **counts}

    def _failed_tables(self, domain: DomainService, run_id: str) -> str:
        try:
            failed = [
                f"{one['database']}.{one['technicalName']}"
                for one in domain.pages(
                    "ListDataSourceRunActivities",
                    f"run {run_id}",
                    identifier=run_id,
                    status="FAILED",
                )
            ]
        except ServiceError as error:
            self.log.warning("Which tables failed can't be told. %s", error)
            return ""
        more = f" and {len(failed) - _SHOWN} more" if len(failed) > _SHOWN else ""
        return f" Tables: {', '.join(failed[:_SHOWN])}{more}." if failed else ""
