# Updraft sha256:36e51cc25f82c6f3ee418201ef6d21e9cbac9534519aedaf14e847e403ea27d7
"""Catalogue subset to S3: copies by Hive on a cluster.

1. `cluster` makes the cluster of the run.
2. `copy_subset` copies by Hive on the cluster.
3. `cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition
`catalogue_subset_to_s3.json`: `cluster` was `Cluster` (EmrCluster), `copy_subset` was
`CopySubset` (HiveCopyActivity), `cluster_terminate` was `Cluster` (EmrCluster).

**Schedule.** It runs every 2 weeks on Wednesday at 22:00 UTC, when its period begins;
the first one begins on 2024-01-03. Of the periods that pass while it is paused, the
last one runs. A run that you trigger needs a logical date, which tells its period.

**Parameters.** They keep the names they had in the pipeline.

- `myCategory` (string): Category to copy

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, Param
from updraft.operators.emr import (
    EmrClusterOperator,
    EmrStepsOperator,
    EmrTerminateClusterOperator,
)
from updraft.timetables import PeriodTimetable

COPY_SUBSET_SCRIPT = """\
DROP TABLE IF EXISTS copy_subset_input1;
CREATE EXTERNAL TABLE copy_subset_input1 (`sku` STRING, `category` STRING, `price` \
DOUBLE)
STORED BY 'org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler'
TBLPROPERTIES ('dynamodb.table.name' = 'catalogue', 'dynamodb.column.mapping' = \
'sku:sku,category:category,price:price', 'dynamodb.region' = 'eu-west-1', \
'dynamodb.throughput.read.percent' = '0.4');
DROP TABLE IF EXISTS copy_subset_output1;
CREATE EXTERNAL TABLE copy_subset_output1 (`sku` STRING, `category` STRING, `price` \
DOUBLE)
ROW FORMAT DELIMITED
FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'
LINES TERMINATED BY '\\n'
STORED AS TEXTFILE
LOCATION 's3://acme-catalogue/subset/';
INSERT OVERWRITE TABLE copy_subset_output1
SELECT `sku`, `category`, `price` FROM copy_subset_input1
WHERE category = '{{ params.myCategory }}' AND price > 10;
DROP TABLE IF EXISTS copy_subset_input1;
DROP TABLE IF EXISTS copy_subset_output1;"""

with DAG(
    dag_id="catalogue_subset_to_s3",
    schedule=PeriodTimetable(
        datetime(2024, 1, 3, 22, tzinfo=UTC), "2 weeks", run_at="start"
    ),
    start_date=datetime(2024, 1, 3, 22, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "region_name": "eu-west-1",
    },
    tags=["data-pipeline"],
    doc_md=__doc__,
    params={
        "myCategory": Param(
            "books",
            type="string",
            enum=["books", "toys", "garden"],
            title="Category to copy",
        ),
    },
):
    cluster = EmrClusterOperator(
        task_id="cluster",
        cluster={
            "Name": "Cluster",
            "ReleaseLabel": "emr-5.36.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Hive"}],
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
    ).as_setup()
    copy_subset = EmrStepsOperator(
        task_id="copy_subset",
        cluster_id=cluster.output,
        steps=[
            {
                "Name": "CopySubset 1/2",
                "ActionOnFailure": "CANCEL_AND_WAIT",
                "HadoopJarStep": {
                    "Jar": (
                        "s3://eu-west-1.elasticmapreduce/libs/script-runner/"
                        "script-runner.jar"
                    ),
                    "Args": [
                        "s3://acme-scripts/clear-folder.sh",
                        "s3://acme-catalogue/subset/",
                    ],
                },
            },
            {
                "Name": "CopySubset 2/2",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": ["hive", "-e", COPY_SUBSET_SCRIPT],
                },
            },
        ],
        retry_from="first_step",
        execution_timeout=timedelta(hours=2),
    )
    cluster_terminate = EmrTerminateClusterOperator(
        task_id="cluster_terminate", cluster_id=cluster.output
    ).as_teardown(setups=cluster)

    copy_subset >> cluster_terminate
