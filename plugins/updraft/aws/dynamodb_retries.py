"""Repeats calls by botocore's standard rules, in a way that a cancelled task can end."""

import random
import time
from collections.abc import Callable, MutableMapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse
    from botocore.client import BaseClient
    from botocore.model import OperationModel

_LEGACY_ATTEMPTS = 10
"""Attempts of boto3's legacy mode for DynamoDB, ``botocore/data/_retry.json``."""

_THROTTLED_SINCE = "updraft_throttled_since"
_WAITED = "updraft_waited_for_capacity"
_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 20


class StandardRetries:
    """Decides whether a call is made again, and waits for it.

    What can be repeated, the exponential backoff with jitter and the retry quota that all calls
    share are those of botocore's mode ``standard``, as botocore would set them up for a client.
    Only the waiting is not: botocore blocks in ``time.sleep`` for up to 20 seconds.

    .. seealso:: https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html

    A call that is throttled can be given more time than those rules do. Their quota is made for
    services that are in trouble; a table that throttles is not, and waits for its turn.

    :param client: the client whose number of attempts counts; it gets no handlers.
    :param sleep: waits a number of seconds; what it raises ends the call.
    :param on_throttled: called for each response that says that capacity is exceeded.
    :param throttling_patience: seconds for which a call that is throttled is repeated, without
        counting as an attempt and outside of the quota.
    """

    def __init__(
        self,
        client: "BaseClient",
        *,
        sleep: Callable[[float], None],
        on_throttled: Callable[[], None],
        throttling_patience: float = 0.0,
    ) -> None:
        from botocore.hooks import HierarchicalEmitter
        from botocore.retries.standard import (
            RetryEventAdapter,
            ThrottlingErrorDetector,
            register_retry_handler,
        )

        service = client.meta.service_model
        self._events = HierarchicalEmitter()
        # botocore sets its handlers up on what it takes for a client. So the arguments that suit
        # the service are chosen by the installed version of botocore.
        own = SimpleNamespace(meta=SimpleNamespace(service_model=service, events=self._events))
        attempts = _maximum_attempts(client)
        limit = {} if attempts is None else {"max_attempts": attempts}
        self._handler = register_retry_handler(cast("BaseClient", own), **limit)
        self._release_event = f"after-call.{service.service_id.hyphenize()}"
        self._throttling = ThrottlingErrorDetector(RetryEventAdapter())
        self._sleep = sleep
        self._on_throttled = on_throttled
        self._throttling_patience = throttling_patience

    def wait(
        self,
        operation: "OperationModel",
        attempt: int,
        context: MutableMapping[str, Any],
        *,
        response: "tuple[AWSResponse, dict[str, Any]] | None" = None,
        error: Exception | None = None,
    ) -> bool:
        """Wait for the next attempt, if there is to be one.

        :param operation: the operation that was called.
        :param attempt: number of attempts so far.
        :param context: what is kept between the attempts of one call.
        :param response: the response and what botocore parsed from it, to which it adds whether
            attempts or quota are used up.
        :param error: what was raised instead of a response.
        :returns: whether to try again, now.
        """
        answer = {
            "response": response,
            "operation": operation,
            "attempts": attempt - context.get(_WAITED, 0),
            "caught_exception": error,
            "request_dict": {"context": context},
        }
        if self._throttling.is_throttling_error(**answer):
            self._on_throttled()
            if self._wait_for_capacity(context):
                return True
        delay = self._handler.needs_retry(**answer)
        # Newer versions of botocore also say False.
        if delay is None or delay is False:
            return False
        self._sleep(delay)
        return True

    def _wait_for_capacity(self, context: MutableMapping[str, Any]) -> bool:
        """Wait because of throttling, unless the patience is used up."""
        since = context.setdefault(_THROTTLED_SINCE, time.monotonic())
        if time.monotonic() - since >= self._throttling_patience:
            return False
        waited = context[_WAITED] = context.get(_WAITED, 0) + 1
        longest = min(_FIRST_PAUSE * 2 ** min(waited, _LONGEST_PAUSE), _LONGEST_PAUSE)
        self._sleep(random.uniform(0, longest))  # noqa: S311 - jitter
        return True

    def release(self, context: MutableMapping[str, Any], response: "AWSResponse") -> None:
        """Give back to the quota what the retries of a call took, if it succeeded.

        :param context: that of the call.
        :param response: the last response.
        """
        self._events.emit(self._release_event, context=context, http_response=response)


def _maximum_attempts(client: "BaseClient") -> int | None:
    config: Any = client.meta.config
    retries = config.retries
    if retries.get("total_max_attempts") is not None:
        return cast("int", retries["total_max_attempts"])
    return _LEGACY_ATTEMPTS if retries.get("mode") == "legacy" else None
