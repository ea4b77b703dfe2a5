"""Operators for the capacity of Amazon Redshift: clusters and workgroups."""

from updraft.operators.redshift_scheduled_actions import RedshiftScheduledActionsOperator
from updraft.operators.redshift_serverless import RedshiftServerlessCapacityOperator
from updraft.operators.redshift_states import (
    RedshiftEnsureStateOperator,
    RedshiftPauseOperator,
    RedshiftResizeOperator,
    RedshiftResumeOperator,
)
from updraft.operators.redshift_timetable import RedshiftTimetableOperator
from updraft.operators.redshift_workload import (
    RedshiftRememberCapacityOperator,
    RedshiftRestoreCapacityOperator,
    resized_cluster,
    resumed_cluster,
)

__all__ = [
    "RedshiftEnsureStateOperator",
    "RedshiftPauseOperator",
    "RedshiftRememberCapacityOperator",
    "RedshiftResizeOperator",
    "RedshiftRestoreCapacityOperator",
    "RedshiftResumeOperator",
    "RedshiftScheduledActionsOperator",
    "RedshiftServerlessCapacityOperator",
    "RedshiftTimetableOperator",
    "resized_cluster",
    "resumed_cluster",
]
