"""Clients by which a service of the gateway uses another one, through its address like anybody."""

from functools import lru_cache
from typing import Any

import boto3
from botocore.config import Config


@lru_cache(maxsize=64)
def client(endpoint_url: str, region: str, service: str) -> Any:
    """Give a client of the gateway, always the same: to make one takes a tenth of a second of CPU.

    :param endpoint_url: address of the gateway.
    :param region: Region that requests are signed for.
    :param service: name of the service as boto3 knows it.
    :returns: the client.
    """
    # Clients are safe in threads; making one from boto3's default session is not.
    return boto3.session.Session().client(
        service,  # type: ignore[call-overload]  # the name is not a literal here
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the gateway takes any
        config=Config(s3={"addressing_style": "path"}, proxies={}, max_pool_connections=32),
    )
