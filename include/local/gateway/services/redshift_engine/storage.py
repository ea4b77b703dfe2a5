"""The local S3 as COPY and UNLOAD see it, and who may use it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from include.local.gateway.clients import client
from include.local.gateway.services.redshift_engine.tokens import SqlError

_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a warehouse has around it.

    :param endpoint_url: address of the gateway.
    :param region: Region of the warehouse.
    :param roles: ARNs of the roles that are associated with it.
    :param default_role: the one of them that ``IAM_ROLE default`` means.
    :param slices: number of parts that UNLOAD writes side by side.
    """

    endpoint_url: str
    region: str
    roles: frozenset[str] = frozenset()
    default_role: str | None = None
    slices: int = 2

    def client(self, service: str, region: str | None = None) -> Any:
        """Make a client of the local stack.

        :param service: name of the service.
        :param region: Region, that of the warehouse unless given.
        :returns: a client of boto3.
        """
        return client(self.endpoint_url, region or self.region, service)

    def authorize(self, roles: str | None, keys: bool) -> None:
        """Check that a command may use other services.

        :param roles: ``default``, or ARNs with commas between them, the first of which has to be
            associated with the warehouse.
        :param keys: whether an access key was given instead.
        :raises SqlError: when it may not.
        """
        if keys:
            return
        if roles is None:
            raise SqlError("IAM_ROLE or CREDENTIALS is required")
        if roles.lower() == "default":
            if self.default_role is None:
                raise SqlError(
                    "There is no default IAM role associated with this warehouse; associate one "
                    "or name a role"
                )
            return
        arns = [arn.strip() for arn in roles.split(",")]
        for arn in arns:
            if not _ROLE.fullmatch(arn):
                raise SqlError(f"Invalid IAM role ARN: {arn}")
        if arns[0] not in self.roles:
            raise SqlError(f"The requested role {arns[0]} is not associated to cluster")


class Bucket:
    """Objects under an ``s3://`` URI.

    :param surroundings: where S3 is.
    :param uri: bucket and prefix.
    :param region: Region of the bucket, that of the warehouse unless given.
    :raises SqlError: when it is no such URI.
    """

    def __init__(self, surroundings: Surroundings, uri: str, region: str | None = None) -> None:
        parts = urlsplit(uri, allow_fragments=False)
        if parts.scheme != "s3" or not parts.netloc:
            raise SqlError(f"The S3 path '{uri}' is not valid; it begins with s3:// and a bucket")
        self.bucket = parts.netloc
        self.prefix = uri.removeprefix(f"s3://{parts.netloc}").removeprefix("/")
        self._client = surroundings.client("s3", region)

    def list(self, prefix: str | None = None) -> Iterator[str]:
        """List keys.

        :param prefix: what they begin with, that of the URI unless given.
        :raises SqlError: when S3 refuses.
        """
        pages = self._client.get_paginator("list_objects_v2")
        wanted = self.prefix if prefix is None else prefix
        try:
            for page in pages.paginate(Bucket=self.bucket, Prefix=wanted):
                for entry in page.get("Contents", ()):
                    yield str(entry["Key"])
        except ClientError as error:
            raise _refused(error) from error

    def read(self, key: str) -> bytes:
        """Read an object.

        :raises SqlError: when S3 refuses.
        """
        try:
            body: bytes = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            raise _refused(error) from error
        return body

    def exists(self, key: str) -> bool:
        """Tell whether there is an object."""
        try:
            self._client.head_object(Bucket=self.bucket, Key=key)
        except ClientError:
            return False
        return True

    def write(self, key: str, body: bytes) -> None:
        """Write an object.

        :raises SqlError: when S3 refuses.
        """
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=body)
        except ClientError as error:
            raise _refused(error) from error

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._client.delete_object(Bucket=self.bucket, Key=key)


def _refused(error: ClientError) -> SqlError:
    answer = error.response
    status = answer["ResponseMetadata"].get("HTTPStatusCode")
    message, code = answer["Error"].get("Message"), answer["Error"].get("Code")
    return SqlError(f"S3ServiceException:{message},Status {status},Error {code}")
