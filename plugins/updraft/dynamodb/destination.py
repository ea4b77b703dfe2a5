"""Where the files of an export go."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, Protocol

from updraft.errors import ArgumentError, UpdraftError
from updraft.s3_uri import parse_s3_uri


@dataclass(frozen=True)
class S3Prefix:
    """A directory in S3, so to speak.

    :param bucket: name of the bucket.
    :param prefix: key prefix without slashes around it, empty for the bucket as a whole.
    """

    bucket: str
    prefix: str

    @classmethod
    def parse(cls, uri: str) -> "S3Prefix":
        """Take an S3 URI apart.

        Repeated slashes become one, as Hadoop's paths did in the legacy tool: definitions append
        ``/<date>`` to a location that may end with a slash.

        :param uri: ``s3://<bucket>/<prefix>``; ``s3a`` and ``s3n`` are taken as ``s3``.
        :returns: its parts.
        :raises UpdraftError: when it is no S3 URI.
        """
        try:
            bucket, key = parse_s3_uri(uri)
        except UpdraftError as error:
            raise ArgumentError(f"s3_uri: {error}") from None
        return cls(bucket, re.sub("/+", "/", key).strip("/"))

    @property
    def uri(self) -> str:
        """The prefix as ``s3://`` URI without a slash at its end."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def key_prefix(self) -> str:
        """What the keys of all objects below the prefix start with."""
        return f"{self.prefix}/" if self.prefix else ""


class StoredObject(NamedTuple):
    """An object below the prefix.

    :param name: its key, relative to the prefix.
    :param size: its size in bytes.
    """

    name: str
    size: int


class Content(NamedTuple):
    """A small object.

    :param body: its bytes.
    :param metadata: its user metadata, keys in lower case.
    """

    body: bytes
    metadata: Mapping[str, str]


class Destination(Protocol):
    """The operations on objects below one prefix that an export needs; names are relative to it."""

    @property
    def uri(self) -> str:
        """URI of the prefix without a slash at its end."""

    def objects(self, name_prefix: str = "") -> Iterator[StoredObject]:
        """List what is there, page by page as the caller goes on."""

    def read(self, name: str) -> Content | None:
        """Read a small object, ``None`` when there is no such object."""

    def upload(self, name: str, content: BinaryIO) -> None:
        """Store a stream of unknown length; when reading it fails, nothing is left behind."""

    def create(self, name: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        """Store a small object with user metadata, or return ``False`` if the name is taken.

        Of several who do so at the same time only one succeeds.
        """

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is gone already is no error."""

    def abort_uploads(self, name_prefix: str) -> int:
        """Abort the unfinished multipart uploads of such objects and return their number."""
