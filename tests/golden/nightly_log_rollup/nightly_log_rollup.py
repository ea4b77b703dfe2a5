# Updraft sha256:63634e16d8040603091e4873dd215edbaac575996c7a6a642e0780f79f8a82de
"""Nightly log rollup: runs a shell command.

1. `worker` launches the instance of the run.
2. `roll_up_access_logs` runs a shell command.
3. `worker_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `nightly_log_rollup.json`:
`worker` was `Worker` (Ec2Resource), `roll_up_access_logs` was `RollUp`
(ShellCommandActivity), `worker_terminate` was `Worker` (Ec2Resource).

**Schedule.** It runs every day at 02:30 UTC, when its period begins; the first one
begins on 2023-03-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place. `tell_ops` tells a topic of Amazon SNS, after the last
try.
"""

from datetime import UTC, datetime, timedelta

from airflow.providers.amazon.aws.notifications.sns import SnsNotifier
from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

tell_ops = SnsNotifier(
    target_arn="arn:aws:sns:eu-west-1:111122223333:ops",
    region_name="eu-west-1",
    subject=(
        "{% filter replace('\\n', ' ') | truncate(99, leeway=0) %}{{ ti.task_id }} "
        "failed for "
        "{{ data_interval_start.strftime('%Y-%m-%dT%H:%M:%S') }}{% endfilter %}"
    ),
    message=(
        "{{ ti.task_id }} of {{ dag.dag_id }} ran from {{ (ti.start_date | default("
        "dag_run.start_date)).strftime('%Y-%m-%dT%H:%M:%S') }} to "
        "{{ (ti.end_date or macros.datetime.utcnow()).strftime('%Y-%m-%dT%H:%M:%S') }} "
        "on {{ ti.hostname }}. Logs are in s3://acme-ops/data-pipeline-logs/.\n"
        "{{ exception | default('') }}\n"
        "{{ ti.log_url }}"
    ),
)

with DAG(
    dag_id="nightly_log_rollup",
    schedule=CronTriggerTimetable("30 2 * * *", timezone="UTC"),
    start_date=datetime(2023, 3, 1, 2, 30, tzinfo=UTC),
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
        on_failure_callback=[tell_ops],
    ).as_setup()
    roll_up_access_logs = ShellCommandOperator(
        task_id="roll_up_access_logs",
        instance_id=worker.output,
        command=(
            'zcat "$INPUT1_STAGING_DIR"/*.gz | sort -u | gzip > '
            '"$OUTPUT1_STAGING_DIR/$1.gz"'
        ),
        arguments=[
            "access-{{ data_interval_start.subtract(days=1).format('YYYY-MM-DD') }}"
        ],
        inputs=[
            (
                "s3://acme-logs/raw/"
                "{{ data_interval_start.subtract(days=1).format('YYYY/MM/DD') }}/"
            )
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
        on_failure_callback=[tell_ops],
    )
    worker_terminate = Ec2TerminateInstanceOperator(
        task_id="worker_terminate", instance_id=worker.output
    ).as_teardown(setups=worker)

    roll_up_access_logs >> worker_terminate
