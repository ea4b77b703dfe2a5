"""What the processes of all tasks and triggers have in common, done once before they are forked.

Airflow's workers fork their tasks in the same way. Nothing here opens a connection or a thread.
"""

import boto3

from include.local.forking_airflow import import_what_tasks_use
from tests import shared_botocore
from tests.chaos import crash_child

AIRFLOW = crash_child.task_runner  # with all that it imports
shared_botocore.share()
import_what_tasks_use()
_SESSION = boto3.Session("none", "none", region_name="us-east-1")
for _service in ("datazone", "dynamodb", "ec2", "emr", "glue", "redshift-data", "s3", "ssm"):
    _SESSION.client(_service)
