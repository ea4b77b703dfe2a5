"""What Spark jobs do: no Airflow here. The scripts that begin them are in ``include/glue``."""
