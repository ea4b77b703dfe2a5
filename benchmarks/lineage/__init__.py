"""What it costs to take lineage out of logs, to forward it, and to store it while a task runs."""
