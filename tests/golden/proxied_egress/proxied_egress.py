# Updraft sha256:8444db7efa0069a7446dcc399c627a127672f334441cf101633cfd29258a2292
"""Proxied egress: runs a shell command.

1. `runner` launches the instance of the run.
2. `download` runs a shell command.
3. `runner_terminate` ends the instance, also when a task before it failed.

**Origin.** Converted from the AWS Data Pipeline definition `proxied_egress.json`:
`runner` was `Runner` (Ec2Resource), `download` was `Download` (ShellCommandActivity),
`runner_terminate` was `Runner` (Ec2Resource).

**Schedule.** It runs every day at 08:00 UTC, when its period begins; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronTriggerTimetable
from updraft.operators.ec2 import Ec2InstanceOperator, Ec2TerminateInstanceOperator
from updraft.operators.shell_command import ShellCommandOperator

RUNNER_USER_DATA = """\
folder=/etc/systemd/system/amazon-ssm-agent.service.d
mkdir -p "$folder"
cat > "$folder/proxy.conf" <<'END'
[Service]
Environment="http_proxy=http://proxy.internal.example:3128" \
"https_proxy=http://proxy.internal.example:3128" \
"no_proxy=169.254.169.254,s3.amazonaws.com,.s3.amazonaws.com"
END
systemctl daemon-reload
systemctl restart amazon-ssm-agent"""

with DAG(
    dag_id="proxied_egress",
    schedule=CronTriggerTimetable("0 8 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 8, tzinfo=UTC),
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
    runner = Ec2InstanceOperator(
        task_id="runner",
        instance_profile="DataPipelineDefaultResourceRole",
        instance_type="t3.micro",
        subnet_id="subnet-0a1b2c3d",
        terminate_after=timedelta(hours=1),
        user_data=RUNNER_USER_DATA,
    ).as_setup()
    download = ShellCommandOperator(
        task_id="download",
        instance_id=runner.output,
        command=(
            "curl --fail https://rates.example/daily.csv | aws s3 cp - "
            "s3://acme-rates/daily.csv"
        ),
        user="ec2-user",
    )
    runner_terminate = Ec2TerminateInstanceOperator(
        task_id="runner_terminate", instance_id=runner.output
    ).as_teardown(setups=runner)

    download >> runner_terminate
