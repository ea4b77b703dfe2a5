"""Says in one sentence why AWS refused a call and what to do about it."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from urllib3.exceptions import HTTPError

from updraft.errors import PermanentError, UpdraftError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403"})
_MISSING = frozenset(
    {"EntityNotFoundException", "ResourceNotFoundException", "NoSuchBucket", "404"}
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_REJECTED = frozenset(
    {
        "InvalidAccessKeyId",
        "InvalidSignatureException",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
"""Error codes that say that a call came too soon. Nothing was done."""

_UNCERTAIN = re.compile(r"|InternalServer\w*|InternalFailure|ServiceUnavailable\w*|5\d\d")


class ServiceError(UpdraftError):
    """AWS refused a call, or could not be reached.

    :param text: the whole story in a sentence.
    :param code: the error code of the service, empty when there was no answer.
    :param message: what the service said.
    """

    def __init__(self, text: str, code: str = "", message: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.message = message


class RefusedRequestError(ServiceError, PermanentError):
    """AWS takes a request for wrong, and would do so at each attempt."""


class AccessDeniedError(ServiceError):
    """The credentials do not allow a call."""


class ResourceMissingError(ServiceError):
    """The table, bucket or job of a call does not exist."""


@contextmanager
def explained(action: str, resource: str) -> Iterator[None]:
    """Turn the errors of botocore into one that stands on its own.

    :param action: the call in the notation of IAM, ``dynamodb:Scan``.
    :param resource: what it was about, ``table 'orders' in eu-west-1``.
    :raises ServiceError: in place of any error of botocore.
    """
    # botocore takes long to import, and whoever gets here has it loaded already.
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    try:
        yield
    except ClientError as error:
        raise _explain(error, action, resource) from error
    except ParamValidationError as error:
        raise RefusedRequestError(f"{action} on {resource}: {error}") from error
    except (BotoCoreError, HTTPError) as error:  # botocore lets urllib3's through at times
        raise ServiceError(f"{action} on {resource} did not get through: {error}") from error


@contextmanager
def advised(action: str, resource: str, advice: Mapping[str, str]) -> Iterator[None]:
    """Turn the errors of botocore into one sentence, with advice of its own for some of them.

    :param action: the call in the notation of IAM.
    :param resource: what it is about.
    :param advice: by error code what to say before the service's own words.
    :raises UpdraftError: in place of any error of botocore.
    """
    try:
        with explained(action, resource):
            yield
    except ServiceError as error:
        if error.code in advice:
            said = f"{error.code}: {error.message}".rstrip(": ")
            raise UpdraftError(f"{advice[error.code]} AWS says: {said}") from error
        raise


def is_uncertain(error: ServiceError) -> bool:
    """Tell whether a call may have had its effect although it failed.

    :param error: how it failed.
    :returns: whether there was no answer, or one that leaves it open.
    """
    if isinstance(error, RefusedRequestError):
        return False
    return _UNCERTAIN.fullmatch(error.code) is not None


def _explain(error: "ClientError", action: str, resource: str) -> ServiceError:
    details = error.response.get("Error", {})
    code = details.get("Code", "")
    said = f"{code}: {details.get('Message', '')}".rstrip(": .")
    if code in _MISSING:
        return ResourceMissingError(
            f"There is no {resource} ({said}). Check the name, the region and the account of the "
            "connection.",
            code,
            details.get("Message", ""),
        )
    if code in _DENIED:
        return AccessDeniedError(
            f"{action} on {resource} is not permitted ({said}). Allow {action} to the role of the "
            "connection, and to the role that owns the resource's policy or key if there is one.",
            code,
            details.get("Message", ""),
        )
    if code in _EXPIRED:
        advice = "The credentials have expired; renew those of the connection."
    elif code in _REJECTED:
        advice = "AWS does not know the credentials; check those of the connection."
    elif code in THROTTLED:
        advice = f"AWS still throttled the call after all retries; {_less_work(action)}."
    else:
        advice = "Retry; if it stays, look the code up in the service's API reference."
    return ServiceError(
        f"{action} on {resource} failed ({said}). {advice}", code, details.get("Message", "")
    )


def _less_work(action: str) -> str:
    """Say what helps against throttling; the capacity of a table is in the user's hands."""
    if action.startswith("dynamodb:"):
        return "lower the throughput ratio or give the table more capacity"
    return "run fewer tasks at the same time, or ask AWS for a higher quota"
