"""Runs pieces of work in threads, and stops all of them as soon as one fails."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from updraft.dynamodb.cancellation import Cancellation, CancelledError

_Result = TypeVar("_Result")

_REPORT_INTERVAL = 30.0


def run_in_threads(
    works: Sequence[Callable[[], _Result]],
    *,
    name: str,
    cancellation: Cancellation,
    report: Callable[[], None],
) -> list[_Result]:
    """Run each piece of work in a thread of its own.

    :param works: the pieces, at least one; they look at ``cancellation``.
    :param name: how the names of the threads begin.
    :param cancellation: set when a piece fails, or the caller is interrupted.
    :param report: called from time to time until all is done.
    :returns: their results.
    :raises BaseException: the error of a piece, a cause before its echoes.
    """
    executor = ThreadPoolExecutor(len(works), thread_name_prefix=name)
    try:
        futures = [executor.submit(work) for work in works]
        pending: set[Future[_Result]] = set(futures)
        while pending:
            done, pending = wait(pending, _REPORT_INTERVAL, return_when=FIRST_EXCEPTION)
            _raise_first_error(done)
            report()
        return [future.result() for future in futures]
    except BaseException:
        cancellation.cancel()
        raise
    finally:
        executor.shutdown(wait=True)


def _raise_first_error(done: set[Future[_Result]]) -> None:
    errors = [error for future in done if (error := future.exception()) is not None]
    errors.sort(key=lambda error: isinstance(error, CancelledError))
    if errors:
        raise errors[0]
