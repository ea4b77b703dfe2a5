# Updraft sha256:b43e0376000499ae92734d0c89bef33cfae102da9675dfaf5bbd8a0815e5741e
"""Partition mirror: copies files within S3.

1. `source_there` waits for objects below a prefix in S3.
2. `mirror` copies files within S3.

**Origin.** Converted from the AWS Data Pipeline definition `partition_mirror.json`:
`source_there` was `SourceThere` (S3PrefixNotEmpty), `mirror` was `Mirror`
(CopyActivity).

**Schedule.** It runs every day at 04:00 UTC, when its period has ended; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable
from updraft.operators.s3_to_s3 import CopyS3ToS3Operator
from updraft.sensors.s3 import S3PrefixNotEmptySensor

with DAG(
    dag_id="partition_mirror",
    schedule=CronDataIntervalTimetable("0 4 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 4, tzinfo=UTC),
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
    source_there = S3PrefixNotEmptySensor(
        task_id="source_there",
        s3_uri=(
            "s3://acme-landing/events/dt="
            "{{ data_interval_start.format('YYYY-MM-DD') }}/"
        ),
        poke_interval=timedelta(minutes=5),
        timeout=timedelta(hours=6),
    )
    mirror = CopyS3ToS3Operator(
        task_id="mirror",
        source_s3_uri=(
            "s3://acme-landing/events/dt="
            "{{ data_interval_start.format('YYYY-MM-DD') }}/"
        ),
        dest_s3_uri=(
            "s3://acme-mirror/events/dt={{ data_interval_start.format('YYYY-MM-DD') }}/"
        ),
    )

    source_there >> mirror
