"""Keeps what a user has typed into a form out of lineage events.

The OpenLineage provider copies the configuration of the DAG run into each event, where it masks
only members whose names sound secret. An argument of a job such as ``--token=…`` is none of these,
and the catalog shows events to readers who never see the DAG run.
"""

import json
from typing import Any

_MASK = "***"
_PARENT = "openlineage"
"""Names the run that has triggered this one; the catalog needs it and it holds identifiers only."""


def mask_run_configuration(body: bytes) -> bytes:
    """Replace the values of the DAG run's configuration in all facets of a run.

    :param body: an event of OpenLineage as JSON.
    :returns: the event with ``***`` for each value and the names as they are; the very same bytes
        if there is no configuration.
    """
    if b'"conf"' not in body:
        return body
    event = json.loads(body)
    facets = (event.get("run") or {}).get("facets") or {}
    runs = [facet["dagRun"] for facet in facets.values() if _has_configuration(facet)]
    if not runs:
        return body
    for run in runs:
        run["conf"] = {
            name: value if name == _PARENT else _MASK for name, value in run["conf"].items()
        }
    return json.dumps(event).encode()


def _has_configuration(facet: Any) -> bool:
    run = facet.get("dagRun") if isinstance(facet, dict) else None
    return isinstance(run, dict) and isinstance(run.get("conf"), dict) and bool(run["conf"])
