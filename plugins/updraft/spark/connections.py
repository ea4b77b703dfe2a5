"""Makes clients where no Airflow is: in the driver and the executors of a Spark job.

Credentials are those of the job's role, which boto3 finds by itself.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from updraft.aws.connection import ClientConnection
from updraft.aws.dynamodb_service import open_dynamodb
from updraft.dynamodb.service import DynamoDBService
from updraft.dynamodb.service_errors import ServiceError

if TYPE_CHECKING:
    from botocore.config import Config
    from mypy_boto3_s3 import S3Client

_POOL = 40  # connections: more than a task has threads


def dynamodb_service(
    region: str | None,
    *,
    sleep: Callable[[float], None],
    on_throttled: Callable[[], None] = lambda: None,
    throttling_patience: float = 0.0,
) -> DynamoDBService:
    """Open DynamoDB.

    :param region: its region, ``None`` for that of the environment.
    :param sleep: waits a number of seconds between two attempts.
    :param on_throttled: called for each response that says that capacity is exceeded.
    :param throttling_patience: seconds for which a call that is throttled is repeated beyond what
        botocore's rules allow.
    :returns: the service.
    :raises ServiceError: when the environment does not lead to a client.
    """
    connection = _connection("dynamodb", region)
    return open_dynamodb(
        connection,
        sleep=sleep,
        on_throttled=on_throttled,
        throttling_patience=throttling_patience,
    )


def s3_client(region: str | None) -> "S3Client":
    """Make a client for S3.

    :param region: region of the job; botocore finds that of a bucket by itself.
    :returns: the client.
    :raises ServiceError: when the environment does not lead to a client.
    """
    client: Any = _connection("s3", region).client
    return client  # type: ignore[no-any-return]


def _connection(service: str, region: str | None) -> ClientConnection:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError

    # A session of its own: boto3's default session is not safe in threads.
    session = boto3.Session(region_name=region)
    configuration = Config(
        retries={"mode": "standard", "total_max_attempts": 10}, max_pool_connections=_POOL
    )

    def make(config: "Config") -> Any:
        settings: Any = {"config": configuration.merge(config)}
        return session.client(service, **settings)  # type: ignore[call-overload]

    try:
        client = make(configuration)
    except (BotoCoreError, ValueError) as error:
        reason = str(error).rstrip(".")
        raise ServiceError(
            f"The environment of the job does not lead to a client for {service}: {reason}."
        ) from error
    return ClientConnection(client=client, session=session, verify=None, make_client=make)
