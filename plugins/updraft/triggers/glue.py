"""Triggers that wait for a run of a Glue job, and for room to start one."""

import random
from typing import Any

from updraft.triggers.glue_polling import GluePollingTrigger

_ACTIVE = frozenset({"STARTING", "RUNNING", "STOPPING", "WAITING"})


class GlueJobRunTrigger(GluePollingTrigger):
    """Wait for the end of a run.

    :param job_name: name of the job.
    :param run_id: id of the run.
    :param kwargs: as of :class:`GluePollingTrigger`.
    """

    argument_names = ("job_name", "run_id")

    def __init__(self, *, job_name: str, run_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.run_id = run_id

    async def is_over(self, client: Any) -> bool:
        """Look at the run.

        :param client: asynchronous client of Glue.
        :returns: whether it has ended.
        """
        answer = await client.get_job_run(JobName=self.job_name, RunId=self.run_id)
        state = answer["JobRun"]["JobRunState"]
        self.log.info("Run %s of %s is %s", self.run_id, self.job_name, state)
        return state not in _ACTIVE

    async def stop(self, client: Any) -> None:
        """Stop the run.

        :param client: asynchronous client of Glue.
        """
        await client.batch_stop_job_run(JobName=self.job_name, JobRunIds=[self.run_id])


class GlueJobCapacityTrigger(GluePollingTrigger):
    """Wait until a job has fewer runs than it may have at the same time.

    Nothing has been started yet, so there is nothing to stop. The first look comes after a pause of
    random length: many tasks that wait for one job should not all try at the same moment, and
    the limit may be the account's, which this trigger can't see.

    :param job_name: name of the job.
    :param kwargs: as of :class:`GluePollingTrigger`.
    """

    argument_names = ("job_name",)

    def __init__(self, *, job_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name

    def first_pause(self) -> float:
        """Say how long to wait before the first look.

        :returns: seconds, from one to two intervals.
        """
        return self.waiter_delay * (1 + random.random())  # noqa: S311 - no secret

    async def is_over(self, client: Any) -> bool:
        """Count the runs of the job.

        :param client: asynchronous client of Glue.
        :returns: whether another may be started.
        """
        job = (await client.get_job(JobName=self.job_name))["Job"]
        most = job.get("ExecutionProperty", {}).get("MaxConcurrentRuns") or 1
        going_on, token = 0, ""
        while True:
            more = {"NextToken": token} if token else {}
            page = await client.get_job_runs(JobName=self.job_name, **more)
            active = sum(run["JobRunState"] in _ACTIVE for run in page["JobRuns"])
            going_on += active
            token = page.get("NextToken", "")
            if going_on >= most or not active or not token:  # the latest runs come first
                break
        self.log.info("%s has %s of %s runs", self.job_name, going_on, most)
        return going_on < most
