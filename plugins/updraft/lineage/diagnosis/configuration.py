"""Whether events have a way from a task into the outbox."""

from collections.abc import Iterator
from typing import Any

from updraft.lineage.configuration import TRANSPORT_TYPE, find_outbox_uri
from updraft.lineage.diagnosis.findings import Finding, error, ok, warning

_CHECK = "transport"
_LOSES = {
    "amazon_datazone_api": "posts from the task itself, and what DataZone does not take at once is "
    "lost",
    "console": "writes events into the log of the task, from where they have to be harvested",
    "http": "posts from the task itself, and what the server does not take at once is lost",
}


def transport_types(transport: Any) -> set[str]:
    """List the types of transports, within ``composite`` and ``transform`` too.

    :param transport: the decoded value of ``[openlineage] transport``.
    :returns: the types.
    """
    if isinstance(transport, list):
        return set().union(*map(transport_types, transport))
    if not isinstance(transport, dict):
        return set()
    found = {str(transport["type"])} if "type" in transport else set()
    children = transport.get("transports")
    if isinstance(children, dict):
        children = list(children.values())
    return found | transport_types(children) | transport_types(transport.get("transport"))


def diagnose_configuration(
    transport: Any, *, disabled: bool, namespace: str | None
) -> Iterator[Finding]:
    """Look at the options of ``[openlineage]``.

    :param transport: the decoded value of ``transport``.
    :param disabled: the value of ``disabled``.
    :param namespace: the value of ``namespace``.
    :returns: what was seen.
    """
    if disabled:
        yield error(
            _CHECK, "OpenLineage is switched off", "set openlineage.disabled to False, or remove it"
        )
    types = transport_types(transport)
    uri = find_outbox_uri(transport)
    if not types:
        yield error(
            _CHECK,
            "no transport is configured, so the provider emits nothing",
            f'set openlineage.transport to {{"type": "{TRANSPORT_TYPE}", "uri": "s3://…"}}',
        )
    elif uri is None:
        listed = ", ".join(sorted(types))
        why = "; ".join(f"{one} {_LOSES[one]}" for one in sorted(types & _LOSES.keys()))
        yield warning(
            _CHECK,
            f"events do not go into the outbox but to: {listed}" + (f" ({why})" if why else ""),
            f"add a transport of the type {TRANSPORT_TYPE}",
        )
    else:
        yield ok(_CHECK, f"events go into {uri}")
    if not namespace or namespace == "default":
        yield warning(
            _CHECK,
            "jobs are in the namespace 'default', as those of every other environment without one",
            "set openlineage.namespace to the name of this environment",
        )
