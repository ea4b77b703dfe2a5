"""From a legacy definition to a DAG file and a report on what differs."""
