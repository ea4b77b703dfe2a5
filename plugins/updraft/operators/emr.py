"""Operators for Amazon EMR: clusters, steps, EMR Serverless and EMR on EKS.

Each is imported when it is asked for. Those of EMR Serverless and EMR on EKS bring the provider's
operators along, which would cost each DAG file half a second of parsing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from updraft.operators.emr_cluster import EmrClusterOperator
    from updraft.operators.emr_containers import EmrContainersJobOperator
    from updraft.operators.emr_serverless import EmrServerlessJobOperator
    from updraft.operators.emr_steps import EmrStepsOperator
    from updraft.operators.emr_terminate_cluster import EmrTerminateClusterOperator

__all__ = [
    "EmrClusterOperator",
    "EmrContainersJobOperator",
    "EmrServerlessJobOperator",
    "EmrStepsOperator",
    "EmrTerminateClusterOperator",
]

_MODULES = {
    "EmrClusterOperator": "emr_cluster",
    "EmrContainersJobOperator": "emr_containers",
    "EmrServerlessJobOperator": "emr_serverless",
    "EmrStepsOperator": "emr_steps",
    "EmrTerminateClusterOperator": "emr_terminate_cluster",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"updraft.operators.{_MODULES[name]}"), name)
