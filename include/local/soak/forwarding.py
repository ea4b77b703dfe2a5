"""What a forwarder's process runs: the operator of the DAG, without a task around it."""

import os
from pathlib import Path

from updraft.compat import AirflowException
from updraft.lineage.forwarder import HIGHEST_EVENTS_PER_SECOND
from updraft.operators.lineage import ForwardLineageOperator


def run(outbox_uri: str, domain_id: str, log: Path) -> None:
    """Forward what is in the outbox.

    :param outbox_uri: where the events are.
    :param domain_id: the catalog's domain.
    :param log: file that takes what it says.
    """
    with log.open("ab") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    operator = ForwardLineageOperator(
        task_id="forward",
        aws_conn_id=None,
        domain_id=domain_id,
        outbox_uri=outbox_uri,
        max_events_per_second=HIGHEST_EVENTS_PER_SECOND,
        close_orphans_after_minutes=0,
    )
    try:
        operator.execute({})
    except AirflowException:
        return  # the catalog was unavailable for too long; the next one goes on
