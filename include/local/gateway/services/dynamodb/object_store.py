"""S3 as exports and imports use it: the gateway's own, through its address like anybody."""

from collections.abc import Iterator, Mapping
from io import BufferedIOBase, BufferedReader, RawIOBase
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from include.local.gateway.clients import client

_PART = 16 * 2**20  # bytes; S3 wants at least 5 MiB in each part but the last
_BUFFER = 2**20


class ObjectStoreError(Exception):
    """A call to S3 that failed.

    :param code: failure code of the export or import, such as ``S3NoSuchBucket``.
    :param message: S3's words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class _Body(RawIOBase):
    """The body of an object as a file."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._body.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


class ObjectStore:
    """Puts, lists and gets objects of one bucket.

    :param endpoint_url: address of the gateway.
    :param region: Region that requests are signed for.
    :param bucket: name of the bucket.
    :param encryption: arguments of the calls that make objects, such as ``ServerSideEncryption``.
    """

    def __init__(
        self, endpoint_url: str, region: str, bucket: str, encryption: Mapping[str, str]
    ) -> None:
        self._bucket = bucket
        self._encryption = dict(encryption)
        self._client: Any = client(endpoint_url, region, "s3")

    def put(self, key: str, body: bytes) -> None:
        """Write a small object.

        :param key: its key.
        :param body: its content.
        :raises ObjectStoreError: when S3 refuses.
        """
        self._call("put_object", Key=key, Body=body, **self._encryption)

    def upload(self, key: str, file: Path) -> str:
        """Write an object in parts, as DynamoDB does: its ETag is no MD5 of the content.

        :param key: its key.
        :param file: its content.
        :returns: its ETag, without quotation marks.
        :raises ObjectStoreError: when S3 refuses.
        """
        upload = self._call("create_multipart_upload", Key=key, **self._encryption)["UploadId"]
        parts: list[dict[str, Any]] = []
        with file.open("rb") as source:
            while not parts or (file.stat().st_size > source.tell()):
                number = len(parts) + 1
                part = self._call(
                    "upload_part",
                    Key=key,
                    UploadId=upload,
                    PartNumber=number,
                    Body=source.read(_PART),
                )
                parts.append({"PartNumber": number, "ETag": part["ETag"]})
        done = self._call(
            "complete_multipart_upload",
            Key=key,
            UploadId=upload,
            MultipartUpload={"Parts": parts},
        )
        return str(done["ETag"]).strip('"')

    def keys(self, prefix: str) -> Iterator[str]:
        """List objects.

        :param prefix: what their keys begin with.
        :returns: the keys in S3's order.
        :raises ObjectStoreError: when S3 refuses.
        """
        request = {"Prefix": prefix}
        while True:
            page = self._call("list_objects_v2", **request)
            for entry in page.get("Contents", ()):
                yield str(entry["Key"])
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def open(self, key: str) -> BufferedIOBase:
        """Read an object piece by piece.

        :param key: its key.
        :returns: its content as a file.
        :raises ObjectStoreError: when S3 refuses.
        """
        return BufferedReader(_Body(self._call("get_object", Key=key)["Body"]), _BUFFER)

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = getattr(self._client, operation)(
                Bucket=self._bucket, **parameters
            )
        except ClientError as error:
            code = str(error.response["Error"]["Code"])
            raise ObjectStoreError(f"S3{code}", str(error)) from error
        return answer
