"""A prefix in S3 as the destination of an export."""

import itertools
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import tenacity

from updraft.dynamodb.destination import Content, S3Prefix, StoredObject
from updraft.dynamodb.service_errors import AccessDeniedError, ServiceError, explained

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import MultipartUploadTypeDef

log = logging.getLogger(__name__)

_NO_SUCH_KEY = frozenset({"NoSuchKey", "404"})
_NAME_TAKEN = frozenset({"PreconditionFailed", "412"})
_CONFLICT = frozenset({"ConditionalRequestConflict", "409"})
_CONFLICT_ATTEMPTS = 8

PART_BYTES = 5 * 1024**2
"""Size of the parts of an upload, the least that S3 takes; each open file holds about three."""


_DELETED_AT_ONCE = 1000


class S3Destination:
    """Objects below one prefix, see :class:`updraft.dynamodb.destination.Destination`.

    :param client: low-level client; it serves all threads.
    :param location: bucket and prefix.
    """

    def __init__(self, client: "S3Client", location: S3Prefix) -> None:
        self._location = location
        self._client = client
        self._may_abort_uploads = True
        self._bucket = f"bucket {location.bucket!r}"

    @property
    def uri(self) -> str:
        """URI of the prefix without a slash at its end."""
        return self._location.uri

    def require_bucket(self) -> None:
        """Find out before long work whether there is a bucket to put its results into.

        A role that may only write there may not ask; then writing tells.

        :raises ResourceMissingError: when there is none.
        """
        try:
            with explained("s3:ListBucket", self._bucket):
                self._client.head_bucket(Bucket=self._location.bucket)
        except AccessDeniedError:
            log.debug("Whether there is a %s is not to be asked", self._bucket)

    def objects(self, name_prefix: str = "") -> Iterator[StoredObject]:
        """List the objects whose names begin with ``name_prefix``, page by page."""
        prefix = self._location.key_prefix
        with explained("s3:ListBucket", self._bucket):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._location.bucket, Prefix=prefix + name_prefix
            )
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield StoredObject(entry["Key"].removeprefix(prefix), entry["Size"])

    def read(self, name: str) -> Content | None:
        """Read a small object, ``None`` when there is no such object."""
        from botocore.exceptions import ClientError

        with self._explained("s3:GetObject", name):
            try:
                answer = self._client.get_object(Bucket=self._location.bucket, Key=self._key(name))
                return Content(answer["Body"].read(), answer["Metadata"])
            except ClientError as error:
                if error.response["Error"]["Code"] in _NO_SUCH_KEY:
                    return None
                raise

    def upload(self, name: str, content: BinaryIO, part_bytes: int = PART_BYTES) -> None:
        """Store a stream, by multipart upload if it is long; aborts it when reading fails.

        It is uploaded in the thread that reads it, one part after the other: boto3's own upload
        threads would read ahead up to ten parts per file.

        :param name: its name.
        :param content: the stream.
        :param part_bytes: size of the parts in bytes; S3 takes 10,000 of them.
        """
        from boto3.s3.transfer import TransferConfig

        with self._explained("s3:PutObject", name):
            self._client.upload_fileobj(
                content,
                self._location.bucket,
                self._key(name),
                Config=TransferConfig(
                    use_threads=False,
                    multipart_threshold=part_bytes,
                    multipart_chunksize=part_bytes,
                ),
            )

    def create(self, name: str, content: bytes, metadata: Mapping[str, str]) -> bool:
        """Store a small object with user metadata, or return ``False`` if the name is taken.

        When another request for the same name is under way, S3 asks to try again.

        .. seealso:: https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        from botocore.exceptions import ClientError

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_conflict),
            wait=tenacity.wait_random_exponential(0.1, max=5),
            stop=tenacity.stop_after_attempt(_CONFLICT_ATTEMPTS),
            reraise=True,
        )
        with self._explained("s3:PutObject", name):
            try:
                retrying(
                    self._client.put_object,
                    Bucket=self._location.bucket,
                    Key=self._key(name),
                    Body=content,
                    Metadata=dict(metadata),
                    IfNoneMatch="*",
                )
            except ClientError as error:
                if error.response["Error"]["Code"] in _NAME_TAKEN:
                    return False
                raise
        return True

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; one that is gone already is no error."""
        keys = map(self._key, names)
        with explained("s3:DeleteObject", self._bucket):
            while some := list(itertools.islice(keys, _DELETED_AT_ONCE)):
                answer = self._client.delete_objects(
                    Bucket=self._location.bucket,
                    Delete={"Objects": [{"Key": key} for key in some], "Quiet": True},
                )
                for error in answer.get("Errors", ())[:1]:
                    raise ServiceError(
                        f"s3:DeleteObject on object {error.get('Key')!r} in {self._bucket} failed "
                        f"({error.get('Code')}: {error.get('Message')}).",
                        error.get("Code", ""),
                        error.get("Message", ""),
                    )

    def abort_uploads(self, name_prefix: str, *, exact: bool = False) -> int:
        """Abort unfinished multipart uploads.

        They are invisible and only cost storage, so a role that may not list or abort them can
        still export; the log says so, once.

        :param name_prefix: what the names of their objects begin with.
        :param exact: whether that is the whole name.
        :returns: their number.
        """
        aborted = 0
        try:
            if self._may_abort_uploads:
                for upload in self._uploads(name_prefix):
                    if not exact or upload["Key"] == self._key(name_prefix):
                        aborted += self._abort(upload)
        except AccessDeniedError as error:
            self._may_abort_uploads = False
            log.warning("Unfinished uploads of killed attempts remain, if any. %s", error)
        return aborted

    def _uploads(self, name_prefix: str) -> "list[MultipartUploadTypeDef]":
        pages = self._client.get_paginator("list_multipart_uploads")
        with explained("s3:ListBucketMultipartUploads", self._bucket):
            found = pages.paginate(Bucket=self._location.bucket, Prefix=self._key(name_prefix))
            return [upload for page in found for upload in page.get("Uploads", ())]

    def _abort(self, upload: "MultipartUploadTypeDef") -> bool:
        from botocore.exceptions import ClientError

        with explained("s3:AbortMultipartUpload", f"object {upload['Key']!r} in {self._bucket}"):
            try:
                self._client.abort_multipart_upload(
                    Bucket=self._location.bucket, Key=upload["Key"], UploadId=upload["UploadId"]
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == "NoSuchUpload":  # it ended by itself
                    return False
                raise
        return True

    @contextmanager
    def _explained(self, action: str, name: str) -> Iterator[None]:
        """Explain errors about an object, or about the bucket if that is what is missing."""
        from botocore.exceptions import ClientError

        with explained(action, f"object {self._key(name)!r} in {self._bucket}"):
            try:
                yield
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchBucket":
                    raise
                with explained(action, self._bucket):
                    raise

    def _key(self, name: str) -> str:
        return self._location.key_prefix + name


def existing_destination(client: "S3Client", location: S3Prefix | None) -> S3Destination | None:
    """Open the destination of what long work may have to put aside, if there is to be one.

    :param client: low-level client.
    :param location: bucket and prefix, if any.
    :returns: the destination, ``None`` for no location.
    :raises ResourceMissingError: when there is no such bucket.
    """
    if location is None:
        return None
    destination = S3Destination(client, location)
    destination.require_bucket()
    return destination


def _is_conflict(error: BaseException) -> bool:
    from botocore.exceptions import ClientError

    return isinstance(error, ClientError) and error.response["Error"]["Code"] in _CONFLICT
