"""One mapper per object type, one module per family; importing this package registers them all."""

from updraft.migration.mappers import data_nodes, emr, hive_copy, schedule

__all__ = ["data_nodes", "emr", "hive_copy", "schedule"]
