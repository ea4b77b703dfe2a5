"""The work that all contenders do: a Glue job whose runs take some seconds and do nothing."""

from dataclasses import asdict, dataclass
from typing import Any

JOB = "waiting"
_ROLE = "arn:aws:iam::123456789012:role/glue"
_SCRIPT = """
import sys, time
time.sleep(float(dict(zip(sys.argv[1::2], sys.argv[2::2]))["--seconds"]))
"""


@dataclass(frozen=True)
class Work:
    """What is compared.

    :param runs: number of runs of the job.
    :param seconds: how long a run takes, in seconds.
    :param poll_interval: seconds between two looks at a run.
    :param script: ``s3://`` URI of the script.
    """

    runs: int
    seconds: int
    poll_interval: int
    script: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def create_job(session: Any, runs: int, seconds: int, poll_interval: int) -> Work:
    """Create the job on the local stack.

    :param session: boto3's session.
    :param runs: number of runs that may go on at the same time.
    :param seconds: how long a run takes, in seconds.
    :param poll_interval: seconds between two looks at a run.
    :returns: the work.
    """
    bucket, key = "waiting", "script.py"
    s3 = session.client("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key=key, Body=_SCRIPT.encode())
    script = f"s3://{bucket}/{key}"
    session.client("glue").create_job(
        Name=JOB,
        Role=_ROLE,
        Command={"Name": "pythonshell", "PythonVersion": "3.9", "ScriptLocation": script},
        ExecutionProperty={"MaxConcurrentRuns": runs},
    )
    return Work(runs, seconds, poll_interval, script)


def most_at_once(session: Any) -> int:
    """Count how many runs of the job went on at the same time, and remove the job.

    :param session: boto3's session.
    :returns: the largest number.
    """
    glue = session.client("glue")
    pages = glue.get_paginator("get_job_runs").paginate(JobName=JOB)
    runs = [run for page in pages for run in page["JobRuns"]]
    changes = [(run["StartedOn"], 1) for run in runs] + [(run["CompletedOn"], -1) for run in runs]
    going_on = most = 0
    for _, change in sorted(changes):
        going_on += change
        most = max(most, going_on)
    glue.delete_job(JobName=JOB)
    return most
