"""Shell commands on machines of one's own: the script, the machine it asks for; no Airflow."""
