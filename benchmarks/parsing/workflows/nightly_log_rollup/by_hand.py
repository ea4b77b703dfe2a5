"""Rolls the access logs of yesterday up into one file, on an instance of its own."""

from datetime import datetime, timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG

from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

TELL_OPS = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:ops",
    region_name="eu-west-1",
    subject="{{ ti.task_id }} failed for {{ data_interval_start }}",
    message=(
        "{{ ti.task_id }} of {{ dag.dag_id }} began at {{ ti.start_date }} on {{ ti.hostname }}. "
        "Logs are in s3://acme-ops/data-pipeline-logs/.\n{{ exception }}"
    ),
)

with DAG(
    dag_id="nightly_log_rollup",
    schedule="30 2 * * *",
    start_date=datetime(2023, 3, 1, 2, 30),  # noqa: DTZ001 as people write it
    catchup=False,
    max_active_runs=1,
    default_args={
        "owner": "data-platform",
        "retries": 2,
        "retry_delay": timedelta(minutes=10),
        "region_name": "eu-west-1",
    },
    tags=["logs"],
    doc_md=__doc__,
):
    worker = Ec2InstanceOperator(
        task_id="worker",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="m5.large",
        image_id="ami-0abcdef1234567890",
        subnet_id="subnet-0a1b2c3d",
        security_group_ids=["sg-0a1b2c3d", "sg-4e5f6a7b"],
        key_name="ops",
        public_ip=False,
        terminate_after=timedelta(hours=4),
        start_timeout=timedelta(minutes=20),
        on_failure_callback=TELL_OPS,
    ).as_setup()
    roll_up = ShellCommandOperator(
        task_id="roll_up_access_logs",
        instance_id=worker.output,
        command=('zcat "$INPUT1_STAGING_DIR"/*.gz | sort -u | gzip > "$OUTPUT1_STAGING_DIR/$1.gz"'),
        arguments=["access-{{ data_interval_start.subtract(days=1).format('YYYY-MM-DD') }}"],
        inputs=[
            "s3://acme-logs/raw/{{ data_interval_start.subtract(days=1).format('YYYY/MM/DD') }}/"
        ],
        outputs=["s3://acme-logs/daily/"],
        stage=True,
        stdout_uri="s3://acme-ops/rollup/stdout/stdout",
        stderr_uri="s3://acme-ops/rollup/stderr/stderr",
        command_timeout=timedelta(hours=2),
        user="ec2-user",
        output_uri="s3://acme-ops/data-pipeline-logs/",
        retries=1,
        retry_delay=timedelta(minutes=15),
        on_failure_callback=TELL_OPS,
    )
    end = Ec2TerminateInstanceOperator(task_id="worker_terminate", instance_id=worker.output)
    roll_up >> end.as_teardown(setups=worker)
