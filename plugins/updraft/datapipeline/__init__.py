"""The AWS Data Pipeline definition language: read, resolve, check. No Airflow in here."""
