# Updraft sha256:c661422b2457b9826e8e89e2e43f190efd78ac90cd3d1dbf8c57529db67f9a03
"""Calendar paths: runs a shell command.

1. `name_folders` runs a shell command.

**Origin.** Converted from the AWS Data Pipeline definition `calendar_paths.json`:
`name_folders` was `NameFolders` (ShellCommandActivity).

**Schedule.** It runs every day at 09:30 UTC, when its period has ended; the first one
begins on 2024-01-01. Of the periods that pass while it is paused, the last one runs. A
run that you trigger needs a logical date, which tells its period.

**When it fails.** Airflow tries a task again up to 2 times, 10 minutes apart. Read the
log of the failed task, remove the cause, then clear the task: the run keeps its time,
so it writes to the same place.
"""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, CronDataIntervalTimetable
from updraft.operators.shell_command import ShellCommandOperator

with DAG(
    dag_id="calendar_paths",
    schedule=CronDataIntervalTimetable("30 9 * * *", timezone="UTC"),
    start_date=datetime(2024, 1, 1, 9, 30, tzinfo=UTC),
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
    ShellCommandOperator(
        task_id="name_folders",
        instance_tags={"worker-group": "calendar"},
        command='name-folders "$@"',
        arguments=[
            (
                "{{ data_interval_start.year }}/{{ data_interval_start.month }}/"
                "{{ data_interval_start.day }}"
            ),
            (
                "{{ data_interval_start.day_of_year }} "
                "{{ data_interval_start.hour }}:{{ data_interval_start.minute }}"
            ),
            "{{ data_interval_end.start_of('day').format('YYYY-MM-DD HH:mm:ss') }}",
            "{{ data_interval_start.subtract(days=1).strftime('%a %-d %b %Y') }}",
            "{{ macros.updraft.sunday(data_interval_start).strftime('%G-%V') }}",
            "{{ data_interval_start.replace(day=1).format('YYYY-MM-DD') }}",
            (
                "{{ data_interval_start.add(hours=3).add(minutes=15)"
                ".strftime('%I:%M %p') }}"
            ),
            "{{ data_interval_start.add(weeks=1).add(days=2).format('DDDD') }}",
            "{{ data_interval_start.add(years=1).add(months=6).strftime('%B %Y') }}",
            (
                "{{ macros.updraft.format(data_interval_start.subtract(hours=3)"
                ".subtract(minutes=15), 'kk:mm') }}"
            ),
            (
                "{{ data_interval_start.subtract(weeks=1).subtract(days=2)"
                ".strftime('day %-j') }}"
            ),
            (
                "{{ data_interval_start.subtract(years=1).subtract(months=6)"
                ".strftime('%y/%-m') }}"
            ),
            (
                "{{ macros.updraft.format(macros.updraft.inTimeZone("
                "data_interval_start, 'America/Los_Angeles'), "
                "'YYYY-MM-dd\\'T\\'HH:mm:ssZZ') }}"
            ),
            "{{ data_interval_start.add(minutes=90).format('HHmm') }}",
            (
                "{{ macros.updraft.makeDate(data_interval_start.year, 12, 24)"
                ".strftime('%A') }}"
            ),
            (
                "{{ macros.updraft.text(macros.updraft.makeDateTime(2024, 2, 29, 23, "
                "59)) }}"
            ),
            "{{ data_interval_start.format('YYYY/MM/DD') }}",
        ],
    )
