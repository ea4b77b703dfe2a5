"""Operators that carry lineage from the outbox to the catalog."""

from collections.abc import Sequence
from typing import Any

from airflow.configuration import conf
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import AirflowException, AirflowFailException, Context
from updraft.errors import ArgumentError, UpdraftError
from updraft.hooks.datazone import DataZoneCatalog, DataZoneHook
from updraft.hooks.outbox import open_outbox
from updraft.lineage.configuration import TRANSPORT_TYPE, find_outbox_uri
from updraft.lineage.forward_counts import ForwardCounts
from updraft.lineage.forwarder import DEFAULT_EVENTS_PER_SECOND, Forwarder
from updraft.operators.aws_operator import AwsOperator

# Quota of PostLineageEvent, per account and Region.
_HIGHEST_RATE = 20.0


class ForwardLineageOperator(AwsOperator[DataZoneHook]):
    """Post the lineage events in the outbox to Amazon DataZone, each once.

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
        of the account in the Region. (templated)
    :param aws_conn_id: Airflow connection for DataZone and, if the outbox is there, S3.
    :param region_name: Region of the domain.
    :param verify: whether, or with which bundle, to verify certificates.
    :param botocore_config: options of ``botocore.config.Config``, for DataZone and S3.
    """

    aws_hook_class = DataZoneHook
    template_fields: Sequence[str] = aws_template_fields(
        "domain_id", "outbox_uri", "max_events_per_second"
    )
    ui_color = "#e8e4f5"

    def __init__(
        self,
        *,
        domain_id: str | None = None,
        outbox_uri: str | None = None,
        max_events_per_second: float | str = DEFAULT_EVENTS_PER_SECOND,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.domain_id = domain_id
        self.outbox_uri = outbox_uri
        self.max_events_per_second = max_events_per_second
        self._forwarder: Forwarder | None = None

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
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from None
        try:
            counts = self._forwarder.run(self._log_progress)
        except UpdraftError as error:
            raise AirflowException(str(error)) from None  # it is complete on its own
        self._log_progress(counts)
        return counts.as_dict()

    def _prepare(self) -> Forwarder:
        catalog = DataZoneCatalog(self.hook, self.domain_id or _configured_domain_id())
        outbox = open_outbox(
            self.outbox_uri or configured_outbox_uri(),
            aws_conn_id=self.aws_conn_id,
            verify=self.verify,
            config=self.botocore_config,
        )
        rate = _rate(self.max_events_per_second)
        self.log.info(
            "Forwarding from %s to %s, %g events per second", outbox.uri, catalog.name, rate
        )
        return Forwarder(outbox, catalog, events_per_second=rate)

    def on_kill(self) -> None:
        """Stop between two events, with the checkpoint saved."""
        if self._forwarder is not None:
            self._forwarder.stop()

    def _log_progress(self, counts: ForwardCounts) -> None:
        done = ", ".join(f"{name} {count}" for name, count in counts.as_dict().items() if count)
        self.log.info("Lineage events: %s", done or "nothing new")


def _rate(value: float | str) -> float:
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = 0.0
    if not 0 < rate <= _HIGHEST_RATE:
        raise UpdraftError(
            f"max_events_per_second is {value!r}; give a number above 0 and up to "
            f"{_HIGHEST_RATE:g}, the quota of PostLineageEvent"
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
