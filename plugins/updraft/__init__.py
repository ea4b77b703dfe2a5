"""Updraft: AWS Data Pipeline workloads on Apache Airflow, with their lineage in the catalog."""

__version__ = "0.1.0"
