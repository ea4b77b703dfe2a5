"""Amazon EMR without Airflow: cluster requests, steps, and what Data Pipeline made of them."""
