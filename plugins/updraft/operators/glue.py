"""Operators for AWS Glue."""

from updraft.operators.glue_column_statistics import GlueColumnStatisticsOperator
from updraft.operators.glue_crawler import GlueCrawlerOperator
from updraft.operators.glue_data_quality import GlueDataQualityRulesetRunOperator
from updraft.operators.glue_job import GlueJobRunOperator
from updraft.operators.glue_workflow import GlueWorkflowRunOperator

__all__ = [
    "GlueColumnStatisticsOperator",
    "GlueCrawlerOperator",
    "GlueDataQualityRulesetRunOperator",
    "GlueJobRunOperator",
    "GlueWorkflowRunOperator",
]
