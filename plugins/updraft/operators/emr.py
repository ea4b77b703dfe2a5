"""Operators for Amazon EMR: clusters, steps, EMR Serverless and EMR on EKS."""

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
