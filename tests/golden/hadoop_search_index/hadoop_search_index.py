# Updraft sha256:4b192dd5d275176431c05728813446e203b64dd7adf2eb6f3ae221a733d41640
"""Hadoop search index: runs a Hadoop job on a cluster.

1. `old_cluster` makes the cluster of the run.
2. `build_index` runs a Hadoop job on the cluster.
3. `count_terms` runs a Hadoop job on the cluster.
4. `old_cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `hadoop_search_index.json`:
`old_cluster` was `OldCluster` (EmrCluster), `build_index` was `BuildIndex`
(HadoopActivity), `count_terms` was `CountTerms` (HadoopActivity),
`old_cluster_terminate` was `OldCluster` (EmrCluster).

**Schedule.** It runs every day at 00:00 UTC, when its period begins; the first one
begins on 2016-05-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)

with DAG(
    dag_id="hadoop_search_index",
    schedule=CronTriggerTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2016, 5, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    old_cluster = EmrClusterOperator(
        task_id="old_cluster",
        cluster={
            "Name": "OldCluster",
            "ReleaseLabel": "emr-7.9.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Hive"}, {"Name": "Pig"}],
            "Configurations": [
                {
                    "Classification": "yarn-site",
                    "Properties": {
                        "yarn.resourcemanager.scheduler.class": (
                            "org.apache.hadoop.yarn.server.resourcemanager.scheduler."
                            "capacity.CapacityScheduler"
                        ),
                        "yarn.nodemanager.resource.memory-mb": "12288",
                    },
                }
            ],
            "BootstrapActions": [
                {
                    "Name": "install-dictionaries.sh",
                    "ScriptBootstrapAction": {
                        "Path": "s3://acme-search/install-dictionaries.sh",
                        "Args": ["de", "en"],
                    },
                }
            ],
            "ServiceRole": "DataPipelineDefaultRole",
            "JobFlowRole": "DataPipelineDefaultResourceRole",
            "AutoTerminationPolicy": {"IdleTimeout": 43200},
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
    build_index = EmrStepsOperator(
        task_id="build_index",
        cluster_id=old_cluster.output,
        steps=[
            {
                "Name": "BuildIndex 1/3",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "bash",
                        "-c",
                        (
                            'script=$(mktemp) && hadoop fs -cat "$0" > "$script" && '
                            'chmod +x "$script" && "$script" "$@"'
                        ),
                        "s3://acme-search/warm-up.sh",
                    ],
                },
            },
            {
                "Name": "BuildIndex 2/3",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "s3://acme-search/indexer.jar",
                    "MainClass": "com.example.search.BuildIndex",
                    "Args": [
                        "-D",
                        "mapreduce.job.queuename=index",
                        "s3://acme-search/documents/",
                        (
                            "s3://acme-search/index/"
                            "{{ data_interval_start.format('YYYY-MM-DD') }}/"
                        ),
                    ],
                },
            },
            {
                "Name": "BuildIndex 3/3",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "bash",
                        "-c",
                        (
                            'script=$(mktemp) && hadoop fs -cat "$0" > "$script" && '
                            'chmod +x "$script" && "$script" "$@"'
                        ),
                        "s3://acme-search/publish.sh",
                        "--index",
                        "documents",
                    ],
                },
            },
        ],
        retry_from="first_step",
        execution_timeout=timedelta(hours=12),
    )
    count_terms = EmrStepsOperator(
        task_id="count_terms",
        cluster_id=old_cluster.output,
        steps=[
            {
                "Name": "CountTerms",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "/usr/lib/hadoop-mapreduce/hadoop-mapreduce-examples.jar",
                    "Args": [
                        "wordcount",
                        "s3://acme-search/documents/",
                        "s3://acme-search/terms/",
                    ],
                },
            }
        ],
        execution_timeout=timedelta(hours=12),
    )
    old_cluster_terminate = EmrTerminateClusterOperator(
        task_id="old_cluster_terminate", cluster_id=old_cluster.output
    ).as_teardown(setups=old_cluster)

    build_index >> count_terms >> old_cluster_terminate
