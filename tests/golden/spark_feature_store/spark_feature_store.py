# Updraft sha256:6c2ceaa77218e0ec10907ded8d247e4b0a964c5b9afac0586e66b4db61198d31
"""Spark feature store: runs steps on a cluster.

1. `spark_cluster` makes the cluster of the run.
2. `features` runs steps on the cluster.
3. `spark_cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `spark_feature_store.json`:
`spark_cluster` was `SparkCluster` (EmrCluster), `features` was `Features`
(EmrActivity), `spark_cluster_terminate` was `SparkCluster` (EmrCluster).

**Schedule.** It runs every day at 23:15 UTC, when its period begins; the first one
begins on 2024-05-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline.

- `myHorizon` (integer): Days to look ahead
- `myWeight` (number): Weight of recent events

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG, CronTriggerTimetable, Param
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)

EBS_CONFIGURATION = {
    "EbsOptimized": True,
    "EbsBlockDeviceConfigs": [
        {
            "VolumeSpecification": {"VolumeType": "gp3", "SizeInGB": 50},
            "VolumesPerInstance": 1,
        },
        {
            "VolumeSpecification": {"VolumeType": "io1", "SizeInGB": 400, "Iops": 4000},
            "VolumesPerInstance": 2,
        },
    ],
}
CONFIGURATIONS = [
    {
        "Classification": "spark-defaults",
        "Properties": {"spark.executor.memory": "9g", "spark.executor.cores": "4"},
    }
]

tell_science = SnsNotifier(
    target_arn="arn:aws:sns:us-west-2:111122223333:science",
    region_name="us-west-2",
    subject="Features of {{ data_interval_start.format('YYYY-MM-DD') }} are ready",
    message=(
        "{{ 'FINISHED' if ti.state == 'success' else 'FAILED' }}: {{ ti.task_id }} "
        "began at {{ (ti.start_date | default(dag_run.start_date))"
        ".strftime('%Y-%m-%dT%H:%M:%S') }}."
    ),
)

with DAG(
    dag_id="spark_feature_store",
    schedule=CronTriggerTimetable("15 23 * * *", timezone="UTC"),
    start_date=datetime(2024, 5, 1, 23, 15, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "region_name": "us-west-2",
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "myHorizon": Param(7, type="integer", title="Days to look ahead"),
        "myWeight": Param(0.75, type="number", title="Weight of recent events"),
    },
):
    spark_cluster = EmrClusterOperator(
        task_id="spark_cluster",
        cluster={
            "Name": "SparkCluster",
            "ReleaseLabel": "emr-6.15.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Spark"}],
            "ServiceRole": "DataPipelineDefaultRole",
            "JobFlowRole": "DataPipelineDefaultResourceRole",
            "AutoTerminationPolicy": {"IdleTimeout": 28800},
            "Instances": {
                "InstanceGroups": [
                    {
                        "Name": "Master",
                        "InstanceRole": "MASTER",
                        "InstanceType": "m5.xlarge",
                        "InstanceCount": 1,
                        "Market": "SPOT",
                        "BidPrice": "0.10",
                        "Configurations": CONFIGURATIONS,
                        "EbsConfiguration": {
                            "EbsOptimized": True,
                            "EbsBlockDeviceConfigs": [
                                {
                                    "VolumeSpecification": {
                                        "VolumeType": "gp3",
                                        "SizeInGB": 50,
                                    },
                                    "VolumesPerInstance": 1,
                                }
                            ],
                        },
                    },
                    {
                        "Name": "Core",
                        "InstanceRole": "CORE",
                        "InstanceType": "r5.2xlarge",
                        "InstanceCount": 5,
                        "Market": "SPOT",
                        "Configurations": CONFIGURATIONS,
                        "EbsConfiguration": EBS_CONFIGURATION,
                    },
                    {
                        "Name": "Task",
                        "InstanceRole": "TASK",
                        "InstanceType": "r5.xlarge",
                        "InstanceCount": 10,
                        "Market": "SPOT",
                        "BidPrice": "0.08",
                        "Configurations": CONFIGURATIONS,
                        "EbsConfiguration": EBS_CONFIGURATION,
                    },
                ],
                "KeepJobFlowAliveWhenNoSteps": True,
            },
        },
        on_demand_fallback=True,
        start_timeout=timedelta(minutes=30),
        retries=3,
        retry_delay=timedelta(minutes=5),
    ).as_setup()
    features = EmrStepsOperator(
        task_id="features",
        cluster_id=spark_cluster.output,
        steps=[
            {
                "Name": "Features 1/5",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "bash",
                        "-c",
                        "aws s3 cp s3://acme-ml/reference.csv /tmp/reference.csv",
                    ],
                },
            },
            {
                "Name": "Features 2/5",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "spark-submit",
                        "--packages",
                        "com.example:a:1.0,com.example:b:2.1",
                        "s3://acme-ml/features.py",
                        "{{ params.myHorizon * 24 }}",
                        "{{ params.myWeight }}",
                    ],
                },
            },
            {
                "Name": "Features 3/5",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "s3://acme-ml/scores.jar",
                    "Args": ["--day", "{{ data_interval_start.format('YYYY-MM-DD') }}"],
                },
            },
            {
                "Name": "Features 4/5",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": ["bash", "-c", "rm /tmp/reference.csv"],
                },
            },
            {
                "Name": "Features 5/5",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "bash",
                        "-c",
                        "date > /tmp/done && aws s3 cp /tmp/done s3://acme-ml/_SUCCESS",
                    ],
                },
            },
        ],
        retry_from="first_step",
        execution_timeout=timedelta(hours=8),
        on_success_callback=[tell_science],
    )
    spark_cluster_terminate = EmrTerminateClusterOperator(
        task_id="spark_cluster_terminate", cluster_id=spark_cluster.output
    ).as_teardown(setups=spark_cluster)

    features >> spark_cluster_terminate
