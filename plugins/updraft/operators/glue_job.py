"""Runs a Glue job."""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from airflow.providers.amazon.aws.links.glue import GlueJobRunDetailsLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.hooks.s3 import s3_client
from updraft.operators.argument_lineage import named_uris
from updraft.operators.glue_base import LONGEST_WAIT, GlueOperator
from updraft.operators.glue_job_arguments import (
    ATTEMPT,
    OWNER,
    VARYING,
    bookmark_arguments,
    is_result,
    owner_arguments,
    with_spark_properties,
)
from updraft.operators.glue_job_calls import ConcurrentRunsError, GlueJobRunError, JobRun
from updraft.operators.glue_job_definition import (
    check_definition,
    ensure_job,
    find_job,
    upload_script,
)
from updraft.operators.glue_job_log import GlueJobLog
from updraft.operators.glue_job_runs import GlueJobRuns
from updraft.operators.glue_job_settings import (
    RunSettings,
    json_object,
    longest_use,
    script_arguments_of,
)
from updraft.operators.try_series import try_series
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner

log = logging.getLogger(__name__)


class GlueJobRunOperator(GlueOperator):
    """Run a Glue job once, however often the task is tried.

    StartJobRun takes no token, and a run has no tags. So the run carries its owner in its
    arguments: ``--updraft_owner``, the same value in each attempt and no other task's, beside
    ``--updraft_dag_id`` and the like, which a script may ignore. Each attempt looks for such a run
    before it starts one:

    - A run that goes on is adopted, whichever attempt it is of.
    - A run that has succeeded is adopted if an earlier attempt of the same series of attempts
      started it with the same arguments: that attempt was killed before it could say so.
      After a user has cleared the task, a new series begins and the job runs anew; see
      :mod:`updraft.operators.try_series`.
    - A run that is being stopped is waited for; then a new one is started, as after one that has
      failed.

    A user who ends the task stops the run, also while the task is deferred (from Airflow 3.3 on;
    before, the next attempt adopts it). Where a job has as many runs as it may have at the same
    time, the task waits for room, without holding a slot.

    With ``job_definition`` the job is created, or updated if it differs; the log shows the
    difference. ``Tags`` count when it is created. Leave its ``MaxRetries`` at 0: Airflow retries.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-jobs-runs.html

    :param job_name: name of the job; may be left out if the definition has it. (templated)
    :param script_arguments: arguments of this run, such as ``{"--day": "{{ ds }}"}``, or their
        JSON. They win over those of the job. (templated)
    :param job_definition: what CreateJob takes, or its JSON; by default the job exists. (templated)
    :param script_path: script on the worker to upload for the definition, which then needs no
        ``ScriptLocation``. (templated)
    :param script_s3_prefix: ``s3://bucket/prefix`` that it is uploaded to, under a name with a
        digest of its content. (templated)
    :param bookmark: ``enable``, ``disable`` or ``pause``, by default as the job says. (templated)
    :param bookmark_from: with ``pause``: id of the run after which to begin. (templated)
    :param bookmark_to: with ``pause``: id of the run up to which to read, inclusive. (templated)
    :param number_of_workers: number of workers, by default that of the job. (templated)
    :param worker_type: their type, such as ``G.1X``. (templated)
    :param max_capacity: data processing units, for jobs without workers such as Python shell.
    :param timeout: longest time that the run may take, in minutes, by default as the job says.
        (templated)
    :param execution_class: ``STANDARD`` or ``FLEX``.
    :param security_configuration: name of the security configuration. (templated)
    :param notify_delay_after: minutes after which Glue sends a notification of delay.
    :param job_run_queuing: whether Glue itself queues the run where a quota of the account is
        used up.
    :param log_lines: how many lines of each log stream of the run go to the task's log; 0 for none.
    :param openlineage_inject_parent_job_info: whether the Spark job is told which task it belongs
        to, by default as ``[openlineage] spark_inject_parent_job_info`` says. Properties that the
        job or the arguments have in ``--conf`` stay.
    :param openlineage_inject_transport_info: whether it is told where to send its events, by
        default as ``[openlineage] spark_inject_transport_info`` says.
    :param kwargs: as of :class:`GlueOperator`.
    """

    template_fields: Sequence[str] = (
        *GlueOperator.template_fields,
        *aws_template_fields(
            "job_name",
            "script_arguments",
            "job_definition",
            "script_path",
            "script_s3_prefix",
            "bookmark",
            "bookmark_from",
            "bookmark_to",
            "number_of_workers",
            "worker_type",
            "timeout",
            "security_configuration",
        ),
    )
    template_fields = tuple(dict.fromkeys(template_fields))
    json_fields: ClassVar[Sequence[str]] = ("script_arguments", "job_definition")
    operator_extra_links = (GlueJobRunDetailsLink(),)

    def __init__(
        self,
        *,
        job_name: str | None = None,
        script_arguments: Mapping[str, str] | str | None = None,
        job_definition: Mapping[str, Any] | str | None = None,
        script_path: str | None = None,
        script_s3_prefix: str | None = None,
        bookmark: str | None = None,
        bookmark_from: str | None = None,
        bookmark_to: str | None = None,
        number_of_workers: int | str | None = None,
        worker_type: str | None = None,
        max_capacity: float | None = None,
        timeout: int | str | None = None,
        execution_class: str | None = None,
        security_configuration: str | None = None,
        notify_delay_after: int | None = None,
        job_run_queuing: bool | None = None,
        log_lines: int = 5000,
        openlineage_inject_parent_job_info: bool | None = None,
        openlineage_inject_transport_info: bool | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.job_name = job_name
        self.script_arguments = script_arguments
        self.job_definition = job_definition
        self.script_path = script_path
        self.script_s3_prefix = script_s3_prefix
        self.bookmark = bookmark
        self.bookmark_from = bookmark_from
        self.bookmark_to = bookmark_to
        self.number_of_workers = number_of_workers
        self.worker_type = worker_type
        self.max_capacity = max_capacity
        self.timeout = timeout
        self.execution_class = execution_class
        self.security_configuration = security_configuration
        self.notify_delay_after = notify_delay_after
        self.job_run_queuing = job_run_queuing
        self.log_lines = log_lines
        self.openlineage_inject_parent_job_info = openlineage_inject_parent_job_info
        self.openlineage_inject_transport_info = openlineage_inject_transport_info
        self._runs: GlueJobRuns | None = None

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        self._settings()
        self._own_arguments()
        self._definition()

    def begin(self, context: Context) -> dict[str, Any] | Deferral:
        """Find the run of an earlier attempt or start one, and wait for its end.

        :param context: context of the task instance.
        :returns: ``run_id``, ``state``, ``execution_time`` (seconds) and ``dpu_hours`` where Glue
            names them; or what to wait for.
        :raises UpdraftError: when the run did not succeed, or none could be started.
        """
        return self._begun(context, time.time() + LONGEST_WAIT.total_seconds())

    def go_on(self, context: Context, event: Mapping[str, Any]) -> dict[str, Any] | Deferral:
        """Look how the run has ended, or start it now that there is room.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: as :meth:`begin`.
        :raises UpdraftError: as :meth:`begin`.
        """
        if "run_id" not in event:
            return self._begun(context, event["give_up_at"], event)
        job = find_job(self.hook, event["job_name"])
        runs = self._runs = self._runs_of(context, job)
        return self._outcome(context, runs, lambda: runs.look_again(event))

    def stop(self) -> None:
        """Stop the run."""
        if self._runs is not None:
            self._runs.stop()

    def find_own(self, context: Context) -> None:
        """Find the run that goes on.

        :param context: context of the task instance.
        :raises UpdraftError: when an argument is wrong or AWS refuses.
        """
        definition = self._definition()
        name = definition["Name"] if definition else str(self.job_name)
        self._runs = self._runs_of(context, {"Name": name})
        self._runs.take_up(ResourceOwner.of(context).token())

    def _begun(
        self, context: Context, give_up_at: float, event: Mapping[str, Any] | None = None
    ) -> dict[str, Any] | Deferral:
        job = self._job()
        runs = self._runs = self._runs_of(context, job)
        if event is not None:
            runs.hear(event)
        arguments = self._arguments(context, job)
        log.info("%s", longest_use(job, self._settings().parameters()))
        while True:
            try:
                run = runs.adopt_or_start(arguments, context["ti"].try_number)
                break
            except ConcurrentRunsError as error:
                deferral = runs.wait_for_room(error, give_up_at)
                if deferral is not None:
                    return deferral
        self.persist_console_link(
            context, GlueJobRunDetailsLink, job_name=job["Name"], job_run_id=run["Id"]
        )
        return self._outcome(context, runs, lambda: runs.wait(run))

    def _outcome(
        self, context: Context, runs: GlueJobRuns, step: Callable[[], JobRun | Deferral]
    ) -> dict[str, Any] | Deferral:
        try:
            ended = step()
        except GlueJobRunError as error:
            if not self._was_stopped_for_an_earlier_attempt(context, runs, error.run):
                self.remember_lineage(error.run["Id"])
                raise
            log.info("Run %s was stopped with the attempt that began it", error.run["Id"])
            return self.begin(context)
        if isinstance(ended, Deferral):
            return ended
        self.remember_lineage(ended["Id"])
        result = {
            "run_id": ended["Id"],
            "state": ended["JobRunState"],
            "execution_time": ended.get("ExecutionTime"),
        }
        if "DPUSeconds" in ended:
            result["dpu_hours"] = round(ended["DPUSeconds"] / 3600, 3)
        return result

    def _was_stopped_for_an_earlier_attempt(
        self, context: Context, runs: GlueJobRuns, run: JobRun
    ) -> bool:
        """Say whether a run was adopted just before the kill of its first owner reached it."""
        attempt = run.get("Arguments", {}).get(ATTEMPT)
        return (
            run["JobRunState"] == "STOPPED"
            and attempt != str(context["ti"].try_number)
            and not runs.was_stopped
        )

    def _job(self) -> dict[str, Any]:
        definition = self._definition()
        if definition is None:
            return find_job(self.hook, str(self.job_name))
        if self.script_path:
            uri = upload_script(
                s3_client(**self._hook_parameters),
                Path(self.script_path),
                str(self.script_s3_prefix),
            )
            definition["Command"] = {**definition["Command"], "ScriptLocation": uri}
        return ensure_job(self.hook, definition)

    def _definition(self) -> dict[str, Any] | None:
        given = json_object("job_definition", self.job_definition)
        settings = self._settings()
        if not given:
            settings.require_existing_job(self.job_name, self.script_path)
            return None
        settings.check_script(self.script_path, self.script_s3_prefix)
        return check_definition(given, self.job_name or None)

    def _settings(self) -> RunSettings:
        return RunSettings(
            number_of_workers=self.number_of_workers,
            worker_type=self.worker_type,
            max_capacity=self.max_capacity,
            timeout=self.timeout,
            execution_class=self.execution_class,
            security_configuration=self.security_configuration,
            notify_delay_after=self.notify_delay_after,
            job_run_queuing=self.job_run_queuing,
        ).checked()

    def uris_of_arguments(self) -> tuple[list[str], list[str]]:
        """Find what the arguments of the script name, such as ``--input_path``.

        :returns: URIs in S3 that it reads, and those that it writes.
        """
        defaults = json_object("job_definition", self.job_definition).get("DefaultArguments")
        return named_uris({**(defaults or {}), **script_arguments_of(self.script_arguments)})

    def _own_arguments(self) -> dict[str, str]:
        return {
            **script_arguments_of(self.script_arguments),
            **bookmark_arguments(self.bookmark, self.bookmark_from, self.bookmark_to),
        }

    def _arguments(self, context: Context, job: Mapping[str, Any]) -> dict[str, str]:
        arguments = {**self._own_arguments(), **owner_arguments(context)}
        return with_spark_properties(
            arguments,
            job.get("DefaultArguments") or {},
            context,
            parent=self.openlineage_inject_parent_job_info,
            transport=self.openlineage_inject_transport_info,
        )

    def _runs_of(self, context: Context, job: Mapping[str, Any]) -> GlueJobRuns:
        if job.get("MaxRetries"):
            log.warning(
                "Job %s has MaxRetries %s: Glue itself runs it again after a failure, beside what "
                "Airflow retries. Set it to 0.",
                job["Name"],
                job["MaxRetries"],
            )
        attempt, series = context["ti"].try_number, try_series(context)
        return GlueJobRuns(
            self._hook_parameters,
            job["Name"],
            identity=OWNER,
            deferrable=self.deferrable,
            poll_interval=self.poll_interval,
            overrides=self._settings().parameters(),
            varying=VARYING,
            is_result=lambda run: is_result(run, attempt, series),
            run_log=GlueJobLog(
                self._hook_parameters, job.get("DefaultArguments") or {}, self.log_lines
            ),
            kill_switch=self.kill_switch,
            hook=self.hook,
        )
