# Updraft sha256:bd90a472cadd75a67eac7a9f136f95073d7167e9a6efbe6f56f2a1481785deb5
"""Hive daily sales: runs a Hive script on a cluster.

1. `hive_cluster` makes the cluster of the run.
2. `sales_per_shop` runs a Hive script on the cluster.
3. `hive_cluster_terminate` ends the cluster, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `hive_daily_sales.json`:
`hive_cluster` was `HiveCluster` (EmrCluster), `sales_per_shop` was `SalesPerShop`
(HiveActivity), `hive_cluster_terminate` was `HiveCluster` (EmrCluster).

**Schedule.** It runs every day at 00:00 UTC, when its period has ended; the first one
begins on 2024-02-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

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

SALES_PER_SHOP_SCRIPT = """\
DROP TABLE IF EXISTS sales_per_shop_input1;
CREATE EXTERNAL TABLE sales_per_shop_input1 (`shop` STRING, `currency` STRING, \
`amount` DOUBLE)
ROW FORMAT DELIMITED
FIELDS TERMINATED BY ',' ESCAPED BY '\\\\'
LINES TERMINATED BY '\\n'
STORED AS TEXTFILE
LOCATION 's3://acme-sales/raw/{{ data_interval_start.format('YYYY/MM/DD') }}';
DROP TABLE IF EXISTS sales_per_shop_output1;
CREATE EXTERNAL TABLE sales_per_shop_output1 (`shop` STRING, `amount` DOUBLE)
ROW FORMAT DELIMITED
FIELDS TERMINATED BY '\\t' ESCAPED BY '\\\\'
LINES TERMINATED BY '\\n'
STORED AS TEXTFILE
LOCATION 's3://acme-sales/totals/{{ data_interval_start.format('YYYY/MM/DD') }}';
INSERT OVERWRITE TABLE ${output1} SELECT shop, sum(amount) FROM ${input1} WHERE \
currency = '${CURRENCY}' GROUP BY shop;
DROP TABLE IF EXISTS sales_per_shop_input1;
DROP TABLE IF EXISTS sales_per_shop_output1;"""

with DAG(
    dag_id="hive_daily_sales",
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=datetime(2024, 2, 1, tzinfo=UTC),
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
):
    hive_cluster = EmrClusterOperator(
        task_id="hive_cluster",
        cluster={
            "Name": "HiveCluster",
            "LogUri": "s3://acme-ops/logs/emr",
            "ReleaseLabel": "emr-6.15.0",
            "Applications": [{"Name": "Hadoop"}, {"Name": "Hive"}, {"Name": "Tez"}],
            "Configurations": [
                {
                    "Classification": "hive-site",
                    "Properties": {"hive.vectorized.execution.enabled": "true"},
                },
                {
                    "Classification": "hadoop-env",
                    "Configurations": [
                        {
                            "Classification": "export",
                            "Properties": {"HADOOP_HEAPSIZE": "2048"},
                        }
                    ],
                },
                {
                    "Classification": "yarn-site",
                    "Properties": {
                        "yarn.resourcemanager.scheduler.class": (
                            "org.apache.hadoop.yarn.server.resourcemanager.scheduler."
                            "fair.FairScheduler"
                        )
                    },
                },
            ],
            "ServiceRole": "emrServiceRole",
            "JobFlowRole": "emrInstanceProfile",
            "AutoTerminationPolicy": {"IdleTimeout": 18000},
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
                        "InstanceType": "r5.xlarge",
                        "InstanceCount": 4,
                        "Market": "ON_DEMAND",
                    },
                ],
                "Ec2KeyName": "ops",
                "Ec2SubnetId": "subnet-0a1b2c3d",
                "EmrManagedMasterSecurityGroup": "sg-0000000000000000a",
                "EmrManagedSlaveSecurityGroup": "sg-0000000000000000b",
                "ServiceAccessSecurityGroup": "sg-0000000000000000c",
                "AdditionalMasterSecurityGroups": ["sg-0000000000000000d"],
                "AdditionalSlaveSecurityGroups": ["sg-0000000000000000e"],
                "KeepJobFlowAliveWhenNoSteps": True,
            },
        },
    ).as_setup()
    sales_per_shop = EmrStepsOperator(
        task_id="sales_per_shop",
        cluster_id=hive_cluster.output,
        steps=[
            {
                "Name": "SalesPerShop",
                "ActionOnFailure": "CONTINUE",
                "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [
                        "hive",
                        "-d",
                        "input1=sales_per_shop_input1",
                        "-d",
                        "output1=sales_per_shop_output1",
                        "-d",
                        "CURRENCY=EUR",
                        "-d",
                        "DAY={{ data_interval_start.format('YYYY-MM-DD') }}",
                        "--hiveconf",
                        "mapreduce.job.queuename=reports",
                        "--hiveconf",
                        "tez.queue.name=reports",
                        "-e",
                        SALES_PER_SHOP_SCRIPT,
                    ],
                },
            }
        ],
        execution_timeout=timedelta(hours=5),
    )
    hive_cluster_terminate = EmrTerminateClusterOperator(
        task_id="hive_cluster_terminate", cluster_id=hive_cluster.output
    ).as_teardown(setups=hive_cluster)

    sales_per_shop >> hive_cluster_terminate
