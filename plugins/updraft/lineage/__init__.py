"""Lineage from the task to the catalog: naming, outbox, validation, forwarding."""
