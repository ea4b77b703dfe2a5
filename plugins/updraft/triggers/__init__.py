"""The halves of deferrable operators that wait in Airflow's triggerer, by AWS service."""
