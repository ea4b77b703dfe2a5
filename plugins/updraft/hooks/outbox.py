"""Access to the outbox: in Amazon S3 through the provider's hook, or in a directory."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from updraft.lineage.local_outbox import LocalOutbox
from updraft.lineage.outbox import EventKey, ObjectMissingError, Outbox, OutboxError
from updraft.s3_uri import parse_s3_uri

if TYPE_CHECKING:
    from airflow.providers.amazon.aws.hooks.s3 import S3Hook
    from botocore.exceptions import BotoCoreError, ClientError
    from mypy_boto3_s3 import S3Client

_ADVICE = {
    "AccessDenied": (
        "the role needs s3:GetObject and s3:PutObject on the objects, s3:ListBucket on the bucket, "
        "and kms:Decrypt and kms:GenerateDataKey on its KMS key if it has one"
    ),
    "NoSuchBucket": "create the bucket, or correct the outbox's URI",
    "PermanentRedirect": "the bucket is in another Region; set the connection's region_name",
}

_CONNECTIONS = 10  # botocore's default for one client


class S3Outbox(Outbox):
    """One object in S3 per event, below a prefix.

    :param uri: ``s3://bucket`` or ``s3://bucket/prefix``.
    :param hook: the provider's hook; its client is made when first used, so that a process
        forked after construction has its own.
    :raises UpdraftError: when the URI is not one of S3.
    """

    def __init__(self, uri: str, hook: "S3Hook") -> None:
        self._bucket, key = parse_s3_uri(uri)
        prefix = key.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self._hook = hook
        super().__init__(f"s3://{self._bucket}/{prefix}".rstrip("/"))

    @cached_property
    def _client(self) -> "S3Client":
        client: S3Client = self._hook.get_conn()
        return client

    def write(self, name: str, body: bytes) -> None:
        """Store an object; S3 shows it as a whole or not at all."""
        key = self._prefix + name
        with _Explained("write", self._bucket, key):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType="application/json"
            )

    def put_events(self, events: Sequence[tuple[EventKey, bytes]]) -> None:
        """Store many objects, as many at the same time as the client has connections for."""
        _ = self._client  # clients can be used by many threads, and made by one
        with ThreadPoolExecutor(_CONNECTIONS, "updraft-outbox") as pool:
            for _ in pool.map(lambda event: self.put_event(event[1], event[0]), events):
                pass

    def read(self, name: str) -> bytes:
        """Return the content of an object."""
        key = self._prefix + name
        with _Explained("read", self._bucket, key):
            return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()

    def delete(self, name: str) -> None:
        """Remove an object if it is there."""
        key = self._prefix + name
        with _Explained("delete", self._bucket, key):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def names(self, prefix: str, after: str = "") -> Iterator[str]:
        """List page by page, 1,000 names at a time."""
        key = self._prefix + prefix
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": key}
        if after:
            request["StartAfter"] = self._prefix + after
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(**request))
        while True:
            with _Explained("list", self._bucket, key):
                page = next(pages, None)
            if page is None:
                return
            for item in page.get("Contents", []):
                yield item["Key"].removeprefix(self._prefix)


class _Explained:
    """Turn what botocore raises into an outbox error that says where and what to do.

    :param action: the verb of the message.
    :param bucket: name of the bucket.
    :param key: key or prefix.
    """

    def __init__(self, action: str, bucket: str, key: str) -> None:
        self._what = f"cannot {action} s3://{bucket}/{key}"

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            raise self._explain(error) from error
        if isinstance(error, BotoCoreError):
            raise self._unreachable(error) from error

    def _explain(self, error: "ClientError") -> OutboxError:
        code = error.response.get("Error", {}).get("Code", "")
        if code in {"NoSuchKey", "404"}:
            return ObjectMissingError(f"{self._what}: there is no such object")
        advice = _ADVICE.get(code)
        message = error.response.get("Error", {}).get("Message", str(error))
        return OutboxError(f"{self._what}: {code}: {message}" + (f"; {advice}" if advice else ""))

    def _unreachable(self, error: "BotoCoreError") -> OutboxError:
        return OutboxError(f"{self._what}: {error}")


def open_outbox(
    uri: str,
    *,
    aws_conn_id: str | None = "aws_default",
    region_name: str | None = None,
    verify: bool | str | None = None,
    config: dict[str, Any] | None = None,
) -> Outbox:
    """Open the outbox that a URI names.

    :param uri: ``s3://bucket/prefix``, ``file:///directory`` or an absolute path.
    :param aws_conn_id: Airflow connection for S3; ``None`` for boto3's own credential chain.
    :param region_name: Region of the bucket, if the connection does not say.
    :param verify: as in the provider's hooks.
    :param config: options of ``botocore.config.Config``.
    :returns: the outbox; nothing is connected to yet.
    :raises UpdraftError: when the URI is of no kind that Updraft can store events in.
    """
    scheme = urlsplit(uri).scheme
    if scheme == "s3":
        # It takes half a second, which the transport of an outbox in a directory can save.
        from airflow.providers.amazon.aws.hooks.s3 import S3Hook  # noqa: PLC0415

        hook = S3Hook(
            aws_conn_id=aws_conn_id, region_name=region_name, verify=verify, config=config
        )
        return S3Outbox(uri, hook)
    if scheme in {"", "file"}:
        return LocalOutbox(uri)
    raise OutboxError(
        f"{uri!r} is not an outbox; it looks like s3://bucket/prefix or file:///directory"
    )
