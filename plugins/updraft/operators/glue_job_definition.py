"""Keeps the definition of a Glue job as the code of a DAG has it.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-job.html
"""

import difflib
import hashlib
import json
import logging
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from updraft.dynamodb.service_errors import (
    AccessDeniedError,
    ResourceMissingError,
    ServiceError,
    explained,
)
from updraft.errors import UpdraftError
from updraft.hooks.glue import GlueClientHook
from updraft.operators.glue_missing_job import named_if_missing
from updraft.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_MOST_TRIES = 5
_CHANGED_MEANWHILE = frozenset(
    {
        "AlreadyExistsException",
        "ConcurrentModificationException",
        "IdempotentParameterMismatchException",
    }
)
_ONLY_WHEN_CREATED = ("Name", "Tags")
# What UpdateJob takes off a job if it is not given, and Glue never fills in by itself.
_REMOVED_IF_ABSENT = (
    "Connections",
    "DefaultArguments",
    "Description",
    "LogUri",
    "MaintenanceWindow",
    "NonOverridableArguments",
    "NotificationProperty",
    "SecurityConfiguration",
    "SourceControlDetails",
)
_REQUIRED = ("Command", "Role")
_ARGUMENTS = ("DefaultArguments", "NonOverridableArguments")
# Arguments of Glue's own whose values are no secrets; what another one holds, nobody knows.
# https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
_SHOWN = frozenset(
    f"--{name}"
    for name in (
        "additional-python-modules",
        "class",
        "continuous-log-logGroup",
        "continuous-log-logStreamPrefix",
        "datalake-formats",
        "enable-auto-scaling",
        "enable-continuous-cloudwatch-log",
        "enable-continuous-log-filter",
        "enable-glue-datacatalog",
        "enable-job-insights",
        "enable-metrics",
        "enable-observability-metrics",
        "enable-spark-ui",
        "extra-files",
        "extra-jars",
        "extra-py-files",
        "job-bookmark-option",
        "job-language",
        "scriptLocation",
        "spark-event-logs-path",
        "TempDir",
    )
)
_HIDDEN = "***"


def ensure_job(hook: GlueClientHook, definition: Mapping[str, Any]) -> dict[str, Any]:
    """Create a job, or update it if it differs.

    Several tasks may do so at the same time: who comes second finds the job as it should be.

    :param hook: asks Glue.
    :param definition: input of CreateJob.
    :returns: the job as GetJob describes it.
    :raises UpdraftError: when Glue refuses the definition.
    """
    name = str(definition["Name"])
    for number in range(_MOST_TRIES):
        try:
            return _ensured(hook, name, definition)
        except ServiceError as error:
            if error.code not in _CHANGED_MEANWHILE or number + 1 == _MOST_TRIES:
                raise
            log.info("Somebody else is changing job %s; looking again", name)
    raise AssertionError("unreachable")


def find_job(hook: GlueClientHook, name: str) -> dict[str, Any]:
    """Get a job that exists.

    :param hook: asks Glue.
    :param name: its name.
    :returns: the job as GetJob describes it.
    :raises UpdraftError: when there is none.
    """
    with named_if_missing(hook, name):
        return _described(hook, name)


def difference(job: Mapping[str, Any], definition: Mapping[str, Any]) -> str:
    """Say what an update would change.

    What the definition leaves out counts only where Glue fills in nothing by itself. The values of
    arguments are hidden, but for some of Glue's own: jobs are often given passwords that way.

    :param job: the job as GetJob describes it.
    :param definition: input of CreateJob.
    :returns: a unified diff of both as JSON, empty when nothing would change.
    """
    wanted = {k: v for k, v in definition.items() if k not in _ONLY_WHEN_CREATED}
    named = {*wanted, *(name for name in _REMOVED_IF_ABSENT if job.get(name))}
    # Of a structure Glue may return more members than it was given, such as PythonVersion.
    found = {name: _narrowed(job.get(name), wanted.get(name)) for name in named if name in job}
    lines = difflib.unified_diff(
        _as_lines(_without_secrets(found, wanted, "before")),
        _as_lines(_without_secrets(wanted, found, "after")),
        "job",
        "definition",
        lineterm="",
        n=1,
    )
    return "\n".join(lines)


def check_definition(definition: Mapping[str, Any], job_name: str | None) -> dict[str, Any]:
    """Check the definition of a job.

    :param definition: input of CreateJob, its name may be missing.
    :param job_name: name that the task gives the job.
    :returns: the definition with its name.
    :raises UpdraftError: when something is missing or contradicts.
    """
    name = definition.get("Name") or job_name
    if not name:
        raise UpdraftError("job_definition: it has no 'Name', and there is no job_name")
    if job_name and name != job_name:
        raise UpdraftError(
            f"job_definition: its 'Name' is {name!r}, while job_name is {job_name!r}; leave one "
            "of them out"
        )
    missing = [member for member in _REQUIRED if not definition.get(member)]
    if missing:
        raise UpdraftError(
            f"job_definition: {' and '.join(map(repr, missing))} is missing; it is what CreateJob "
            "takes, such as {'Role': 'glue', 'Command': {'Name': 'glueetl', 'ScriptLocation': ...}}"
        )
    return {**definition, "Name": name}


def upload_script(client: "S3Client", script: Path, prefix: str) -> str:
    """Put a script where Glue reads it, unless it is there.

    Its name contains a digest of its content: a run that began with another content keeps its own.

    :param client: client of S3.
    :param script: path of the script.
    :param prefix: ``s3://bucket/prefix`` that it goes to.
    :returns: its URI.
    :raises UpdraftError: when it can't be read, or S3 refuses.
    """
    try:
        content = script.read_bytes()
    except OSError as error:
        raise UpdraftError(f"script_path: {script} can't be read: {error.strerror}") from error
    bucket, folder = parse_s3_uri(prefix)
    digest = hashlib.sha256(content).hexdigest()[:16]
    key = str(PurePosixPath(folder.strip("/")) / f"{script.stem}-{digest}{script.suffix}")
    uri = f"s3://{bucket}/{key}"
    try:
        with explained("s3:GetObject", uri):
            client.head_object(Bucket=bucket, Key=key)
        log.info("The script is at %s already", uri)
    except (AccessDeniedError, ResourceMissingError):
        # Who may not list the bucket is not told that it lacks an object.
        with explained("s3:PutObject", uri):
            client.put_object(Bucket=bucket, Key=key, Body=content)
        log.info("Uploaded the script to %s", uri)
    return uri


def _ensured(hook: GlueClientHook, name: str, definition: Mapping[str, Any]) -> dict[str, Any]:
    resource = f"Glue job {name!r}"
    try:
        job = _described(hook, name)
    except ServiceError as error:
        if error.code != "EntityNotFoundException":
            raise
        hook.request("CreateJob", resource, **definition)
        log.info("Created job %s", name)
        return find_job(hook, name)
    changes = difference(job, definition)
    if not changes:
        log.info("Job %s is as it should be", name)
        return job
    log.info("Updating job %s:\n%s", name, changes)
    update = {k: v for k, v in definition.items() if k not in _ONLY_WHEN_CREATED}
    hook.request("UpdateJob", resource, JobName=name, JobUpdate=update)
    return find_job(hook, name)


def _described(hook: GlueClientHook, name: str) -> dict[str, Any]:
    job: dict[str, Any] = hook.request("GetJob", f"Glue job {name!r}", JobName=name)["Job"]
    return job


def _narrowed(found: Any, wanted: Any) -> Any:
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        # Maps of arguments are compared as they are; their keys begin with dashes.
        if any(str(key).startswith("--") for key in (*found, *wanted)):
            return found
        return {key: value for key, value in found.items() if key in wanted}
    return found


def _without_secrets(job: Mapping[str, Any], other: Mapping[str, Any], side: str) -> dict[str, Any]:
    """Hide the values of arguments; one that differs still does."""
    shown = dict(job)
    for member in _ARGUMENTS:
        arguments, others = job.get(member), other.get(member)
        if isinstance(arguments, Mapping):
            shown[member] = {
                name: value
                if name in _SHOWN
                else _HIDDEN
                if isinstance(others, Mapping) and others.get(name) == value
                else f"{_HIDDEN} {side}"
                for name, value in arguments.items()
            }
    return shown


def _as_lines(value: Mapping[str, Any]) -> list[str]:
    return json.dumps(value, indent=2, sort_keys=True, default=str).splitlines()
