# Updraft sha256:a79f4c90d301bd1145240bcb354806fa770b295476837fc2b71a11db474c802f
"""Pig order scores.

1. `check_parameters` fails as long as a parameter without a value is left empty.
2. `pig_cluster` makes the cluster of the run.
3. `score_orders_read_input1` writes the rows of Orders to S3.
4. `score_orders_pig` runs a Pig script on the cluster.
5. `score_orders` loads into Scores what the script has stored.
6. `pig_cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `pig_order_scores.json`:
`pig_cluster` was `PigCluster` (EmrCluster), `score_orders_read_input1` was `Score`
(PigActivity), `score_orders_pig` was `Score` (PigActivity), `score_orders` was `Score`
(PigActivity), `pig_cluster_terminate` was `PigCluster` (EmrCluster).

**Schedule.** It runs every day at 01:30 UTC, when its period begins; the first one
begins on 2022-03-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline, except for new ones.

- `staging_s3_uri` (S3 URI, required): New: S3 prefix for rows on the way from and to
  tables; the files stay there

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
from updraft.operators.required_params import RequiredParamsOperator
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

SCORE_ORDERS_PIG_SCRIPT = """\
input2 = LOAD 's3://acme-scores/weights/' USING PigStorage('\\t') AS \
(country:chararray, weight:double);
input1 = LOAD '{{ params.staging_s3_uri }}/score_orders/\
{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}/input1' USING \
PigStorage('\\u0001') AS ({{ macros.updraft.pigColumns(ti\
.xcom_pull(task_ids='score_orders_read_input1')['columns']) }});
weighed = JOIN ${input1} BY country, ${input2} BY country;
${output1} = FOREACH weighed GENERATE id, amount * weight;
STORE output1 INTO '{{ params.staging_s3_uri }}/score_orders/\
{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}/output1' USING \
PigStorage('\\u0001');"""

with DAG(
    dag_id="pig_order_scores",
    schedule=CronTriggerTimetable("30 1 * * *", timezone="UTC"),
    start_date=datetime(2022, 3, 1, 1, 30, tzinfo=UTC),
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
        "staging_s3_uri": Param(
            None,
            type=["null", "string"],
            pattern="^s3://[^/]+",
            title=(
                "New: S3 prefix for rows on the way from and to tables; the files stay "
                "there"
            ),
        ),
    },
):
    check_parameters = RequiredParamsOperator(
        task_id="check_parameters", names=["staging_s3_uri"]
    )
    pig_cluster = EmrClusterOperator(
        task_id="pig_cluster",
        cluster={
            "Name": "PigCluster",
            "ReleaseLabel": "emr-6.15.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Pig"}],
            "ServiceRole": "DataPipelineDefaultRole",
            "JobFlowRole": "DataPipelineDefaultResourceRole",
            "AutoTerminationPolicy": {"IdleTimeout": 7200},
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
        region_name="eu-west-1",
    ).as_setup()
    score_orders_read_input1 = CopySqlToS3Operator(
        task_id="score_orders_read_input1",
        sql_conn_id="shop",
        query=(
            "SELECT id, country, amount FROM orders WHERE day = "
            "'{{ data_interval_start.format('YYYY-MM-DD') }}'"
        ),
        s3_uri=(
            "{{ params.staging_s3_uri }}/score_orders/"
            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}/input1/rows"
        ),
        file_format="custom",
        file_format_options={
            "column_separator": "\x01",
            "escape_char": "",
            "null_text": "",
        },
        execution_timeout=timedelta(hours=2),
    )
    score_orders_pig = EmrStepsOperator(
        task_id="score_orders_pig",
        cluster_id=pig_cluster.output,
        steps=[
            {
                "Name": "Score orders 1/2",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "hadoop",
                        "fs",
                        "-rm",
                        "-r",
                        "-f",
                        "-skipTrash",
                        (
                            "{{ params.staging_s3_uri }}/score_orders/"
                            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}/"
                            "output1"
                        ),
                    ],
                },
            },
            {
                "Name": "Score orders 2/2",
                "ActionOnFailure": "CONTINUE",
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
                        SCORE_ORDERS_PIG_SCRIPT,
                        "-p",
                        "input1=input1",
                        "-p",
                        "input2=input2",
                        "-p",
                        "output1=output1",
                    ],
                },
            },
        ],
        region_name="eu-west-1",
        retry_from="first_step",
        execution_timeout=timedelta(hours=2),
    )
    score_orders = CopyS3ToSqlOperator(
        task_id="score_orders",
        sql_conn_id="shop",
        insert_query="INSERT INTO scores (order_id, score) VALUES (?, ?)",
        s3_uri=(
            "{{ params.staging_s3_uri }}/score_orders/"
            "{{ data_interval_start.format('YYYY-MM-DD-HH-mm-ss') }}/output1/"
        ),
        file_format="custom",
        file_format_options={
            "column_separator": "\x01",
            "escape_char": "",
            "null_text": "",
        },
        execution_timeout=timedelta(hours=2),
    )
    pig_cluster_terminate = EmrTerminateClusterOperator(
        task_id="pig_cluster_terminate",
        cluster_id=pig_cluster.output,
        region_name="eu-west-1",
    ).as_teardown(setups=pig_cluster)

    (
        check_parameters
        >> pig_cluster
        >> score_orders_read_input1
        >> score_orders_pig
        >> score_orders
        >> pig_cluster_terminate
    )
