"""Amazon Redshift without Airflow: sizes, states and schedules of clusters, and statements."""
