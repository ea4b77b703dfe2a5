"""Posting to a catalog that limits the rate of calls and is unavailable at times."""

import logging
import time
from collections.abc import Sequence

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_random_exponential,
)

from updraft.lineage.catalog import Catalog, CatalogUnavailableError
from updraft.lineage.rate_limit import RateLimiter

log = logging.getLogger(__name__)


class PacedCatalog:
    """A catalog, called at most so often a second, and again when it was unavailable.

    :param catalog: the catalog.
    :param events_per_second: calls per second, attempts that fail included.
    :param attempts: how often an event is sent while the catalog is unavailable.
    :param longest_wait: upper limit in seconds for the random, exponentially growing pause
        between two attempts.
    """

    def __init__(
        self, catalog: Catalog, events_per_second: float, attempts: int, longest_wait: float
    ) -> None:
        self.name = catalog.name
        self.is_stopping = False
        self._catalog = catalog
        self._limiter = RateLimiter(events_per_second)
        self._attempts = attempts
        self._retrying = Retrying(
            retry=retry_if_exception_type(CatalogUnavailableError),
            wait=wait_random_exponential(multiplier=0.5, max=longest_wait),
            stop=self._gives_up,
            sleep=self._pause,
            before_sleep=_log_retry,
            reraise=True,
        )

    def stop(self) -> None:
        """Wait for nothing any more, from a signal handler or another thread."""
        self.is_stopping = True

    def send(self, pieces: Sequence[tuple[bytes, str]]) -> list[str | None]:
        """Deliver events.

        :param pieces: content and client token of each.
        :returns: what the catalog calls each; None for one that it had already.
        :raises CatalogError: when the catalog does not take one.
        """
        return [self._retrying(self._post, *piece) for piece in pieces]

    def _post(self, event: bytes, token: str) -> str | None:
        self._pause(self._limiter.reserve())
        return self._catalog.post(event, token)

    def _gives_up(self, state: RetryCallState) -> bool:
        return self.is_stopping or state.attempt_number >= self._attempts

    def _pause(self, seconds: float) -> None:
        # In slices, and without a lock that a signal handler calling `stop` could block on.
        deadline = time.monotonic() + seconds
        while not self.is_stopping and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.5))


def _log_retry(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("Attempt %d to post an event failed: %s", state.attempt_number, error)
