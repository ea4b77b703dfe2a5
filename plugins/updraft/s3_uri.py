"""Takes the URIs of Amazon S3 apart."""

import re
from typing import NamedTuple

from updraft.errors import ArgumentError

# Buckets made before 2018 in us-east-1 may have capitals, underscores and up to 255 characters:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_S3_URI = re.compile(
    r"s3[an]?://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{2,254})(?:/(?P<key>.*))?", re.DOTALL
)


class S3Uri(NamedTuple):
    """The parts of an S3 URI.

    :param bucket: name of the bucket.
    :param key: key or prefix as it was written, with all its slashes but the one after the
        bucket; empty for the bucket as a whole.
    """

    bucket: str
    key: str


def parse_s3_uri(uri: str) -> S3Uri:
    """Take an S3 URI apart.

    A key may have any character, so ``#``, ``?`` and ``%`` stand for themselves: they do not set
    off a fragment, a query or an escape as in URLs.

    :param uri: ``s3://<bucket>/<key or prefix>``; ``s3a`` and ``s3n`` are taken as ``s3``.
    :returns: bucket and key.
    :raises UpdraftError: when it is no S3 URI.
    """
    match = _S3_URI.fullmatch(uri) if isinstance(uri, str) else None
    if match is None:
        raise ArgumentError(f"{uri!r} is not an S3 URI; it looks like s3://bucket/prefix")
    return S3Uri(match["bucket"], match["key"] or "")
