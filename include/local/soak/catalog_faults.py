"""What the catalog does to the forwarder: rules of the proxy in `include.local.fault_proxy`."""

from collections import Counter
from typing import Any

from include.local.fault_proxy import FaultProxy, Rule

_POST: Rule = {"service": "datazone", "operation": "PostLineageEvent"}

FAULTS: tuple[Rule, ...] = (
    {**_POST, "probability": 0.06, "error": {"code": "ThrottlingException", "status": 429}},
    {**_POST, "probability": 0.04, "error": {"code": "InternalServerException", "status": 500}},
    # Nothing has reached the catalog.
    {**_POST, "probability": 0.03, "reset": True},
    # The catalog has taken the event, and its answer is lost.
    {**_POST, "probability": 0.03, "response": {"abort_bytes": 1}},
    {**_POST, "probability": 0.02, "timeout_ms": 2_000},
    {**_POST, "probability": 0.05, "latency": {"min": 200, "max": 1_500}},
)
"""One in four calls is met by one of them; the first that matches decides."""


def count(proxy: FaultProxy) -> Counter[str]:
    """Count what the proxy has done.

    :param proxy: the proxy.
    :returns: number by kind of fault.
    """
    return Counter(_kind(event) for event in proxy.fired())


def _kind(event: dict[str, Any]) -> str:
    kind, _, what = str(event["action"]).partition(":")
    return what if kind == "error" else f"{kind} of the answer" if kind == "response" else kind
