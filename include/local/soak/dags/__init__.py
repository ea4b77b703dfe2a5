"""DAG files that a soak copies into the folder of its Airflow."""
