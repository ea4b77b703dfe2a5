"""Copies of objects that S3 makes by itself, whatever their size."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from updraft.aws.s3_destination import S3Destination
from updraft.aws.s3_stream import ObjectChangedError
from updraft.dynamodb.destination import S3Prefix
from updraft.dynamodb.service_errors import ServiceError, explained
from updraft.s3_uri import S3Uri

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LARGEST_SINGLE_COPY = 5 * 1024**3
"""Largest object that one CopyObject takes, in bytes;
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html."""

_PART_BYTES = 512 * 1024**2  # boto3 makes them larger where there would be more than 10,000
_CHANGED = frozenset({"PreconditionFailed", "412"})
_HEADERS = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Metadata",
)


def copy_object(
    client: "S3Client",
    source: S3Uri,
    target: S3Uri,
    *,
    watch: Callable[[], None],
    largest_single_copy: int = LARGEST_SINGLE_COPY,
    part_bytes: int = _PART_BYTES,
) -> int:
    """Copy an object without reading it.

    Up to 5 GB that is one call. Larger ones are copied in parts, which would lose what else is
    stored with an object: its headers and user metadata are read first and given to the copy. Tags
    and ACL of such objects are not copied. The copy shows when it is complete, never before.

    :param client: low-level client.
    :param source: the object.
    :param target: where the copy goes; what is there is replaced.
    :param watch: is called between the parts; what it raises ends the copy.
    :param largest_single_copy: size in bytes from which on it is copied in parts.
    :param part_bytes: size of these parts in bytes.
    :returns: size of the object in bytes.
    :raises ServiceError: when S3 refuses.
    :raises ObjectChangedError: when the object changes while it is copied.
    """
    from boto3.s3.transfer import TransferConfig

    uri = f"s3://{source.bucket}/{source.key}"
    with explained("s3:GetObject", f"object {source.key!r} in bucket {source.bucket!r}"):
        head: Any = client.head_object(Bucket=source.bucket, Key=source.key)
    size: int = head["ContentLength"]
    in_parts = size >= largest_single_copy
    arguments: dict[str, Any] = {"CopySourceIfMatch": head["ETag"]}
    bucket = S3Destination(client, S3Prefix(target.bucket, ""))
    if in_parts:
        arguments |= {name: head[name] for name in _HEADERS if head.get(name)}
        bucket.abort_uploads(target.key, exact=True)  # of an attempt that was killed
    watch()
    try:
        with explained("s3:PutObject", f"object {target.key!r} in bucket {target.bucket!r}"):
            client.copy(
                {"Bucket": source.bucket, "Key": source.key},
                target.bucket,
                target.key,
                ExtraArgs=arguments,
                Callback=lambda _: watch(),
                Config=TransferConfig(
                    multipart_threshold=largest_single_copy,
                    multipart_chunksize=part_bytes,
                    use_threads=False,
                ),
            )
    except ServiceError as error:
        if error.code in _CHANGED:
            raise ObjectChangedError(
                f"{uri} changed while it was copied; something has replaced it"
            ) from None
        raise
    if in_parts:  # boto3 repeats the call that begins an upload when its answer is lost
        bucket.abort_uploads(target.key, exact=True)
    return size
