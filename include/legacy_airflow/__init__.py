"""Airflow 2.7.2 with the ``openlineage-airflow`` package, and Updraft's lineage beside it."""
