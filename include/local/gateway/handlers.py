"""How a service of our own plugs into the gateway.

A handler names a service and gives a function per operation. Functions take parsed parameters and
return a plain dictionary in the members of the operation's output; botocore's model decides how
either looks on the wire, so that a handler knows nothing of protocols.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

ACCOUNT_ID = "123456789012"
"""The one account of the local stack, whoever signs."""


@dataclass(frozen=True, slots=True)
class OperationRequest:
    """What the function of an operation gets.

    :param operation: name of the operation, such as ``PostLineageEvent``.
    :param parameters: members of the operation's input that were given; they satisfy the lengths,
        ranges, patterns and enumerations of the model. Timestamps are naive, in UTC.
    :param region: Region that the request was signed for.
    :param access_key: access key that signed it.
    """

    operation: str
    parameters: Mapping[str, Any]
    region: str
    access_key: str

    @property
    def account_id(self) -> str:
        """Account of the caller."""
        return ACCOUNT_ID

    @property
    def principal(self) -> str:
        """ARN of the caller, as services record it."""
        return f"arn:aws:iam::{ACCOUNT_ID}:user/{self.access_key}"


Operation = Callable[[OperationRequest], Mapping[str, Any]]


class ServiceHandler(Protocol):
    """A service, or some operations of one, that the local stack really executes."""

    service: str
    """botocore's name of the service, such as ``redshift-data``."""

    def operations(self) -> Mapping[str, Operation]:
        """Name what is executed.

        :returns: function by name of the operation, such as ``ExecuteStatement``. Operations that
            are not named go to moto.
        """
        ...

    def close(self) -> None:
        """End whatever runs and write whatever is still in memory."""
        ...
