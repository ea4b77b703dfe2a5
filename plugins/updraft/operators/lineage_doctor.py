"""Looks at the whole way of lineage events, from the task to the catalog."""

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from airflow.configuration import conf
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import AirflowException, Context
from updraft.errors import UpdraftError
from updraft.hooks.datazone import DataZoneCatalog, DataZoneHook
from updraft.hooks.datazone_assets import source_identifiers
from updraft.hooks.outbox import open_outbox
from updraft.lineage.catalog import (
    CatalogAccessError,
    CatalogError,
    CatalogUnavailableError,
    EventRefusedError,
)
from updraft.lineage.configuration import find_outbox_uri
from updraft.lineage.diagnosis.assets import diagnose_assets
from updraft.lineage.diagnosis.checkpoints import diagnose_checkpoints
from updraft.lineage.diagnosis.configuration import diagnose_configuration, transport_types
from updraft.lineage.diagnosis.events import (
    EventSurvey,
    diagnose_dead_letters,
    diagnose_events,
    survey,
)
from updraft.lineage.diagnosis.findings import (
    Finding,
    Severity,
    error,
    has_errors,
    ok,
    warning,
)
from updraft.lineage.diagnosis.processing import diagnose_processing
from updraft.lineage.diagnosis.versions import PACKAGES, diagnose_versions
from updraft.lineage.outbox import Outbox
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.lineage import configured_namespace
from updraft.operators.template_arguments import given

_LEVELS: Mapping[Severity, int] = {
    Severity.OK: logging.INFO,
    Severity.WARNING: logging.WARNING,
    Severity.ERROR: logging.ERROR,
}
_PROBE = "diagnosis/probe.json"
_NO_EVENT = b"{}"  # which the catalog refuses to anybody who may post


@dataclass(frozen=True)
class Doctor:
    """Looks at everything it can reach, and goes on after what it cannot.

    :param outbox_uri: the outbox, empty for the configured one.
    :param domain_id: id of the DataZone domain, empty for the configured one.
    :param since: how far back events are looked at.
    :param longest_run: how long a task may run before it counts as one without end.
    :param aws_conn_id: connection for S3 and DataZone, None for the environment.
    :param region_name: region of the domain, None for that of the connection.
    :param hook_parameters: further arguments of the hooks.
    """

    outbox_uri: str = ""
    domain_id: str = ""
    since: timedelta = timedelta(days=1)
    longest_run: timedelta = timedelta(hours=12)
    aws_conn_id: str | None = "aws_default"
    region_name: str | None = None
    hook_parameters: dict[str, Any] = field(default_factory=dict)

    def findings(self) -> Iterator[Finding]:
        """Look.

        :returns: what was found, in the order of the way.
        """
        transport = conf.getjson("openlineage", "transport", fallback={})
        yield from diagnose_versions(_installed(), transport_types(transport))
        if transport or not self.outbox_uri:  # else this is not the Airflow that fills the outbox
            yield from diagnose_configuration(
                transport,
                disabled=conf.getboolean("openlineage", "disabled", fallback=False),
                namespace=configured_namespace() or None,
            )
        seen: EventSurvey | None = None
        uri = (
            self.outbox_uri
            or find_outbox_uri(transport)
            or conf.get("updraft", "lineage_outbox_uri", fallback="")
        )
        if uri:
            outbox = open_outbox(uri, aws_conn_id=self.aws_conn_id, **self.hook_parameters)
            yield from _carefully("outbox", lambda: self._reach(outbox))
            seen = yield from self._survey(outbox)
            yield from _carefully("dead letters", lambda: diagnose_dead_letters(outbox))
            yield from _carefully("forwarding", lambda: diagnose_checkpoints(outbox))
        domain_id = self.domain_id or conf.get("updraft", "datazone_domain_id", fallback="")
        if domain_id:
            yield from _carefully("catalog", lambda: self._catalog(domain_id, seen))
        else:
            yield warning(
                "catalog",
                "no DataZone domain is configured",
                "set updraft.datazone_domain_id, or give the domain",
            )

    def _survey(self, outbox: Outbox) -> Generator[Finding, None, EventSurvey | None]:
        try:
            seen = survey(outbox, datetime.now(UTC) - self.since)
        except UpdraftError as failure:
            yield error("events", str(failure), "let the role list and read the outbox")
            return None
        yield from diagnose_events(seen, longest_run=self.longest_run)
        return seen

    def _reach(self, outbox: Outbox) -> Iterator[Finding]:
        now = datetime.now(UTC).isoformat().encode()
        outbox.write(_PROBE, b'"%s"' % now)
        outbox.read(_PROBE)
        yield ok("outbox", f"{outbox.uri} can be written and read")

    def _catalog(self, domain_id: str, seen: EventSurvey | None) -> Iterator[Finding]:
        hook = DataZoneHook(
            aws_conn_id=self.aws_conn_id, region_name=self.region_name, **self.hook_parameters
        )
        catalog = DataZoneCatalog(hook, domain_id)
        try:
            catalog.post(_NO_EVENT, "updraft-diagnosis")
        except EventRefusedError:
            yield ok("catalog", f"domain {domain_id} takes events from this role")
        except CatalogAccessError as failure:
            yield error("catalog", str(failure), "allow datazone:PostLineageEvent on the domain")
            return
        except CatalogUnavailableError as failure:
            yield warning("catalog", str(failure), "look again; the events wait in the outbox")
            return
        yield self._processing(hook, domain_id)
        if seen is not None:
            yield from diagnose_assets(seen.datasets, list(source_identifiers(hook, domain_id)))

    def _processing(self, hook: DataZoneHook, domain_id: str) -> Finding:
        """Ask for what the domain took and could not process."""
        try:
            failures = list(hook.processing_failures(domain_id, datetime.now(UTC) - self.since))
        except CatalogError as failure:
            return warning(
                "processing",
                f"whether the domain could process what it took is not known: {failure}",
                "allow datazone:ListLineageEvents on the domain",
            )
        return diagnose_processing(failures, domain_id)


def _carefully(check: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except UpdraftError as failure:
        yield error(check, str(failure), "mend this first; what depends on it was not looked at")


def _installed() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if "apache-airflow" not in found:
        with suppress(PackageNotFoundError):
            found["apache-airflow"] = version("apache-airflow-core")
    return found


class LineageDoctorOperator(AwsOperator[DataZoneHook]):
    """Look at the way of lineage events, and fail where events are lost.

    .. seealso:: ``docs/lineage.md``

    :param domain_id: id of the DataZone domain; the option ``[updraft] datazone_domain_id`` if
        empty. (templated)
    :param outbox_uri: the outbox; the URI of the ``OutboxTransport`` in ``[openlineage] transport``
        if empty. (templated)
    :param look_back_hours: how far back events are looked at. (templated)
    :param longest_run_hours: how long a task may run before it counts as one that has no end.
        (templated)
    :param kwargs: as of ``AwsBaseOperator``.
    """

    aws_hook_class = DataZoneHook
    template_fields: Sequence[str] = aws_template_fields(
        "domain_id", "outbox_uri", "look_back_hours", "longest_run_hours"
    )
    ui_color = "#e8e4f5"

    def __init__(
        self,
        *,
        domain_id: str | None = None,
        outbox_uri: str | None = None,
        look_back_hours: float | str = 24,
        longest_run_hours: float | str = 12,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.domain_id = domain_id
        self.outbox_uri = outbox_uri
        self.look_back_hours = look_back_hours
        self.longest_run_hours = longest_run_hours

    def execute(self, context: Context) -> list[dict[str, str]]:  # noqa: ARG002 - Airflow's interface
        """Look, and log what was found.

        :param context: context of the task instance.
        :returns: the findings.
        :raises AirflowException: when there is an error among them.
        """
        doctor = Doctor(
            outbox_uri=self.outbox_uri or "",
            domain_id=self.domain_id or "",
            since=timedelta(hours=float(self.look_back_hours)),
            longest_run=timedelta(hours=float(self.longest_run_hours)),
            aws_conn_id=self.aws_conn_id,
            region_name=given(self.region_name),
            hook_parameters={"verify": self.verify, "config": self.botocore_config},
        )
        found = []
        for finding in doctor.findings():
            found.append(finding)
            advice = finding.advice and f" → {finding.advice}"
            self.log.log(
                _LEVELS[finding.severity], "%s: %s%s", finding.check, finding.message, advice
            )
        if has_errors(found):
            wrong = [one.message for one in found if one.severity is Severity.ERROR]
            raise AirflowException("; ".join(wrong))
        return [one.as_dict() for one in found]
