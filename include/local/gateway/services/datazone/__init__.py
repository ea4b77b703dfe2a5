"""Amazon DataZone: the operations that carry lineage."""
