"""Makes sure that a response of DynamoDB arrived as it was sent."""

import json
import zlib
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

_CHECKSUM_HEADER = "x-amz-crc32"
_GZIP = zlib.MAX_WBITS | 16
_SHOWN_BYTES = 80


def verify_checksum(response: "AWSResponse") -> None:
    """Compare the content with the checksum that DynamoDB sends along.

    botocore calls again when they differ, but takes the last response as it is.

    :param response: the response; one without a checksum passes.
    :raises botocore.exceptions.ChecksumError: when the content is damaged.
    """
    from botocore.exceptions import ChecksumError

    expected = response.headers.get(_CHECKSUM_HEADER)
    if expected is None:
        return
    actual = zlib.crc32(response.content)
    if actual != int(expected):
        raise ChecksumError(
            checksum_type="crc32", expected_checksum=expected, actual_checksum=str(actual)
        )


def plain_content(response: "AWSResponse") -> bytes:
    """Return the content of a response without its compression.

    :param response: the response. Its checksum is that of the compressed content.
    :returns: the content as the service made it.
    :raises botocore.exceptions.HTTPClientError: when the compressed content is damaged.
    """
    from botocore.exceptions import HTTPClientError

    content = response.content
    if response.headers.get("content-encoding", "").lower() != "gzip":
        return content
    decompressor = zlib.decompressobj(_GZIP)
    try:
        plain = decompressor.decompress(content)
    except zlib.error as error:
        raise HTTPClientError(error=f"the response is no gzip: {error}") from error
    if not decompressor.eof:
        raise HTTPClientError(error="the response is gzip that ends too early")
    return plain


def json_object(content: bytes, operation: str) -> dict[str, Any]:
    """Parse the output of an operation.

    botocore takes what it cannot parse for an output without members, which after BatchWriteItem
    would mean that all is written.

    :param content: content of a response with status 200.
    :param operation: name of the operation, for the message.
    :returns: members of the output.
    :raises botocore.exceptions.HTTPClientError: when it is no JSON object, such as the page of a
        proxy or half a response.
    """
    from botocore.exceptions import HTTPClientError

    try:
        parsed = _parsed(content)
    except ValueError as error:
        raise HTTPClientError(
            error=f"the response to {operation} is no JSON, {error}: {shown(content)}"
        ) from error
    if not isinstance(parsed, dict):
        raise HTTPClientError(
            error=f"the response to {operation} is no JSON object: {shown(content)}"
        )
    return parsed


def shown(content: bytes) -> str:
    """Return the beginning of a content as a message can show it."""
    return repr(content[:_SHOWN_BYTES].decode(errors="replace"))


def _parsed(content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        # JSON may escape half a surrogate pair; only the standard library reads that.
        return json.loads(content)
