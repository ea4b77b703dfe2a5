"""What a task may say about a run of a Glue job, checked."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from updraft.choices import require_choice
from updraft.errors import ArgumentError
from updraft.s3_uri import parse_s3_uri

_LEAST_WORKERS = 2
_DEFAULT_TIMEOUT = 2880  # minutes; from Glue 5.0 on less

WORKER_DPU = {
    "Standard": 1.0,
    "G.025X": 0.25,
    "G.1X": 1.0,
    "G.2X": 2.0,
    "G.4X": 4.0,
    "G.8X": 8.0,
    "G.12X": 12.0,
    "G.16X": 16.0,
    "R.1X": 1.0,
    "R.2X": 2.0,
    "R.4X": 4.0,
    "R.8X": 8.0,
    "Z.2X": 2.0,
}
"""Data processing units of a worker, by its type.

https://docs.aws.amazon.com/glue/latest/dg/worker-types.html
"""


def run_overrides(
    workers: object, worker_type: str, arguments: Mapping[str, str] | None
) -> dict[str, Any]:
    """Check what a task changes in the settings of a job.

    :param workers: number of workers, ``None`` for that of the job.
    :param worker_type: their type.
    :param arguments: further arguments of the script.
    :returns: parameters of StartJobRun.
    :raises UpdraftError: when a value is wrong.
    """
    if workers is not None and (not isinstance(workers, int) or workers < _LEAST_WORKERS):
        raise ArgumentError(
            f"glue_workers: {workers!r} is not a whole number from {_LEAST_WORKERS}; one worker "
            "is the driver"
        )
    for name, value in (arguments or {}).items():
        if not name.startswith("--") or not isinstance(value, str):
            raise ArgumentError(
                f"glue_arguments: {name!r}: {value!r} is no argument of a Glue job, such as "
                "'--enable-metrics': 'true'"
            )
    return {} if workers is None else {"NumberOfWorkers": workers, "WorkerType": worker_type}


def check_job_name(job_name: object) -> str:
    """Check the name of a job.

    :param job_name: the name.
    :returns: the name.
    :raises UpdraftError: when there is none.
    """
    if not isinstance(job_name, str) or not job_name:
        raise ArgumentError(
            "glue_job_name: engine='glue' needs the name of a Glue job; docs/dynamodb-glue.md says "
            "how to create it"
        )
    return job_name


def merged_arguments(own: Mapping[str, str], others: Mapping[str, str] | None) -> dict[str, str]:
    """Join the arguments of the engine and those of the task.

    :param own: those of the engine.
    :param others: those of the task.
    :returns: all.
    :raises UpdraftError: when the task sets one of the engine's.
    """
    both: Sequence[str] = sorted(set(own) & set(others or {}))
    if both:
        raise ArgumentError(
            f"glue_arguments: {both[0]!r} is set by the operator; use its own argument instead"
        )
    return {**(others or {}), **own}


@dataclass(frozen=True)
class RunSettings:
    """What a task changes in the settings of a job for one run.

    Numbers may be text, as templates make them; an empty text stands for nothing.

    :param number_of_workers: number of workers.
    :param worker_type: their type.
    :param max_capacity: data processing units, for jobs without workers.
    :param timeout: longest time in minutes.
    :param execution_class: ``STANDARD`` or ``FLEX``.
    :param security_configuration: name of the security configuration.
    :param notify_delay_after: minutes after which Glue tells of a delay.
    :param job_run_queuing: whether Glue queues the run.
    """

    number_of_workers: int | str | None = None
    worker_type: str | None = None
    max_capacity: float | None = None
    timeout: int | str | None = None
    execution_class: str | None = None
    security_configuration: str | None = None
    notify_delay_after: int | None = None
    job_run_queuing: bool | None = None

    def checked(self) -> Self:
        """Check them.

        :returns: the same.
        :raises UpdraftError: when one is wrong, or two contradict.
        """
        workers = whole_number("number_of_workers", self.number_of_workers)
        if workers is not None and workers < _LEAST_WORKERS:
            raise ArgumentError(
                f"number_of_workers: {workers} is less than {_LEAST_WORKERS}; one worker is the "
                "driver"
            )
        whole_number("timeout", self.timeout)
        if self.worker_type:
            require_choice("worker_type", self.worker_type, WORKER_DPU)
        if self.execution_class:
            require_choice("execution_class", self.execution_class, ("FLEX", "STANDARD"))
        if (workers is None) != (not self.worker_type):
            raise ArgumentError("number_of_workers and worker_type need each other in a run")
        if self.max_capacity is not None and workers is not None:
            raise ArgumentError(
                "max_capacity is for jobs without number_of_workers and worker_type"
            )
        return self

    def parameters(self) -> dict[str, Any]:
        """Write them as StartJobRun takes them.

        :returns: parameters of StartJobRun.
        """
        delay = self.notify_delay_after
        given = {
            "NumberOfWorkers": whole_number("number_of_workers", self.number_of_workers),
            "WorkerType": self.worker_type or None,
            "MaxCapacity": self.max_capacity,
            "Timeout": whole_number("timeout", self.timeout),
            "ExecutionClass": self.execution_class or None,
            "SecurityConfiguration": self.security_configuration or None,
            "NotificationProperty": None if delay is None else {"NotifyDelayAfter": delay},
            "JobRunQueuingEnabled": self.job_run_queuing,
        }
        return {name: value for name, value in given.items() if value is not None}

    @staticmethod
    def require_existing_job(job_name: str | None, script_path: str | None) -> None:
        """Check what a task without a definition says about its job.

        :param job_name: name of the job.
        :param script_path: script to upload.
        :raises UpdraftError: when there is no name, or a script that nothing would use.
        """
        if not job_name:
            raise ArgumentError("job_name: it is missing, and there is no job_definition")
        if script_path:
            raise ArgumentError(
                "script_path: only a job_definition uses it; a job that exists has its own script"
            )

    @staticmethod
    def check_script(script_path: str | None, script_s3_prefix: str | None) -> None:
        """Check where a script is and goes to.

        :param script_path: path on the worker.
        :param script_s3_prefix: prefix in S3.
        :raises UpdraftError: when one is given without the other, or the prefix is no URI.
        """
        if bool(script_path) != bool(script_s3_prefix):
            raise ArgumentError("script_path and script_s3_prefix need each other")
        if script_s3_prefix:
            parse_s3_uri(script_s3_prefix)


def whole_number(argument: str, value: object) -> int | None:
    """Read a number that a template may have made.

    :param argument: name of the argument, for the error message.
    :param value: a number above 0, its text, or nothing.
    :returns: the number, ``None`` for nothing.
    :raises UpdraftError: when it is something else.
    """
    if value in {None, "", "None"}:
        return None
    number = int(value) if isinstance(value, str) and value.strip().isdecimal() else value
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise ArgumentError(f"{argument}: {value!r} is not a whole number above 0")
    return number


def json_object(argument: str, value: Mapping[str, Any] | str | None) -> dict[str, Any]:
    """Read an argument that is a mapping or, from a template, its JSON.

    :param argument: name of the argument, for the error message.
    :param value: the mapping, its JSON, or nothing.
    :returns: the mapping.
    :raises UpdraftError: when it is something else.
    """
    if value in (None, "", "None"):
        return {}
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ArgumentError(f"{argument}: it is no JSON: {error}") from None
    if not isinstance(value, Mapping):
        raise ArgumentError(
            f"{argument}: {value!r} is no mapping such as {{'--day': '2026-11-02'}}"
        )
    return dict(value)


def script_arguments_of(value: Mapping[str, str] | str | None) -> dict[str, str]:
    """Read the arguments of a script.

    :param value: value by name, their JSON, or nothing.
    :returns: value by name.
    :raises UpdraftError: when one is no argument, or the operator sets it itself.
    """
    arguments = json_object("script_arguments", value)
    for name, text in arguments.items():
        if not name.startswith("--") or not isinstance(text, str):
            raise ArgumentError(
                f"script_arguments: {name!r} with a value of type {type(text).__name__} is no "
                "argument of a Glue job, such as '--day': '2026-11-02'"
            )
        if not text:
            raise ArgumentError(
                f"script_arguments: the value of {name!r} is empty; Glue gives the script the name "
                "alone, which getResolvedOptions refuses. Leave the argument out, or give it a "
                "word that stands for nothing"
            )
        if name.startswith("--updraft_"):
            raise ArgumentError(f"script_arguments: {name!r} is set by the operator")
    return arguments


def longest_use(job: Mapping[str, Any], run: Mapping[str, Any]) -> str:
    """Say what a run can cost at most, before there is one.

    :param job: the job as GetJob describes it.
    :param run: what StartJobRun is told instead.
    :returns: a sentence with the bound in DPU hours.

    .. seealso:: https://docs.aws.amazon.com/glue/latest/dg/add-job.html
    """
    settings = {**job, **run}
    kind, workers = settings.get("WorkerType"), settings.get("NumberOfWorkers")
    if workers and kind in WORKER_DPU:
        units, what = workers * WORKER_DPU[kind], f"{workers} workers {kind}"
    elif settings.get("MaxCapacity"):
        units, what = float(settings["MaxCapacity"]), f"{settings['MaxCapacity']} DPU"
    else:
        return "Neither the job nor the task says how much a run may use"
    minutes = settings.get("Timeout") or _DEFAULT_TIMEOUT
    return f"The run uses {units * minutes / 60:,.1f} DPU hours at most ({what}, {minutes} minutes)"
