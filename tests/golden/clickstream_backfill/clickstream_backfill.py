# Updraft sha256:2fd80196ba1f1cb393b05e6e96c5ee556f27c5f95cf563550f9b093d6cedfc66
"""Clickstream backfill: runs steps on a cluster.

1. `cluster` makes the cluster of the run.
2. `sessionise` runs steps on the cluster.
3. `cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `clickstream_backfill.json`:
`cluster` was `Cluster` (EmrCluster), `sessionise` was `Sessionise` (EmrActivity),
`cluster_terminate` was `Cluster` (EmrCluster).

**Schedule.** It runs every hour at minute 0, when its period has ended; the first one
begins on 2022-01-15 at 00:00 UTC, the last one on 2022-01-31 at 23:00 UTC. Periods that
pass while it is paused run later. A run that you trigger needs a logical date, which
tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)

with DAG(
    dag_id="clickstream_backfill",
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=datetime(2022, 1, 15, tzinfo=UTC),
    end_date=datetime(2022, 1, 31, 23, tzinfo=UTC),
    catchup=True,
    max_active_runs=4,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    cluster = EmrClusterOperator(
        task_id="cluster",
        cluster={
            "Name": "Cluster",
            "ReleaseLabel": "emr-5.36.0",
            "Applications": [{"Name": "Spark"}, {"Name": "Hadoop"}],
            "ServiceRole": "DataPipelineDefaultRole",
            "JobFlowRole": "DataPipelineDefaultResourceRole",
            "AutoTerminationPolicy": {"IdleTimeout": 10800},
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
                        "InstanceCount": 3,
                        "Market": "ON_DEMAND",
                    },
                ],
                "KeepJobFlowAliveWhenNoSteps": True,
            },
        },
    ).as_setup()
    sessionise = EmrStepsOperator(
        task_id="sessionise",
        cluster_id=cluster.output,
        steps=[
            {
                "Name": "Sessionise",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "spark-submit",
                        "--deploy-mode",
                        "cluster",
                        "s3://acme-jobs/sessionise.py",
                        "--from",
                        "{{ data_interval_start.strftime('%Y-%m-%dT%H:%M:%S') }}",
                        "--to",
                        "{{ data_interval_end.strftime('%Y-%m-%dT%H:%M:%S') }}",
                        "--out",
                        (
                            "s3://acme-clicks/sessions/"
                            "{{ data_interval_start.format('YYYY/MM/DD/HH') }}/"
                        ),
                    ],
                },
            }
        ],
        execution_timeout=timedelta(minutes=50),
    )
    cluster_terminate = EmrTerminateClusterOperator(
        task_id="cluster_terminate", cluster_id=cluster.output
    ).as_teardown(setups=cluster)

    sessionise >> cluster_terminate
