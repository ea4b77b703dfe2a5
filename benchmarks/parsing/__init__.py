"""What converting costs, and what Airflow pays to parse what comes of it."""
