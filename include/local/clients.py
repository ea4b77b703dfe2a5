"""AWS clients of the demo and the tests, made the way a user of the local stack makes them.

Product code does not come here: its one door to AWS is the hooks.
"""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.config import Config


def client(service: str, environment: Mapping[str, str]) -> Any:
    """Make a client that talks to the local stack.

    :param service: name of the service as boto3 knows it.
    :param environment: variables that lead to the local stack: ``AWS_ENDPOINT_URL``,
        ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_DEFAULT_REGION``.
    :returns: the client.
    """
    return boto3.client(  # type: ignore[call-overload]  # the name is not a literal here
        service,
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        region_name=environment["AWS_DEFAULT_REGION"],
        config=Config(s3={"addressing_style": "path"}),
    )
