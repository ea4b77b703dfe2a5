"""The demo: a legacy pipeline becomes a DAG, runs for real, and its lineage is in the catalog."""
