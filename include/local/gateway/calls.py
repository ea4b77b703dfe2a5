"""What a request asks for: the service, the operation, and how both are spoken on the wire."""

from dataclasses import dataclass, field
from typing import Any

from include.local.gateway.credential_scope import CredentialScope

ANONYMOUS = CredentialScope("anonymous", "us-east-1", "s3")
"""Scope of unsigned requests: only S3 takes those, from browsers and for public objects."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, understood as far as botocore's models allow.

    :param scope: what the signature says; :data:`ANONYMOUS` for an unsigned request.
    :param service: botocore's name of the service, the signing name when it knows none.
    :param operation: name of the operation, such as ``PutItem``; None when nothing matches.
    :param protocol: wire protocol, such as ``rest-json``; None for an unknown service.
    :param model: moto's form of botocore's service model; None for an unknown service.
    :param operation_model: the same for the operation.
    :param path_parameters: values that stand in the path, decoded.
    """

    scope: CredentialScope
    service: str
    operation: str | None
    protocol: str | None = None
    model: Any = None
    operation_model: Any = None
    path_parameters: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """Name the call as log lines and error messages do."""
        return f"{self.service}.{self.operation or '(no such operation)'}"
