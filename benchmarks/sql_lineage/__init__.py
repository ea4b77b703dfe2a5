"""Lineage of SQL: Updraft, OpenLineage's parser and plain sqlglot, side by side."""
