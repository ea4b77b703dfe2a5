"""The local stack: what stands in for AWS and Airflow on a machine without either."""
