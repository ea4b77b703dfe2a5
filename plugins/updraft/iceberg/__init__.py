"""What the metadata of Iceberg tables tells about them; no Airflow, and no data file is read."""
