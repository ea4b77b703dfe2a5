"""AWS with boto3 alone: what hooks are made of, and what Spark jobs use where no Airflow is."""
