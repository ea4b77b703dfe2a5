"""One mapper per object type, one module per family; importing this package registers them all."""

from updraft.migration.mappers import (
    data_nodes,
    ec2_resource,
    emr,
    emr_cluster,
    hadoop_activity,
    hive_activity,
    hive_copy,
    pig_activity,
    schedule,
    shell_command,
)

__all__ = [
    "data_nodes",
    "ec2_resource",
    "emr",
    "emr_cluster",
    "hadoop_activity",
    "hive_activity",
    "hive_copy",
    "pig_activity",
    "schedule",
    "shell_command",
]
