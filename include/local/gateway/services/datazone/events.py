"""Reading the events that PostLineageEvent takes: OpenLineage RunEvents and nothing else."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from include.local.gateway.errors import AwsError

SCHEMAS = Path(__file__).resolve().parents[5] / "plugins" / "updraft" / "lineage" / "schemas"
"""The official OpenLineage schemas, as Updraft ships them."""

_CORE = "OpenLineage.json"
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_SHOWN = 200  # characters of a wrong value that fit into a message


@dataclass(frozen=True)
class RunEvent:
    """A RunEvent that satisfies the official schema.

    :param body: the event as it was posted.
    :param content: the same, parsed.
    """

    body: bytes
    content: Mapping[str, Any]

    @cached_property
    def time(self) -> datetime:
        """When it happened, in UTC."""
        return datetime.fromisoformat(self.content["eventTime"].upper()).astimezone(UTC)

    @property
    def type(self) -> str:
        """State of the run, such as ``START``; OpenLineage leaves it optional."""
        return str(self.content.get("eventType", "OTHER"))

    @property
    def run_id(self) -> str:
        """Identifier of the run, a UUID."""
        return str(self.content["run"]["runId"])

    def summary(self) -> dict[str, Any]:
        """Summarise the event as ListLineageEvents does.

        :returns: members of ``OpenLineageRunEventSummary``.
        """
        return {
            "eventType": self.type,
            "runId": self.run_id,
            "job": _name(self.content["job"]),
            "inputs": [_name(dataset) for dataset in self.content.get("inputs", [])],
            "outputs": [_name(dataset) for dataset in self.content.get("outputs", [])],
        }


def _name(thing: Mapping[str, Any]) -> dict[str, str]:
    return {"name": thing["name"], "namespace": thing["namespace"]}


class EventReader:
    """Checks events against the official schema.

    :param schemas: directory with ``OpenLineage.json`` and whatever it refers to.
    :raises FileNotFoundError: when the schema is not there.
    """

    def __init__(self, schemas: Path = SCHEMAS) -> None:
        core = next(iter(sorted(schemas.rglob(_CORE))), None)
        if core is None:
            raise FileNotFoundError(f"{schemas} holds no {_CORE}, which events are checked against")
        schema = json.loads(core.read_text(encoding="utf-8"))
        registry: Registry[Any] = Registry().with_resource(
            schema["$id"], Resource.from_contents(schema)
        )
        self._validator = Draft202012Validator(
            {"$ref": f"{schema['$id']}#/$defs/RunEvent"},
            registry=registry,
            format_checker=_formats(),
        )

    def read(self, body: bytes) -> RunEvent:
        """Read a posted event.

        :param body: the event, JSON in UTF-8.
        :returns: the event.
        :raises AwsError: ``ValidationException`` when it is not JSON or not a RunEvent.
        """
        try:
            content = json.loads(body)
        except ValueError as error:
            raise _invalid(f"it is not JSON: {error}") from error
        if isinstance(content, dict) and "run" not in content:
            raise _invalid("it has no run; only RunEvents are accepted")
        fault = next(self._validator.iter_errors(content), None)
        if fault is not None:
            where = "/".join(str(step) for step in fault.absolute_path) or "the event"
            raise _invalid(f"{where}: {fault.message[:_SHOWN]}")
        return RunEvent(body, content)


def _formats() -> FormatChecker:
    """Check UUIDs, and times by RFC 3339, for which jsonschema wants one more package."""
    formats = FormatChecker(("uuid",))

    def is_time(value: object) -> bool:
        return not isinstance(value, str) or (
            _TIME.fullmatch(value) is not None and bool(datetime.fromisoformat(value.upper()))
        )

    formats.checks("date-time", raises=ValueError)(is_time)
    return formats


def _invalid(why: str) -> AwsError:
    return AwsError("ValidationException", f"The lineage event is not valid, {why}")
