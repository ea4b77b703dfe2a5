"""Finds resources in AWS whose DAG run has ended or vanished, and ends them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.airflow_states import dag_run_state
from updraft.choices import choose
from updraft.compat import AirflowFailException, Context
from updraft.errors import UpdraftError
from updraft.hooks.owned_container_resources import OwnedBatchJobs, OwnedEcsTasks
from updraft.hooks.owned_ec2_resources import OwnedEc2Instances
from updraft.hooks.owned_emr_resources import (
    OwnedEmrClusters,
    OwnedEmrContainersJobRuns,
    OwnedEmrServerlessJobRuns,
)
from updraft.hooks.owned_glue_resources import OwnedGlueJobRuns, OwnedGlueWorkflowRuns
from updraft.hooks.owned_resources import OwnedResource, OwnedResources
from updraft.operators.aws_operator import AwsOperator
from updraft.resource_owner import configured_environment, environment_name

SERVICES: Mapping[str, Sequence[type[OwnedResources]]] = {
    # A job that is ended ends its task of ECS.
    "batch": (OwnedBatchJobs,),
    "ec2": (OwnedEc2Instances,),
    "ecs": (OwnedEcsTasks,),
    "emr": (OwnedEmrClusters,),
    "emr-serverless": (OwnedEmrServerlessJobRuns,),
    "emr-containers": (OwnedEmrContainersJobRuns,),
    # A workflow that is stopped stops its jobs.
    "glue": (OwnedGlueWorkflowRuns, OwnedGlueJobRuns),
}
"""Kinds of resources that can be looked through, by the name that boto3 gives their service."""

_ENDED_RUNS = frozenset({"success", "failed"})


class ReapOrphansOperator(AwsOperator[AwsBaseHook]):
    """Find what tasks of this environment have started and nobody is going to end.

    A resource is an orphan when the DAG run of the task that started it has ended, or Airflow has
    no such run any more. A resource whose tags no longer name its owner is reported and left
    alone, since nobody can tell whether it is needed. So is a cluster that its teardown was told to
    keep; EMR ends it when it has been idle for too long.

    The task fails when a service could not be looked through, or an orphan could not be ended, but
    only after it has done the rest.

    :param services: which services to look through, names of :data:`SERVICES`. (templated)
    :param report_only: whether to report only. (templated)
    :param minutes: a resource that was started more recently than this many minutes ago is left
        alone. (templated)
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: Region to look through; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.

    Returns what it found: ``ended``, ``left`` (orphans, in a dry run or when AWS refused),
    ``kept`` and ``unknown``, each a list of descriptions.
    """

    aws_hook_class = AwsBaseHook
    template_fields: Sequence[str] = aws_template_fields("services", "report_only", "minutes")
    ui_color = "#e8e4da"

    def __init__(
        self,
        *,
        services: Sequence[str] | str = tuple(SERVICES),
        report_only: bool | str = True,
        minutes: float | str = 15,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.services = services
        self.report_only = report_only
        self.minutes = minutes

    def execute(self, context: Context) -> dict[str, list[str]]:  # noqa: ARG002 Airflow's signature
        """Look through the services.

        :param context: context of the task instance, not used.
        :returns: descriptions by what became of the orphan.
        :raises AirflowFailException: when an argument is wrong.
        :raises UpdraftError: when something could not be looked through or ended.
        """
        try:
            services = self._chosen_services()
            started_before = datetime.now(UTC) - timedelta(minutes=_minutes(self.minutes))
            report_only = _switch("report_only", self.report_only)
            environment = self._environment(report_only=report_only)
        except UpdraftError as error:
            raise AirflowFailException(str(error)) from error
        report = Report()
        for resources in services:
            try:
                for resource in resources.find(environment):
                    if resource.started < started_before:
                        self._judge(resources, resource, report, report_only=report_only)
            except UpdraftError as error:
                report.fail(f"{resources.kind}s could not be looked through: {error}")
        return self._told(report, environment, report_only=report_only)

    def _judge(
        self,
        resources: OwnedResources,
        resource: OwnedResource,
        report: "Report",
        *,
        report_only: bool,
    ) -> None:
        owner = resource.owner
        if owner is None:
            report.unknown.append(f"{_described(resource)}: its tags name no task")
            return
        state = dag_run_state(owner.dag_id, owner.run_id)
        if state is not None and state not in _ENDED_RUNS:
            return
        fate = f"ended as {state}" if state else "is gone"
        text = f"{_described(resource)}, started by {owner}; that run {fate}"
        if resource.kept:
            report.kept.append(text)
            return
        if report_only:
            report.left.append(text)
            return
        try:
            resources.end(resource)
        except UpdraftError as error:
            report.left.append(text)
            report.fail(f"{text}. It could not be ended: {error}")
        else:
            report.ended.append(text)

    def _told(
        self, report: "Report", environment: str, *, report_only: bool
    ) -> dict[str, list[str]]:
        for text in report.ended:
            self.log.info("Ended %s", text)
        for text in report.unknown:
            self.log.warning("Left alone: %s", text)
        for text in report.kept:
            self.log.info("Kept, as its teardown was told: %s", text)
        for text in report.left:
            self.log.warning("Orphan: %s", text)
        self.log.info(
            "Environment %s: %d ended, %d orphans left%s, %d without owner, %d kept",
            environment,
            len(report.ended),
            len(report.left),
            " (dry run)" if report_only else "",
            len(report.unknown),
            len(report.kept),
        )
        if report.failures:
            raise UpdraftError("\n".join(report.failures))
        return {
            "ended": report.ended,
            "left": report.left,
            "kept": report.kept,
            "unknown": report.unknown,
        }

    def _chosen_services(self) -> list[OwnedResources]:
        names = self.services
        if isinstance(names, str):
            names = _listed(names)
        if not names:
            raise UpdraftError(f"services: name at least one of {', '.join(SERVICES)}")
        return [
            resources(self._hook_parameters)
            for name in names
            for resources in choose("services", name, SERVICES)
        ]

    @staticmethod
    def _environment(*, report_only: bool) -> str:
        if not report_only and configured_environment() is None:
            raise UpdraftError(
                "This environment has no name, so another one in the same account would take its "
                "runs for vanished. Set the configuration option updraft.environment (the variable "
                "AIRFLOW__UPDRAFT__ENVIRONMENT) to a name of its own before orphans are ended."
            )
        return environment_name()


@dataclass
class Report:
    """What a look through the services came to.

    :param ended: descriptions of the orphans that were ended.
    :param left: descriptions of those that were not.
    :param kept: descriptions of those that stay on purpose.
    :param unknown: descriptions of resources whose owner is not known.
    :param failures: what went wrong.
    """

    ended: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def fail(self, text: str) -> None:
        """Note that something went wrong.

        :param text: what, and why.
        """
        self.failures.append(text)


def _described(resource: OwnedResource) -> str:
    age = datetime.now(UTC) - resource.started
    hours = age.total_seconds() / 3600
    return (
        f"{resource.kind} {resource.identifier} ({resource.name}), {resource.state} for "
        f"{hours:.1f} h"
    )


def _listed(text: str) -> list[str]:
    """Read a list that a template has turned into text."""
    try:
        names = json.loads(text.replace("'", '"'))
    except ValueError:
        names = [name.strip() for name in text.split(",") if name.strip()]
    return names if isinstance(names, list) else [str(names)]


def _minutes(value: float | str) -> float:
    try:
        minutes = float(value)
    except ValueError:
        minutes = -1
    if not 0 <= minutes < float("inf"):
        raise UpdraftError(f"minutes: {value!r} is not a number of minutes, such as 15")
    return minutes


def _switch(argument: str, value: bool | str) -> bool:
    return choose(argument, str(value).lower(), {"true": True, "false": False})
