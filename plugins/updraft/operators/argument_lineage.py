"""What the arguments of a program say about what it reads and writes."""

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

_PLACE = r"(?:-(?:path|uri|url|location|dir|directory|prefix|s3))?"
_READS = re.compile(rf"--?(?:s3-)?(?:inputs?|source|src){_PLACE}")
_WRITES = re.compile(rf"--?(?:s3-)?(?:outputs?|dest|destination|target|sink){_PLACE}")
_INNER_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_S3 = ("s3://", "s3a://", "s3n://")


def flagged_uris(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Find the URIs of S3 that a command line clearly reads or writes.

    :param arguments: the arguments, with ``--input URI`` or ``--input=URI`` among them.
    :returns: what follows a flag for input, and what follows one for output.
    """
    pairs = [*pairwise(arguments)]
    pairs += [(flag, value) for flag, _, value in (one.partition("=") for one in arguments)]
    return _flagged(pairs)


def named_uris(arguments: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Find the URIs of S3 that named arguments clearly read or write.

    :param arguments: value by name, such as ``{"--output_path": "s3://bucket/prefix"}``.
    :returns: the values of names for input, and of those for output.
    """
    return _flagged(arguments.items())


def _flagged(pairs: Iterable[tuple[str, str]]) -> tuple[list[str], list[str]]:
    reads: list[str] = []
    writes: list[str] = []
    for flag, value in pairs:
        if not str(value).startswith(_S3):
            continue
        name = _INNER_CAPITAL.sub("-", flag).replace("_", "-").lower()
        if _READS.fullmatch(name):
            reads.append(value)
        elif _WRITES.fullmatch(name):
            writes.append(value)
    return reads, writes
