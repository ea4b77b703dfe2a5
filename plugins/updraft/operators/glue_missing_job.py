"""Says that a Glue job does not exist, and which one may have been meant."""

import difflib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any

from updraft.dynamodb.service_errors import ResourceMissingError, ServiceError
from updraft.hooks.glue import GlueClientHook

_MISSING = "EntityNotFoundException"
_MOST_NAMES = 1000  # ten pages; beyond them the nearest name is not worth the time


@contextmanager
def named_if_missing(hook: GlueClientHook, job_name: str) -> Iterator[None]:
    """Give the error of a call for a job that does not exist one sentence that says so.

    :param hook: asks Glue for the names of the jobs there are; a role need not be allowed to.
    :param job_name: name of the job.
    :raises ResourceMissingError: in place of the error that Glue knows no such job.
    """
    try:
        yield
    except ServiceError as error:
        if error.code != _MISSING:
            raise
        near = difflib.get_close_matches(job_name, _names(hook), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        said = f"{error.code}: {error.message}".rstrip(": .")
        raise ResourceMissingError(
            f"There is no Glue job {job_name!r} in {hook.conn_region_name}{hint} AWS says: {said}.",
            error.code,
            error.message,
        ) from error.__cause__


def _names(hook: GlueClientHook) -> list[str]:
    names: list[Any] = []
    with suppress(ServiceError):  # what the pages before an error have named counts
        names.extend(islice(hook.pages("ListJobs", "JobNames", "the jobs"), _MOST_NAMES))
    return names
