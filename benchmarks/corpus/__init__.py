"""Every definition of a folder, converted and loaded in Airflow."""
