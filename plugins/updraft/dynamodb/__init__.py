"""The DynamoDB data path: item formats, parallel scan, writers, manifest. No Airflow in here."""
