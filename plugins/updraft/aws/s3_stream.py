"""An object in S3 as a file that survives a lost connection."""

import io
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tenacity

from updraft.dynamodb.service_errors import explained
from updraft.errors import UpdraftError

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client

_BUFFER_BYTES = 1024**2
_ATTEMPTS = 8
_LONGEST_PAUSE = 20.0
_CHANGED = frozenset({"PreconditionFailed", "412"})


def open_object(
    client: "S3Client",
    bucket: str,
    key: str,
    *,
    size: int | None = None,
    sleep: Callable[[float], None],
) -> io.BufferedReader:
    """Open an object for reading.

    :param client: low-level client.
    :param bucket: its bucket.
    :param key: its key.
    :param size: its size in bytes, ``None`` to ask for it.
    :param sleep: waits that many seconds before a lost connection is opened again.
    :returns: a seekable file of bytes, buffered.
    :raises ServiceError: when there is no such object, or it may not be read.
    """
    stream = S3ObjectStream(client, bucket, key, size=size, sleep=sleep)
    return io.BufferedReader(stream, _BUFFER_BYTES)


class ObjectChangedError(UpdraftError):
    """An object is no longer the one that was listed, or that was being read."""


class S3ObjectStream(io.RawIOBase):
    """The bytes of an object, read on as one stream until the first jump, in pieces after it.

    boto3 repeats a request that fails, but not one whose answer breaks off half way. Here reading
    goes on at the same byte, of the same version of the object.

    :param client: low-level client.
    :param bucket: bucket of the object.
    :param key: its key.
    :param size: its size in bytes, ``None`` to ask for it.
    :param sleep: waits that many seconds.
    """

    def __init__(
        self,
        client: "S3Client",
        bucket: str,
        key: str,
        *,
        size: int | None,
        sleep: Callable[[float], None],
    ) -> None:
        super().__init__()
        self._client = client
        self._bucket = bucket
        self._key = key
        self._sleep = sleep
        self._position = 0
        self._body: StreamingBody | None = None
        self._random = False
        self._etag: str | None = None  # that of the first answer
        if size is None:
            with self._explained():
                size = client.head_object(Bucket=bucket, Key=key)["ContentLength"]
        self._size = size

    @property
    def uri(self) -> str:
        """URI of the object."""
        return f"s3://{self._bucket}/{self._key}"

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that one can jump in it."""
        return True

    def tell(self) -> int:
        """Return the position in bytes."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Jump.

        :param offset: number of bytes.
        :param whence: from where, see :meth:`io.IOBase.seek`.
        :returns: the new position.
        """
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        position = max(base + offset, 0)
        if position != self._position:
            self._random = True
            self._drop_body()
            self._position = position
        return position

    def readinto(self, buffer: Any, /) -> int:
        """Read the next bytes.

        :param buffer: where they go.
        :returns: how many they are, 0 at the end.
        :raises ServiceError: when S3 refuses, or the connection is lost again and again.
        """
        if self._position >= self._size:
            return 0
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_lost_connection),
            wait=tenacity.wait_random_exponential(0.1, max=_LONGEST_PAUSE),
            stop=tenacity.stop_after_attempt(_ATTEMPTS),
            sleep=self._sleep,
            reraise=True,
        )
        with self._explained():
            content: bytes = retrying(self._read, len(buffer))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def close(self) -> None:
        """Give the connection back."""
        self._drop_body()
        super().close()

    def _read(self, size: int) -> bytes:
        from botocore.exceptions import ResponseStreamingError

        try:
            if self._body is None:
                self._body = self._open(size)
            content: bytes = self._body.read(min(size, self._size - self._position))
        except Exception:
            self._drop_body()
            raise
        if not content:  # it ended before its end
            self._drop_body()
            raise ResponseStreamingError(error=f"{self.uri} broke off at byte {self._position}")
        if self._random:
            self._drop_body()
        return content

    def _open(self, size: int) -> "StreamingBody":
        from botocore.exceptions import ClientError

        last = self._position + size - 1 if self._random else ""
        unchanged: Any = {"IfMatch": self._etag} if self._etag else {}
        try:
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._key,
                Range=f"bytes={self._position}-{last}",
                **unchanged,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED:
                raise ObjectChangedError(
                    f"{self.uri} is no longer the object with the ETag {self._etag} that was being "
                    "read: something has replaced it"
                ) from None
            raise
        self._etag = answer["ETag"]
        total = answer.get("ContentRange", "").rpartition("/")[2]
        if total.isdecimal() and int(total) != self._size:
            raise ObjectChangedError(
                f"{self.uri} has {int(total):,} bytes and not {self._size:,} as when it was "
                "listed: something has replaced it"
            )
        return answer["Body"]

    def _drop_body(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None

    def _explained(self) -> Any:
        return explained("s3:GetObject", f"object {self._key!r} in bucket {self._bucket!r}")


def _is_lost_connection(error: BaseException) -> bool:
    from botocore.exceptions import (
        ConnectionError as BotoConnectionError,
    )
    from botocore.exceptions import (
        HTTPClientError,
        IncompleteReadError,
    )

    return isinstance(error, BotoConnectionError | HTTPClientError | IncompleteReadError)
