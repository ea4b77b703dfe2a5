"""The part of Airflow's configuration that says where lineage events go.

Light to import: parsing a DAG must not bring in the OpenLineage client.
"""

from typing import Any

# How ``[openlineage] transport`` names the transport that stores events in the outbox.
TRANSPORT_TYPE = "updraft.lineage.transport.OutboxTransport"


def find_outbox_uri(transport: Any) -> str | None:
    """Find the outbox in a transport's configuration, within ``composite`` and ``transform`` too.

    :param transport: the decoded value of ``[openlineage] transport``.
    :returns: its URI, or ``None`` when events go elsewhere.
    """
    if isinstance(transport, list):
        return next(filter(None, map(find_outbox_uri, transport)), None)
    if not isinstance(transport, dict):
        return None
    if transport.get("type") == TRANSPORT_TYPE:
        uri = transport.get("uri")
        return uri if isinstance(uri, str) else None
    children = transport.get("transports")
    if isinstance(children, dict):
        children = list(children.values())
    return find_outbox_uri(children) or find_outbox_uri(transport.get("transport"))
