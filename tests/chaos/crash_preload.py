"""What the processes of all tasks and triggers have in common, done once before they are forked.

Airflow's workers fork their tasks in the same way. Nothing here opens a connection or a thread.
"""

import importlib
import inspect

import boto3

from tests.chaos import crash_child

AIRFLOW = crash_child.task_runner  # with all that it imports
for _name in ("dynamodb", "emr", "glue", "reaper"):
    importlib.import_module(f"updraft.operators.{_name}")

# The provider looks at the stack for each of its hooks; what the module inspect finds out about
# all other modules, it remembers.
inspect.stack()
boto3.Session("none", "none", region_name="us-east-1").client("s3")
