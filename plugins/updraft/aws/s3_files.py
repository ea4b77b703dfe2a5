"""Objects in S3 as the files that an import or a verification reads."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from updraft.aws.s3_destination import S3Destination
from updraft.aws.s3_stream import open_object
from updraft.dynamodb.data_files import DataFile
from updraft.dynamodb.destination import Content, S3Prefix, StoredObject
from updraft.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class S3Files:
    """Lists, reads and opens objects by their URI, in any bucket.

    :param client: low-level client; it serves all threads.
    :param sleep: waits that many seconds before a lost connection is opened again.
    """

    def __init__(self, client: "S3Client", sleep: Callable[[float], None]) -> None:
        self._client = client
        self._sleep = sleep

    def objects(self, uri: str) -> Iterator[StoredObject]:
        """List the objects below a prefix.

        :param uri: URI of the prefix; a slash is added at its end.
        :returns: name relative to the prefix and size of each object, page by page.
        :raises ServiceError: when S3 refuses.
        """
        return S3Destination(self._client, S3Prefix.parse(uri)).objects()

    def read(self, uri: str) -> Content | None:
        """Read a small object.

        :param uri: its URI.
        :returns: its bytes and its metadata, ``None`` when there is no such object.
        :raises ServiceError: when S3 refuses.
        """
        bucket, key = parse_s3_uri(uri)
        return S3Destination(self._client, S3Prefix(bucket, "")).read(key)

    def open(self, file: DataFile) -> BinaryIO:
        """Open a file.

        The ETag of a manifest does not matter: it changes when an export is copied. Its MD5 does.

        :param file: the file.
        :returns: its content as it is stored, seekable.
        :raises ServiceError: when S3 refuses.
        """
        bucket, key = parse_s3_uri(file.uri)
        return open_object(self._client, bucket, key, size=file.size, sleep=self._sleep)
