# Updraft sha256:2145af09b02977d98d75d0e0c8bd5bcde44f3ca6dc3315ae74920aabea74880a
"""Hive script in S3.

1. `cluster` makes the cluster of the run.
2. `rank` runs a Hive script on the cluster.
3. `recommend` runs a Pig script on the cluster.
4. `cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `hive_script_in_s3.json`:
`cluster` was `Cluster` (EmrCluster), `rank` was `Rank` (HiveActivity), `recommend` was
`Recommend` (PigActivity), `cluster_terminate` was `Cluster` (EmrCluster).

**Schedule.** It runs every day at 02:00 UTC, when its period begins; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline.

- `myTop` (integer): How many to keep

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable, Param
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)

STEP = {
    "Jar": "command-runner.jar",
    "Args": [
        "bash",
        "-c",
        (
            'script=$(mktemp) && hadoop fs -cat "$0" > "$script" && chmod +x "$script" '
            '&& "$script" "$@"'
        ),
        "s3://acme-scripts/prepare.sh",
    ],
}

with DAG(
    dag_id="hive_script_in_s3",
    schedule=CronTriggerTimetable("0 2 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 2, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "myTop": Param(100, type="integer", title="How many to keep"),
    },
):
    cluster = EmrClusterOperator(
        task_id="cluster",
        cluster={
            "Name": "Cluster",
            "ReleaseLabel": "emr-5.36.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Hive"}, {"Name": "Pig"}],
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
                        "InstanceCount": 2,
                        "Market": "ON_DEMAND",
                    },
                ],
                "KeepJobFlowAliveWhenNoSteps": True,
            },
        },
    ).as_setup()
    rank = EmrStepsOperator(
        task_id="rank",
        cluster_id=cluster.output,
        steps=[
            {
                "Name": "Rank 1/3",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": STEP,
            },
            {
                "Name": "Rank 2/3",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "hive-script",
                        "--run-hive-script",
                        "--args",
                        "-f",
                        "s3://acme-scripts/rank.q",
                        "-d",
                        "SOURCE=s3://acme-ratings/current",
                        "-d",
                        "TOP={{ params.myTop }}",
                    ],
                },
            },
            {"Name": "Rank 3/3", "ActionOnFailure": "CONTINUE", "HadoopJarStep": STEP},
        ],
        retry_from="first_step",
        execution_timeout=timedelta(hours=3),
    )
    recommend = EmrStepsOperator(
        task_id="recommend",
        cluster_id=cluster.output,
        steps=[
            {
                "Name": "Recommend",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "pig-script",
                        "--run-pig-script",
                        "--args",
                        "-f",
                        "s3://acme-scripts/recommend.pig",
                        "-p",
                        (
                            "OUT=s3://acme-ratings/recommendations/"
                            "{{ data_interval_start.format('YYYY-MM-DD') }}"
                        ),
                    ],
                },
            }
        ],
        execution_timeout=timedelta(hours=3),
    )
    cluster_terminate = EmrTerminateClusterOperator(
        task_id="cluster_terminate", cluster_id=cluster.output
    ).as_teardown(setups=cluster)

    rank >> recommend >> cluster_terminate
