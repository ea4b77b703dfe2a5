"""One mapper per object type, one module per family; importing this package registers them all."""

from updraft.migration.mappers import (
    data_nodes,
    emr,
    emr_cluster,
    hadoop_activity,
    hive_activity,
    hive_copy,
    pig_activity,
    preconditions,
    schedule,
)

__all__ = [
    "data_nodes",
    "emr",
    "emr_cluster",
    "hadoop_activity",
    "hive_activity",
    "hive_copy",
    "pig_activity",
    "preconditions",
    "schedule",
]
