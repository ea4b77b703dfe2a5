# Updraft sha256:87afe6b976e556674075434bf7403517d75ce4746d09d6f2e82ad4f52d76f000
"""Hive invoice amounts.

1. `hive_cluster` makes the cluster of the run.
2. `convert_invoices_read_input1` writes the rows of Invoices to S3.
3. `convert_invoices_hive` runs a Hive script on the cluster.
4. `convert_invoices` loads into Amounts what the script has stored.
5. `hive_cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `hive_invoice_amounts.json`:
`hive_cluster` was `HiveCluster` (EmrCluster), `convert_invoices_read_input1` was
`Convert` (HiveActivity), `convert_invoices_hive` was `Convert` (HiveActivity),
`convert_invoices` was `Convert` (HiveActivity), `hive_cluster_terminate` was
`HiveCluster` (EmrCluster).

**Schedule.** It runs when it is triggered.

**Parameters.** They keep the names they had in the pipeline, except for new ones.

- `myMonth` (string, required): Month, such as 2026-11
- `myRates` (S3 URI, required): Folder with rates
- `staging_s3_uri` (S3 URI, required): New: S3 prefix for rows on the way from and to
  tables; the files stay there

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import timedelta

from airflow.sdk import DAG, Param
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)
from updraft.operators.s3_to_sql import CopyS3ToSqlOperator
from updraft.operators.sql_to_s3 import CopySqlToS3Operator

CONVERT_INVOICES_HIVE_SCRIPT = """\
DROP TABLE IF EXISTS convert_invoices_input2;
CREATE EXTERNAL TABLE convert_invoices_input2 (`currency` STRING, `rate` DOUBLE)
ROW FORMAT DELIMITED
FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'
LINES TERMINATED BY '\\n'
STORED AS TEXTFILE
LOCATION '{{ params.myRates }}';
DROP TABLE IF EXISTS convert_invoices_input1;
CREATE EXTERNAL TABLE convert_invoices_input1 ({{ macros.updraft.hiveColumns(ti\
.xcom_pull(task_ids='convert_invoices_read_input1')['columns']) }})
ROW FORMAT DELIMITED
FIELDS TERMINATED BY '\\001'
LINES TERMINATED BY '\\n'
STORED AS TEXTFILE
LOCATION '{{ params.staging_s3_uri }}/convert_invoices/\
{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}/input1/';
DROP TABLE IF EXISTS convert_invoices_output1;
CREATE EXTERNAL TABLE convert_invoices_output1 (`column1` STRING, `column2` STRING, \
`column3` STRING)
ROW FORMAT DELIMITED
FIELDS TERMINATED BY '\\001'
LINES TERMINATED BY '\\n'
STORED AS TEXTFILE
LOCATION '{{ params.staging_s3_uri }}/convert_invoices/\
{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}/output1/';
INSERT OVERWRITE TABLE ${output1} SELECT i.id, i.customer, i.amount * r.rate FROM \
${input1} i LEFT JOIN ${input2} r ON i.currency = r.currency;
DROP TABLE IF EXISTS convert_invoices_input2;
DROP TABLE IF EXISTS convert_invoices_input1;
DROP TABLE IF EXISTS convert_invoices_output1;"""

with DAG(
    dag_id="hive_invoice_amounts",
    schedule=None,
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
        "myMonth": Param(type="string", minLength=1, title="Month, such as 2026-11"),
        "myRates": Param(
            type="string", pattern="^s3://[^/]+", title="Folder with rates"
        ),
        "staging_s3_uri": Param(
            type="string",
            pattern="^s3://[^/]+",
            title=(
                "New: S3 prefix for rows on the way from and to tables; the files stay "
                "there"
            ),
        ),
    },
):
    hive_cluster = EmrClusterOperator(
        task_id="hive_cluster",
        cluster={
            "Name": "HiveCluster",
            "ReleaseLabel": "emr-6.15.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Hive"}],
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
        region_name="us-east-1",
    ).as_setup()
    convert_invoices_read_input1 = CopySqlToS3Operator(
        task_id="convert_invoices_read_input1",
        sql_conn_id="ledger",
        query=(
            "SELECT id, customer, currency, amount FROM invoices WHERE month = "
            "'{{ params.myMonth }}'"
        ),
        s3_uri=(
            "{{ params.staging_s3_uri }}/convert_invoices/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}/input1/rows"
        ),
        file_format="custom",
        file_format_options={
            "column_separator": "\x01",
            "escape_char": "",
            "null_text": "\\N",
        },
        execution_timeout=timedelta(hours=3),
        retries=1,
    )
    convert_invoices_hive = EmrStepsOperator(
        task_id="convert_invoices_hive",
        cluster_id=hive_cluster.output,
        steps=[
            {
                "Name": "Convert invoices 1/2",
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
                            "{{ params.staging_s3_uri }}/convert_invoices/"
                            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}/"
                            "output1"
                        ),
                    ],
                },
            },
            {
                "Name": "Convert invoices 2/2",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "hive",
                        "-d",
                        "input2=convert_invoices_input2",
                        "-d",
                        "input1=convert_invoices_input1",
                        "-d",
                        "output1=convert_invoices_output1",
                        "-e",
                        CONVERT_INVOICES_HIVE_SCRIPT,
                    ],
                },
            },
        ],
        region_name="us-east-1",
        retry_from="first_step",
        execution_timeout=timedelta(hours=3),
        retries=1,
    )
    convert_invoices = CopyS3ToSqlOperator(
        task_id="convert_invoices",
        sql_conn_id="ledger",
        insert_query=(
            "INSERT INTO amounts (invoice_id, customer, euros) VALUES (?, ?, ?)"
        ),
        s3_uri=(
            "{{ params.staging_s3_uri }}/convert_invoices/"
            "{{ dag_run.run_after.strftime('%Y-%m-%d-%H-%M-%S') }}/output1/"
        ),
        file_format="custom",
        file_format_options={
            "column_separator": "\x01",
            "escape_char": "",
            "null_text": "\\N",
        },
        execution_timeout=timedelta(hours=3),
        retries=1,
    )
    hive_cluster_terminate = EmrTerminateClusterOperator(
        task_id="hive_cluster_terminate",
        cluster_id=hive_cluster.output,
        region_name="us-east-1",
    ).as_teardown(setups=hive_cluster)

    (
        hive_cluster
        >> convert_invoices_read_input1
        >> convert_invoices_hive
        >> convert_invoices
        >> hive_cluster_terminate
    )
