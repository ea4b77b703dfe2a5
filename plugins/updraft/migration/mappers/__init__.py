"""One mapper per object type, one module per family; importing this package registers them all."""

from updraft.migration.mappers import (
    copy_activity,
    data_nodes,
    ec2_resource,
    emr,
    emr_cluster,
    hadoop_activity,
    hive_activity,
    hive_copy,
    pig_activity,
    preconditions,
    redshift_copy_activity,
    schedule,
    shell_command,
    sql_activity,
)

__all__ = [
    "copy_activity",
    "data_nodes",
    "ec2_resource",
    "emr",
    "emr_cluster",
    "hadoop_activity",
    "hive_activity",
    "hive_copy",
    "pig_activity",
    "preconditions",
    "redshift_copy_activity",
    "schedule",
    "shell_command",
    "sql_activity",
]
