"""Ends statements of Amazon Redshift that nobody waits for any more."""

import logging
import time

from airflow.providers.amazon.aws.hooks.redshift_data import RUNNING_STATES

from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import UpdraftError
from updraft.operators.redshift_statement_calls import RedshiftStatementCalls
from updraft.triggers.pauses import growing_pauses

log = logging.getLogger(__name__)

_CANCEL_SECONDS = 120.0


def cancel_statement(calls: RedshiftStatementCalls, statement_id: str) -> None:
    """Tell Redshift to cancel a statement; a refusal is only told.

    :param calls: cancels it.
    :param statement_id: its id.
    """
    try:
        calls.cancel(statement_id)
        log.info("Told Redshift to cancel statement %s", statement_id)
    except ServiceError as error:
        log.warning("Statement %s was not cancelled. %s", statement_id, error)


def end_statement(calls: RedshiftStatementCalls, statement_id: str) -> None:
    """Cancel a statement and wait until it has ended.

    :param calls: cancels it, and looks at it.
    :param statement_id: its id.
    :raises UpdraftError: when it goes on for minutes.
    """
    cancel_statement(calls, statement_id)
    give_up_at = time.monotonic() + _CANCEL_SECONDS
    for pause in growing_pauses(2.0):
        if calls.describe(statement_id)["Status"] not in RUNNING_STATES:
            return
        if time.monotonic() > give_up_at:
            break
        time.sleep(pause)
    raise UpdraftError(
        f"Statement {statement_id}, which an earlier run of this task submitted, goes on "
        f"{_CANCEL_SECONDS:.0f} s after it was cancelled. A retry looks again."
    )
