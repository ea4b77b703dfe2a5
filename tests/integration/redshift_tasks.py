"""Runs the operators of Redshift's Data API outside Airflow, as attempts of one task."""

import uuid
from types import SimpleNamespace

from airflow.providers.openlineage import conf

from updraft.hooks import redshift_data
from updraft.operators import redshift_statement_runs


def quick_looks(monkeypatch):
    """Look at statements more often than one would at AWS."""
    monkeypatch.setattr(redshift_data, "_FIRST_LOOK", 0.01)
    monkeypatch.setattr(redshift_statement_runs, "_FIRST_LOOKS", (0.02, 0.03, 0.05, 0.1, 0.2))


def with_lineage(monkeypatch):
    """Let tasks look up what OpenLineage gets, as where it has a transport."""
    monkeypatch.setattr(conf, "is_disabled", lambda: False)


def attempt(number=1, run=None, max_tries=2):
    """Make the context of an attempt."""
    return {
        "ti": SimpleNamespace(
            dag_id="redshift",
            task_id="t",
            map_index=-1,
            run_id=run or str(uuid.uuid4()),
            try_number=number,
            max_tries=max_tries,
            xcom_push=lambda **_: None,
        )
    }


def load_arguments(warehouse, **more):
    """Give arguments that every operator needs."""
    return {
        "task_id": "t",
        "aws_conn_id": None,
        "region_name": "us-east-1",
        "database": "dev",
        "cluster_identifier": warehouse.cluster,
        "db_user": "awsuser",
        "deferrable": False,
        "poll_interval": 1,
        **more,
    }
