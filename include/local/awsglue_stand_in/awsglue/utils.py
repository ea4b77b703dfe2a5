"""Arguments of a job."""

import argparse
from collections.abc import Sequence
from typing import NoReturn


class GlueArgumentError(Exception):
    """An argument is missing or wrong."""


class _Parser(argparse.ArgumentParser):
    """Takes the beginning of a name for the name, as Glue's does, and raises what is wrong."""

    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


_BOOKMARK = "job-bookmark-option"
_CONTINUATION = "continuation-option"  # what bookmarks were called once
_STATES = ("enable", "pause", "disable")
_OLD_STATES = ("enabled", "readonly", "ignore")
_RANGE = ("job-bookmark-from", "job-bookmark-to")
_RESERVED = (_CONTINUATION, _BOOKMARK, *_RANGE)
_FROM_GLUE = ("JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "enable-data-lineage")
_TEMPORARY = ("TempDir", "RedshiftTempDir")


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str | None]:  # noqa: N802 - AWS's name
    """Read the arguments that a script needs.

    :param args: ``sys.argv``.
    :param options: names of the arguments, without dashes; each has to be given, but for
        ``TempDir``.
    :returns: values by name, and those of the arguments that Glue itself gives, with underscores
        for dashes; None for those that are absent.
    :raises GlueArgumentError: when one is missing or has no value.
    :raises RuntimeError: when a name is reserved, or only one end of a range of bookmarks is given.
    :raises argparse.ArgumentError: when a name is one that Glue itself gives.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
        and ``awsglue.utils`` in https://github.com/awslabs/aws-glue-libs
    """
    for name in _RESERVED:
        if name in options:
            raise RuntimeError(f"Using reserved arguments {name}")
    parser = _Parser()
    parser.add_argument(f"--{_BOOKMARK}", choices=[f"job-bookmark-{state}" for state in _STATES])
    parser.add_argument(
        f"--{_CONTINUATION}", choices=[f"continuation-{state}" for state in _OLD_STATES]
    )
    for name in (*_RANGE, *_FROM_GLUE, *_TEMPORARY):
        parser.add_argument(f"--{name}")
    parser.add_argument("--encryption-type", choices=["sse-s3"])
    for name in options:
        if name not in _TEMPORARY:
            parser.add_argument(f"--{name}", required=True)
    parsed, _ = parser.parse_known_args(list(args)[1:])
    values: dict[str, str | None] = vars(parsed)
    values["TempDir"] = values["TempDir"] or values["RedshiftTempDir"]
    values["RedshiftTempDir"] = values["TempDir"]
    _settle_bookmark(values)
    return values


def _settle_bookmark(values: dict[str, str | None]) -> None:
    """Say what becomes of the bookmark, also where the job says it in the old words or not."""
    old = values.pop("continuation_option")
    state = _STATES[_OLD_STATES.index(old.removeprefix("continuation-"))] if old else "disable"
    values["job_bookmark_option"] = values["job_bookmark_option"] or f"job-bookmark-{state}"
    absent = [name for name in _RANGE if values[name.replace("-", "_")] is None]
    if values["job_bookmark_option"] == "job-bookmark-pause":
        if len(absent) == 1:
            raise RuntimeError(f"Missing option or value for --{absent[0]}")
    elif not absent:
        raise RuntimeError(f"Invalid option(s) {' '.join(f'--{name}' for name in _RANGE)}")
