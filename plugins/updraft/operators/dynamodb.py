"""Operators for Amazon DynamoDB."""

from updraft.operators.dynamodb_export import DynamoDBExportOperator
from updraft.operators.dynamodb_import import DynamoDBImportOperator
from updraft.operators.dynamodb_verify import DynamoDBVerifyOperator

__all__ = ["DynamoDBExportOperator", "DynamoDBImportOperator", "DynamoDBVerifyOperator"]
