# Updraft sha256:df26dcdf638fad8c58a891def6d226db0659472f56be6ade42744e536237cae4
"""Pig web sessions: runs a Pig script on a cluster.

1. `pig_cluster` makes the cluster of the run.
2. `sessions` runs a Pig script on the cluster.
3. `pig_cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `pig_web_sessions.json`:
`pig_cluster` was `PigCluster` (EmrCluster), `sessions` was `Sessions` (PigActivity),
`pig_cluster_terminate` was `PigCluster` (EmrCluster).

**Schedule.** It runs every 6 hours, when its period begins; the first one begins on
2023-09-01 at 03:00 UTC. Of the periods that pass while it is paused, the last one runs.
A run that you trigger needs a logical date, which tells its period.

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

SESSIONS_SCRIPT = """\
REGISTER /usr/lib/pig/lib/piggybank.jar;
input1 = LOAD 's3://acme-web/access/\
{{ data_interval_start.subtract(hours=6).format('YYYY-MM-DD/HH') }}' USING \
org.apache.pig.piggybank.storage.MyRegExLoader('^(\\\\S+) \\\\S+ \\\\S+ \
\\\\[([^\\\\]]+)\\\\] "([^"]*)" (\\\\d{3}) (\\\\d+|-)$') AS (host:chararray, \
time:chararray, request:chararray, status:chararray, size:chararray);
good = FILTER ${input1} BY status == '$STATUS';
per_host = GROUP good BY host;
${output1} = FOREACH per_host GENERATE group, COUNT(good);
STORE output1 INTO \
's3://acme-web/sessions/{{ data_interval_start.format('YYYY-MM-DD/HH') }}' USING \
PigStorage(';');"""

with DAG(
    dag_id="pig_web_sessions",
    schedule=CronTriggerTimetable("0 3,9,15,21 * * *", timezone="UTC"),
    start_date=datetime(2023, 9, 1, 3, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "region_name": "us-east-1",
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
):
    pig_cluster = EmrClusterOperator(
        task_id="pig_cluster",
        cluster={
            "Name": "PigCluster",
            "ReleaseLabel": "emr-5.36.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Pig"}],
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
                        "InstanceCount": 1,
                        "Market": "ON_DEMAND",
                    },
                ],
                "KeepJobFlowAliveWhenNoSteps": True,
            },
        },
    ).as_setup()
    sessions = EmrStepsOperator(
        task_id="sessions",
        cluster_id=pig_cluster.output,
        steps=[
            {
                "Name": "Sessions 1/3",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": (
                        "s3://us-east-1.elasticmapreduce/libs/script-runner/"
                        "script-runner.jar"
                    ),
                    "Args": ["s3://acme-web/scripts/fetch-geoip.sh", "city", "latest"],
                },
            },
            {
                "Name": "Sessions 2/3",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "bash",
                        "-c",
                        (
                            'script=$(mktemp) && printf "%s\\n" "$1" > "$script" && '
                            'shift && pig "$@" -f "$script"'
                        ),
                        "pig",
                        SESSIONS_SCRIPT,
                        "-p",
                        "input1=input1",
                        "-p",
                        "output1=output1",
                        "-p",
                        "STATUS=200",
                    ],
                },
            },
            {
                "Name": "Sessions 3/3",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": (
                        "s3://us-east-1.elasticmapreduce/libs/script-runner/"
                        "script-runner.jar"
                    ),
                    "Args": [
                        "s3://acme-web/scripts/touch-marker.sh",
                        "{{ data_interval_start.format('YYYY-MM-DD-HH') }}",
                    ],
                },
            },
        ],
        retry_from="first_step",
        execution_timeout=timedelta(hours=3),
    )
    pig_cluster_terminate = EmrTerminateClusterOperator(
        task_id="pig_cluster_terminate", cluster_id=pig_cluster.output
    ).as_teardown(setups=pig_cluster)

    sessions >> pig_cluster_terminate
