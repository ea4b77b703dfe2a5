"""A client together with what it was made from."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.client import BaseClient
    from botocore.config import Config


@dataclass(frozen=True)
class ClientConnection:
    """A client and where it comes from; hooks make it in Airflow, and the script in a Spark job.

    :param client: low-level client.
    :param session: the session that has its credentials.
    :param verify: whether to verify TLS certificates, or the path of a CA bundle; ``None`` for
        what botocore's settings say.
    :param make_client: makes another client like it; what it is given goes over its configuration.
    """

    client: "BaseClient"
    session: "Session"
    verify: bool | str | None
    make_client: "Callable[[Config], BaseClient]"
