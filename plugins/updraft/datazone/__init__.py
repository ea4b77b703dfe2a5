"""What a project publishes in Amazon DataZone, as a file declares it. No Airflow in here."""
