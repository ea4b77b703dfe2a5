"""Operators that carry lineage from the outbox to the catalog."""

import os
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from airflow.configuration import conf
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.airflow_states import dag_run_state, task_instance_state
from updraft.compat import (
    AirflowException,
    AirflowFailException,
    Context,
    count_metric,
)
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.datazone import DataZoneCatalog, DataZoneHook
from updraft.hooks.openlineage_http import http_catalog
from updraft.hooks.outbox import open_outbox
from updraft.lineage.catalog import CatalogError
from updraft.lineage.catalog_names import AccountNaming, leave_names, rename_event
from updraft.lineage.configuration import TRANSPORT_TYPE, find_outbox_uri
from updraft.lineage.forward_counts import ForwardCounts
from updraft.lineage.forwarder import (
    DEFAULT_EVENTS_PER_SECOND,
    HIGHEST_EVENTS_PER_SECOND,
    Forwarder,
)
from updraft.lineage.outbox import Outbox
from updraft.lineage.processing_failures import new_failures
from updraft.lineage.run_records import TaskAttempt
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.last_tries import last_tries
from updraft.operators.template_arguments import given, number_argument

_HIGHEST_RATE_OF_HTTP = 1_000.0


class ForwardLineageOperator(AwsOperator[DataZoneHook]):
    """Post the lineage events in the outbox to Amazon DataZone, each once.

    With `http_conn_id` they go to an HTTP endpoint of OpenLineage instead, under the names that the
    specification gives them.

    A run reads on where the last one stopped, and ends when the outbox is empty. Events that are
    invalid, or that the catalog refuses, are put aside with the reason and do not hold up the
    others. If the catalog takes no event at all (permission, unknown domain), the task fails with
    one message and the events stay for the next run.

    .. seealso:: ``docs/lineage.md``; PostLineageEvent in the Amazon DataZone API reference.

    :param domain_id: id of the DataZone domain; the configuration option
        ``[updraft] datazone_domain_id`` if empty. (templated)
    :param outbox_uri: ``s3://bucket/prefix`` or ``file:///directory``; the URI of the
        ``OutboxTransport`` in ``[openlineage] transport`` if empty. (templated)
    :param max_events_per_second: calls per second, more than 0 and at most 20, which is the quota
        of the account in the Region; an HTTP endpoint has no such limit. (templated)
    :param http_conn_id: Airflow connection of type HTTP for an endpoint of OpenLineage, in place of
        a domain. (templated)
    :param account_id: account of tables whose names do not say it, those of Athena and those that
        the Amazon provider gives to tables of Redshift; that of the connection if empty.
        (templated)
    :param redshift_workgroups: which of the latter are of Redshift Serverless; a list, or a text
        with commas. (templated)
    :param close_orphans_after_minutes: a run of this environment that has emitted no end so long
        after its start is ended when Airflow says, and has said before, that it is over; a task
        that has ended without a start gets one; a last try that has emitted nothing gets both; 0
        leaves runs as they are. (templated)
    :param aws_conn_id: Airflow connection for DataZone and, if the outbox is there, S3.
    :param region_name: Region of the domain.
    :param verify: whether, or with which bundle, to verify certificates.
    :param botocore_config: options of ``botocore.config.Config``, for DataZone and S3.
    """

    aws_hook_class = DataZoneHook
    template_fields: Sequence[str] = aws_template_fields(
        "domain_id",
        "outbox_uri",
        "max_events_per_second",
        "http_conn_id",
        "close_orphans_after_minutes",
        "account_id",
        "redshift_workgroups",
    )
    ui_color = "#e8e4f5"

    def __init__(
        self,
        *,
        domain_id: str | None = None,
        outbox_uri: str | None = None,
        max_events_per_second: float | str = DEFAULT_EVENTS_PER_SECOND,
        http_conn_id: str | None = None,
        close_orphans_after_minutes: float | str = 60,
        account_id: str | None = None,
        redshift_workgroups: Sequence[str] | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.domain_id = domain_id
        self.outbox_uri = outbox_uri
        self.max_events_per_second = max_events_per_second
        self.http_conn_id = http_conn_id
        self.close_orphans_after_minutes = close_orphans_after_minutes
        self.account_id = account_id
        self.redshift_workgroups = redshift_workgroups
        self._forwarder: Forwarder | None = None
        self._catalog: tuple[DataZoneCatalog, Outbox] | None = None

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's interface
        """Forward what is new.

        :param context: Airflow's context.
        :returns: counts by name; see :class:`updraft.lineage.forwarder.ForwardCounts`.
        :raises AirflowFailException: when something is not configured, or wrongly, which no
            retry can mend.
        :raises AirflowException: when the catalog takes no events, or the outbox fails.
        """
        try:
            self._forwarder = self._prepare()
            patience = number_argument(
                "close_orphans_after_minutes", self.close_orphans_after_minutes
            )
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        try:
            if patience:
                self._complete_runs(self._forwarder, timedelta(minutes=patience))
            counts = self._forwarder.run(self._log_progress)
            self._report_failures(counts)
        except UpdraftError as error:
            raise AirflowException(str(error)) from None  # it is complete on its own
        finally:
            for name, count in self._forwarder.counts.as_dict().items():
                count_metric(f"updraft.lineage.forward.{name}", count)
        self._log_progress(counts)
        return counts.as_dict()

    def _prepare(self) -> Forwarder:
        outbox = open_outbox(
            self.outbox_uri or configured_outbox_uri(),
            aws_conn_id=self.aws_conn_id,
            verify=self.verify,
            config=self.botocore_config,
        )
        conn_id = given(self.http_conn_id)
        if conn_id:
            rate = _rate(self.max_events_per_second, _HIGHEST_RATE_OF_HTTP)
            endpoint = http_catalog(conn_id)
            self.log.info("Forwarding from %s to %s, %g a second", outbox.uri, endpoint.name, rate)
            return Forwarder(
                outbox, endpoint, events_per_second=rate, rename=leave_names, limit=None
            )
        catalog = DataZoneCatalog(self.hook, self.domain_id or _configured_domain_id())
        self._catalog = catalog, outbox
        rate = _rate(self.max_events_per_second, HIGHEST_EVENTS_PER_SECOND)
        self.log.info(
            "Forwarding from %s to %s, %g events per second", outbox.uri, catalog.name, rate
        )
        return Forwarder(outbox, catalog, events_per_second=rate, rename=self._naming())

    def _naming(self) -> Callable[[dict[str, Any]], None]:
        account = given(self.account_id)
        if account is None:
            try:
                account = self.hook.account_id
            except Exception as error:  # noqa: BLE001 - names stay incomplete, events go on
                self.log.warning("The account is not known, so some names stay: %r", error)
                return rename_event
        if re.fullmatch(r"\d{12}", account) is None:
            raise ArgumentError(f"account_id: {account!r} is no id of an account, twelve digits")
        named = self.redshift_workgroups or ()
        workgroups = named.split(",") if isinstance(named, str) else named
        return AccountNaming(account, frozenset(name.strip() for name in workgroups))

    def _complete_runs(self, forwarder: Forwarder, after: timedelta) -> None:
        namespace = configured_namespace() or "default"
        try:
            forwarder.complete_runs(_state_in_airflow, namespace, after, last_tries)
        except UpdraftError:
            raise
        except Exception as error:  # noqa: BLE001 - Airflow's API may be down; events go on
            self.log.warning("Runs without an end cannot be looked up in Airflow: %r", error)

    def _report_failures(self, counts: ForwardCounts) -> None:
        """Name the events that DataZone has taken and could not process, each in one run only."""
        if self._catalog is None:
            return
        source, outbox = self._catalog
        try:
            for failure in new_failures(outbox, source.name, source.processing_failures):
                counts.failed_later += 1
                self.log.warning("DataZone has taken, and could not process, event %s", failure)
        except CatalogError as error:
            self.log.warning(
                "Whether DataZone could process what it took is not known; "
                "datazone:ListLineageEvents on the domain tells it. %s",
                error,
            )

    def on_kill(self) -> None:
        """Stop between two events, with the checkpoint saved."""
        if self._forwarder is not None:
            self._forwarder.stop()

    def _log_progress(self, counts: ForwardCounts) -> None:
        done = ", ".join(f"{name} {count}" for name, count in counts.as_dict().items() if count)
        self.log.info("Lineage events: %s", done or "nothing new")


def _state_in_airflow(attempt: TaskAttempt) -> str | None:
    if not attempt.task_id:
        return dag_run_state(attempt.dag_id, attempt.run_id)
    return task_instance_state(attempt.dag_id, attempt.run_id, attempt.task_id, attempt.map_index)


def _rate(value: float | str, highest: float) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = 0.0
    if not 0 < rate <= highest:
        reason = ", the quota of PostLineageEvent" if highest == HIGHEST_EVENTS_PER_SECOND else ""
        raise UpdraftError(
            f"max_events_per_second is {value!r}; give a number above 0 and up to "
            f"{highest:g}{reason}"
        )
    return rate


def _configured_domain_id() -> str:
    domain_id = conf.get("updraft", "datazone_domain_id", fallback="")
    if not domain_id:
        raise ArgumentError(
            "no DataZone domain is given: set domain_id on the task, or the Airflow "
            "configuration option [updraft] datazone_domain_id"
        )
    return str(domain_id)


def configured_namespace() -> str:
    """Read the OpenLineage namespace of this environment's jobs.

    :returns: the option ``[openlineage] namespace``, else the variable ``OPENLINEAGE_NAMESPACE``,
        which is all that ``openlineage-airflow`` knows; empty without both.
    """
    option = conf.get("openlineage", "namespace", fallback="")
    return str(option or os.environ.get("OPENLINEAGE_NAMESPACE", ""))


def configured_outbox_uri() -> str:
    """Read where the transport of this environment stores events.

    :returns: the URI.
    :raises ArgumentError: when it stores them nowhere.
    """
    uri = find_outbox_uri(conf.getjson("openlineage", "transport", fallback={})) or conf.get(
        "updraft", "lineage_outbox_uri", fallback=""
    )
    if not uri:
        raise ArgumentError(
            f"no outbox is given: set outbox_uri on the task, or [updraft] lineage_outbox_uri, or "
            f'configure [openlineage] transport with {{"type": "{TRANSPORT_TYPE}", '
            f'"uri": "s3://bucket/prefix"}}'
        )
    return uri
