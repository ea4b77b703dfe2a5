"""Amazon EMR with its three faces: clusters, EMR Serverless, and EMR on EKS."""

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.emr import EmrContainerHook, EmrHook, EmrServerlessHook

from updraft.dynamodb.service_errors import RefusedRequestError, ServiceError
from updraft.hooks.service_calls import PATIENCE, ServiceCalls

CLUSTERS = "emr"
SERVERLESS = "emr-serverless"
CONTAINERS = "emr-containers"

_LIMIT_CODES = re.compile(r"(?i)(?!.*tag).*(limitexceeded|quotaexceeded|toomany).*")
_LIMIT_WORDS = re.compile(r"(?i)\b(limit|quota|maximum|too many|exceed\w*)\b")
# What other work takes up and gives back. A request that is too large by itself stays so.
_SHARED = re.compile(
    r"(?i)\b(active|concurrent|running) (clusters?|job ?flows?|steps?|job ?runs?|jobs|instances|"
    r"v?cpus?)\b|\bvcpus?\b|\b(account|service) (limit|quota)s?\b|\bec2 (instance )?quota\b"
)
_REFUSED = "ValidationException"
# What IAM makes takes effect after a while, and somebody may allow what is not permitted.
_MENDED_MEANWHILE = re.compile(r"(?i)\b(roles?|instance ?profiles?|permissions?|authori[sz]ed?)\b")
_PREFIXES = {
    CLUSTERS: "elasticmapreduce",
    SERVERLESS: "emr-serverless",
    CONTAINERS: "emr-containers",
}


def emr_hook(service: str, **hook_parameters: Any) -> AwsBaseHook:
    """Make the provider's hook for one of the services.

    :param service: name of the service in botocore.
    :param hook_parameters: connection, region, verification and botocore configuration.
    :returns: the hook.
    """
    classes: dict[str, Callable[..., AwsBaseHook]] = {
        CLUSTERS: EmrHook,
        SERVERLESS: EmrServerlessHook,
        CONTAINERS: EmrContainerHook,
    }
    return classes[service](**hook_parameters)


class EmrCalls(ServiceCalls):
    """Calls of one service, which wait when AWS throttles them.

    :param hook_parameters: connection, region, verification and botocore configuration.
    :param service: name of the service in botocore.
    :param patience: seconds for which a throttled call is repeated beyond botocore's own retries.
    """

    def __init__(
        self,
        hook_parameters: Mapping[str, Any],
        service: str = CLUSTERS,
        patience: float = PATIENCE,
    ) -> None:
        super().__init__(
            partial(emr_hook, service),
            hook_parameters,
            patience,
            prefix=_PREFIXES[service],
            page_member="Marker" if service == CLUSTERS else "nextToken",
        )
        self.service = service

    def call_once(
        self, operation: str, resource: str, check: Callable[[], None], **request: Any
    ) -> dict[str, Any]:
        """Make a call that would begin something a second time if botocore repeated it.

        A call that was throttled did nothing, and is made again.

        :param operation: name of the client's method.
        :param resource: what it is about, for the message of an error.
        :param check: called right before each try, to let through an error of its own instead.
        :param request: the parameters of the call.
        :returns: the answer.
        :raises RefusedRequestError: when EMR takes the request for wrong.
        :raises ServiceError: when AWS refuses; see :func:`is_uncertain`.
        """
        try:
            return super().call_once(operation, resource, check, **request)
        except ServiceError as error:
            if self.service != CLUSTERS or not is_refusal(error):
                raise
            raise RefusedRequestError(
                f"EMR refuses {resource}, and would do so again. It says: {error.code}: "
                f"{error.message}",
                error.code,
                error.message,
            ) from error.__cause__


def is_refusal(error: ServiceError) -> bool:
    """Tell whether EMR refused a call for what the request says, so that no retry would help.

    :param error: how it failed.
    :returns: whether it did; limits and roles are no such thing, since they can change meanwhile.
    """
    return (
        error.code == _REFUSED
        and not is_limit(error)
        and not _MENDED_MEANWHILE.search(error.message)
    )


def is_limit(error: ServiceError) -> bool:
    """Tell whether a call failed because there is too much of something at the moment.

    EMR has one error code for most refusals, so that the words of the message decide: they have to
    name a limit, and something that others give back. Too many tags, types of instances in a fleet
    or characters of an argument are no such thing.

    :param error: how it failed.
    :returns: whether waiting may help.
    """
    if _LIMIT_CODES.fullmatch(error.code):
        return True
    said = error.message if error.code else ""
    return bool(_LIMIT_WORDS.search(said) and _SHARED.search(said))
