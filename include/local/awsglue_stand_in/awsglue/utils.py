"""Arguments of a job."""

import argparse
from collections.abc import Sequence
from typing import NoReturn


class GlueArgumentError(Exception):
    """An argument is missing or wrong."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


_RESERVED = ("job-bookmark-option", "TempDir", "JOB_RUN_ID")


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:  # noqa: N802 - AWS's name
    """Read the arguments that a script needs.

    :param args: ``sys.argv``.
    :param options: names of the arguments, without dashes; each has to be given.
    :returns: values by name, and those of reserved arguments that were given, with underscores.
    :raises GlueArgumentError: when one is missing.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
    """
    parser = _Parser(allow_abbrev=False, add_help=False)
    for name in options:
        parser.add_argument(f"--{name}", required=True)
    for name in _RESERVED:
        if name not in options:
            parser.add_argument(f"--{name}")
    known, _ = parser.parse_known_args(list(args)[1:])
    return {name: value for name, value in vars(known).items() if value is not None}
