"""Rows as text, in the formats of AWS Data Pipeline's CopyActivity; no Airflow."""
