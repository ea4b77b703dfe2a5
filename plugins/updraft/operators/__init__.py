"""Airflow operators, one module per AWS service."""
