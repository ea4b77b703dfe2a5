# Updraft sha256:f2481fc3f69251935e00bdb9ae76d9b6c4c44f401703d177001360c75d845647
"""Five hour scan: runs a shell command on a cluster.

1. `master_node` makes the cluster of the run.
2. `scan` runs a shell command on the cluster.
3. `master_node_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `five_hour_scan.json`:
`master_node` was `MasterNode` (EmrCluster), `scan` was `Scan` (ShellCommandActivity),
`master_node_terminate` was `MasterNode` (EmrCluster).

**Schedule.** It runs every 5 hours, when its period has ended; the first one begins on
2024-01-01 at 07:48 UTC. Of the periods that pass while it is paused, the last one runs.
A run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow does not try a task again. Read the log of the failed task,
remove the cause, then clear the task: the run keeps its time, so it writes to the same
place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)
from updraft.timetables import PeriodTimetable

with DAG(
    dag_id="five_hour_scan",
    schedule=PeriodTimetable(
        datetime(2024, 1, 1, 7, 48, 30, tzinfo=UTC), "5 hours", run_at="end"
    ),
    start_date=datetime(2024, 1, 1, 7, 48, 30, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 0,
        "retry_delay": timedelta(minutes=10),
        "region_name": "eu-west-1",
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    master_node = EmrClusterOperator(
        task_id="master_node",
        cluster={
            "Name": "MasterNode",
            "ReleaseLabel": "emr-6.15.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Hive"}, {"Name": "Pig"}],
            "ServiceRole": "DataPipelineDefaultRole",
            "JobFlowRole": "DataPipelineDefaultResourceRole",
            "AutoTerminationPolicy": {"IdleTimeout": 14400},
            "Instances": {
                "InstanceGroups": [
                    {
                        "Name": "Master",
                        "InstanceRole": "MASTER",
                        "InstanceType": "m5.xlarge",
                        "InstanceCount": 1,
                        "Market": "ON_DEMAND",
                    },
                    {
                        "Name": "Core",
                        "InstanceRole": "CORE",
                        "InstanceType": "m5.xlarge",
                        "InstanceCount": 1,
                        "Market": "ON_DEMAND",
                    },
                ],
                "Placement": {"AvailabilityZone": "eu-west-1a"},
                "KeepJobFlowAliveWhenNoSteps": True,
            },
        },
    ).as_setup()
    scan = EmrStepsOperator(
        task_id="scan",
        cluster_id=master_node.output,
        steps=[
            {
                "Name": "Scan",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "bash",
                        "-c",
                        (
                            "hdfs fsck / > /tmp/fsck && aws s3 cp /tmp/fsck "
                            "s3://acme-ops/fsck/"
                            "{{ data_interval_end.format('YYYYMMDDHHmm') }}"
                        ),
                    ],
                },
            }
        ],
        execution_timeout=timedelta(hours=4),
    )
    master_node_terminate = EmrTerminateClusterOperator(
        task_id="master_node_terminate", cluster_id=master_node.output
    ).as_teardown(setups=master_node)

    scan >> master_node_terminate
