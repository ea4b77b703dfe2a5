"""Lineage of Amazon Redshift's SQL: which tables and columns a script reads, and what it writes.

Start at `updraft.sql_lineage.analysis.analyze`. Nothing in here knows of Airflow or of AWS's API.
"""
