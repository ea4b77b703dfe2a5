"""Exports and imports of DynamoDB side by side with what a user would pick instead."""
