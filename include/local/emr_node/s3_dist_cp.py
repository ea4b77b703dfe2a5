"""``s3-dist-cp`` between places in S3, object by object.

.. seealso:: https://docs.aws.amazon.com/emr/latest/ReleaseGuide/UsingEMR_s3distcp.html
"""

import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from include.local.emr_node.refusal import RefusedError, UsageError
from include.local.gateway.clients import client
from include.local.gateway.execution.objects import is_s3

_KNOWN = frozenset({"deleteOnSuccess", "dest", "s3Endpoint", "src", "srcPattern"})


def s3_dist_cp(arguments: Sequence[str]) -> int:
    """Copy objects.

    :param arguments: ``--src``, ``--dest``, and optionally ``--srcPattern`` and
        ``--deleteOnSuccess``.
    :returns: exit code.
    """
    options = dict(_options(arguments))
    for name in ("src", "dest"):
        location = options.get(name)
        if not location:
            raise UsageError(f"--{name} is missing")
        if not is_s3(location):
            raise RefusedError(f"--{name} {location}: there is no HDFS, only S3")
    pattern = re.compile(options.get("srcPattern", ".*"))
    source, target = urlsplit(options["src"]), urlsplit(options["dest"])
    s3: Any = client(os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_REGION"], "s3")
    prefix = source.path.lstrip("/")
    copied = 0
    for found in s3.get_paginator("list_objects_v2").paginate(Bucket=source.netloc, Prefix=prefix):
        for entry in found.get("Contents", ()):
            key = entry["Key"]
            below = key.removeprefix(prefix).lstrip("/")
            inside = (
                below == "" or prefix.endswith("/") or key.startswith(f"{prefix}/") or not prefix
            )
            if not inside or not pattern.fullmatch(f"{options['src'].rstrip('/')}/{below}"):
                continue
            to = "/".join(
                part for part in (target.path.strip("/"), below or key.rpartition("/")[2]) if part
            )
            s3.copy({"Bucket": source.netloc, "Key": key}, target.netloc, to)
            if "deleteOnSuccess" in options:
                s3.delete_object(Bucket=source.netloc, Key=key)
            copied += 1
    sys.stderr.write(f"Copied {copied} objects\n")
    return 0


def _options(arguments: Sequence[str]) -> Iterator[tuple[str, str]]:
    left = list(arguments)
    while left:
        name, equals, value = left.pop(0).removeprefix("--").partition("=")
        if name not in _KNOWN:
            raise RefusedError(f"the option --{name} of s3-dist-cp")
        if not equals and name != "deleteOnSuccess":
            if not left:
                raise UsageError(f"the option --{name} needs a value")
            value = left.pop(0)
        yield name, value
