"""Which task instance an AWS resource belongs to, written on the resource itself.

A retry finds what an earlier attempt has started by its token, and the reaper finds what outlived
its run by its tags. Both work when Airflow has forgotten everything about the attempt: XComs are
cleared before a retry, and a killed process writes none.
"""

import json
import logging
import os
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

_log = logging.getLogger(__name__)

_NAMESPACE = uuid.UUID("7f2f0a52-7c0e-5d0c-8a57-2f6f8f0a6c11")
_PREFIX = "updraft:"

ENVIRONMENT_TAG = f"{_PREFIX}environment"
"""Tag that every resource has which was started by a task; its value names the environment."""

TOKEN_TAG = f"{_PREFIX}token"
"""Tag with the token of the task instance, by which a retry finds its resource."""

SERIES_TAG = f"{_PREFIX}series"
"""Tag of a resource that is the result of some attempts only: those since the task was cleared."""

KEEP_TAG = f"{_PREFIX}keep"
"""Tag that a resource has, with the value ``true``, which stays on purpose after its run."""

# What a value of a tag may consist of, but for the equals sign, which begins an escape. The
# narrowest of the services decides.
# https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
_ESCAPED = re.compile(r"[^A-Za-z0-9 _.:/+@-]")
_ESCAPE = re.compile(r"((?:=[0-9A-F]{2})+)")
_LONGEST = 256


@dataclass(frozen=True)
class ResourceOwner:
    """A task instance, in all of its attempts.

    :param environment: name of the Airflow environment.
    :param dag_id: id of the DAG.
    :param run_id: id of the DAG run.
    :param task_id: id of the task, with its groups.
    :param map_index: index of a mapped task, -1 for any other.
    """

    environment: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1

    @classmethod
    def of(cls, context: Mapping[str, Any]) -> Self:
        """Name the owner of what a task starts.

        :param context: context of the task instance.
        :returns: the task instance in this environment.
        """
        instance = context["ti"]
        if configured_environment() is None:
            _log.warning(
                "This Airflow environment has no name. If another one without a name uses the same "
                "AWS account, runs of equal DAG, run and task take each other's resources for "
                "their own: set the configuration option updraft.environment."
            )
        return cls(
            environment_name(),
            instance.dag_id,
            instance.run_id,
            instance.task_id,
            instance.map_index,
        )

    @classmethod
    def from_tags(cls, tags: Mapping[str, str]) -> Self | None:
        """Read the owner of a resource.

        :param tags: all tags of the resource.
        :returns: its owner; None when it has none, or its tags were cut or changed.
        """
        values = {
            name: _unescape(tags.get(f"{_PREFIX}{name}", ""))
            for name in ("environment", "dag_id", "run_id", "task_id", "map_index")
        }
        if not all(values.values()) or not re.fullmatch(r"-1|\d+", values["map_index"]):
            return None
        owner = cls(
            values["environment"],
            values["dag_id"],
            values["run_id"],
            values["task_id"],
            int(values["map_index"]),
        )
        return owner if tags.get(TOKEN_TAG) == owner.token() else None

    def token(self, *parts: object) -> str:
        """Make a token that has the same value in each attempt and belongs to nobody else.

        :param parts: what tells several things of one task instance apart; they can be written as
            JSON.
        :returns: a UUID.
        """
        identity = [self.environment, self.dag_id, self.run_id, self.task_id, self.map_index]
        return str(uuid.uuid5(_NAMESPACE, json.dumps([*identity, *parts])))

    def tags(self) -> dict[str, str]:
        """Write the owner as tags of a resource.

        :returns: value by key, at most 256 characters each; a value that does not fit is cut, and
            :meth:`from_tags` then finds no owner while the token still finds the resource.
        """
        values = {
            "environment": self.environment,
            "dag_id": self.dag_id,
            "run_id": self.run_id,
            "task_id": self.task_id,
            "map_index": str(self.map_index),
            "token": self.token(),
        }
        return {
            f"{_PREFIX}{name}": _ESCAPED.sub(_escape, value)[:_LONGEST]
            for name, value in values.items()
        }

    def __str__(self) -> str:
        index = "" if self.map_index < 0 else f"[{self.map_index}]"
        return f"task {self.task_id}{index} of run {self.run_id} of DAG {self.dag_id}"


def configured_environment() -> str | None:
    """Read the name of the Airflow environment that this process belongs to.

    :returns: the variable ``AIRFLOW__UPDRAFT__ENVIRONMENT``, into which MWAA turns the
        configuration option ``updraft.environment``, else ``AIRFLOW_ENV_NAME``, which MWAA sets by
        itself, with the Region, since two Regions may have environments of one name; None when
        there is neither.
    """
    configured = os.environ.get("AIRFLOW__UPDRAFT__ENVIRONMENT")
    name = os.environ.get("AIRFLOW_ENV_NAME")
    if configured or not name:
        return configured or None
    region = os.environ.get("AWS_REGION")
    return f"{name}.{region}" if region else name


def environment_name() -> str:
    """Name the Airflow environment that this process belongs to.

    :returns: :func:`configured_environment`, else ``airflow``.
    """
    return configured_environment() or "airflow"


def _escape(match: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in match[0].encode())


def _unescape(value: str) -> str:
    def decoded(match: re.Match[str]) -> str:
        return bytes.fromhex(match[1].replace("=", "")).decode(errors="replace")

    return _ESCAPE.sub(decoded, value)
