"""The fields of an ``Ec2Resource`` while they become a launch: none of them is forgotten."""

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.object_types import is_user_field
from updraft.datapipeline.resolution import DEFAULT_ID, ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError
from updraft.migration.compiled_fields import compile_texts, compile_value
from updraft.migration.ledger import Status
from updraft.migration.mappers.emr_cluster_fields import ABOUT_TASKS, ClusterFields
from updraft.migration.mappers.http_proxy import proxy_user_data
from updraft.migration.mappers.task_settings import (
    PIPELINE_WIDE,
    account_task_settings,
    code_for,
    fixed_duration,
)
from updraft.migration.tasks import ArgumentValue

# What the console filled in.
_DEFAULT_PROFILE = "DataPipelineDefaultResourceRole"

# Types that Amazon Linux 2023 does not start on, or that are hard to get, with the ones of today
# that have as much memory. https://aws.amazon.com/ec2/previous-generation/
CURRENT_TYPES = {
    "t1.micro": "t3.micro",
    "m1.small": "t3.small",
    "m1.medium": "t3.medium",
    "m1.large": "m5.large",
    "m1.xlarge": "m5.xlarge",
    "m2.xlarge": "r5.large",
    "m2.2xlarge": "r5.xlarge",
    "m2.4xlarge": "r5.2xlarge",
    "m3.medium": "t3.medium",
    "m3.large": "m5.large",
    "m3.xlarge": "m5.xlarge",
    "m3.2xlarge": "m5.2xlarge",
    "c1.medium": "t3.small",
    "c1.xlarge": "c5.2xlarge",
    "c3.large": "c5.large",
    "c3.xlarge": "c5.xlarge",
    "c3.2xlarge": "c5.2xlarge",
    "c3.4xlarge": "c5.4xlarge",
    "c3.8xlarge": "c5.9xlarge",
    "r3.large": "r5.large",
    "r3.xlarge": "r5.xlarge",
    "r3.2xlarge": "r5.2xlarge",
    "r3.4xlarge": "r5.4xlarge",
    "r3.8xlarge": "r5.8xlarge",
}

_OTHERS: dict[str, tuple[Status, str]] = {
    "actionOnResourceFailure": (
        Status.APPROXIMATED,
        "after an instance failed, clear the task that launches it together with those after it: "
        "they run again on a new one",
    ),
    "attemptTimeout": (
        Status.APPROXIMATED,
        "`terminate_after` bounds the life of the instance, and a teardown ends it",
    ),
    "dependsOn": (Status.CARRIED_OVER, "decides the order of tasks"),
    "precondition": (Status.CARRIED_OVER, "is a task that goes before"),
    "instanceCount": (Status.DROPPED, "deprecated: a resource has one instance"),
    "logUri": (Status.DROPPED, "kept the logs of Task Runner, which there is none of any more"),
    "minInstanceCount": (Status.DROPPED, "deprecated: a resource has one instance"),
    "runsOn": (Status.DROPPED, "has no meaning on an instance"),
    "workerGroup": (Status.DROPPED, "has no meaning on an instance"),
}


class InstanceFields(ClusterFields):
    """An instance whose fields are read one by one.

    :param item: the instance.
    :param workflow: the workflow.
    """

    def launch_arguments(self) -> dict[str, ArgumentValue]:
        """Say what is launched.

        :returns: arguments of ``Ec2InstanceOperator``.
        :raises NotCompilableError: when one can't be said exactly.
        """
        note = "`instance_profile`; its role needs the policy AmazonSSMManagedInstanceCore, too"
        arguments: dict[str, ArgumentValue] = {
            "instance_profile": self.value("resourceRole", note) or _DEFAULT_PROFILE,
            "instance_type": self._instance_type(),
            "image_id": self._image(),
            "subnet_id": self.value("subnetId", "`subnet_id`"),
            "security_group_ids": self._groups("securityGroupIds", "`security_group_ids`"),
            "key_name": self.value("keyPair", "`key_name`"),
            "availability_zone": self._zone(),
        }
        self.settle("role", Status.DROPPED, "tasks use the permissions of their Airflow connection")
        if self.item.field("associatePublicIpAddress") is not None:
            arguments["public_ip"] = self.switch("associatePublicIpAddress", "`public_ip`")
        arguments |= self._group_names()
        price = self.value("spotBidPrice", "`spot` and `spot_max_price`")
        if price is not None:
            arguments |= {"spot": True, "spot_max_price": price}
        note = "`on_demand_fallback`, within one attempt"
        if self.switch("useOnDemandOnLastAttempt", note):
            arguments["on_demand_fallback"] = True
        arguments |= self._time_limits()
        region = compile_value("region", self.item, self.workflow)
        arguments["user_data"] = proxy_user_data(self, region.text if region else None)
        return {name: value for name, value in arguments.items() if value not in (None, [])}

    def place(self) -> dict[str, ArgumentValue]:
        """Say where it is launched.

        :returns: ``region_name``, nothing when it is that of the connection.
        :raises NotCompilableError: when it can't be said exactly.
        """
        region = self.value("region", "`region_name`")
        return {"region_name": region} if region is not None else {}

    def account_others(self, users: list[ResolvedObject]) -> None:
        """Account for all fields that have not been taken over.

        :param users: the activities on the instance.
        """
        self._account_task_failures(users)
        for name, (status, note) in _OTHERS.items():
            self.settle(name, status, note)
        account_task_settings(self.item, self.workflow, ("resourceRole", "role"))
        account = self.workflow.ledger.account
        account(self.item, "type", Status.CARRIED_OVER, "`Ec2InstanceOperator`, and a teardown")
        for name, inherited in self.item.fields.items():
            if is_user_field(name) or (inherited.owner_id == DEFAULT_ID and name in PIPELINE_WIDE):
                continue
            if name in ABOUT_TASKS:
                continue
            if self.workflow.ledger.status(inherited.owner_id, name) is None:
                note = "nothing that a launch takes: see whether anything depends on it"
                account(self.item, name, Status.NEEDS_DECISION, note)

    def _instance_type(self) -> str | None:
        given = self.value("instanceType", "`instance_type`")
        current = CURRENT_TYPES.get(given or "")
        # An image of its own may have been made for the very type.
        if current is None or self.item.field("imageId") is not None:
            return given
        note = f"`instance_type`: {current} takes the place of a type of an earlier generation"
        self.settle("instanceType", Status.APPROXIMATED, note)
        return current

    def _image(self) -> str | None:
        note = "`image_id`"
        image = self.value("imageId", note)
        if image is not None:
            note = (
                "`image_id`: it needs the agent of Systems Manager and the AWS command line; "
                "without `image_id` it is Amazon Linux 2023, which has both"
            )
            self.settle("imageId", Status.APPROXIMATED, note)
            self.workflow.report(
                Severity.WARNING,
                self.item,
                "imageId",
                "An image made for Task Runner may lack the agent of Systems Manager",
                "Check that it has agent and AWS command line, or leave imageId out",
            )
        return image

    def _zone(self) -> str | None:
        zone = self.value("availabilityZone", "`availability_zone`")
        if zone is not None and self.item.field("subnetId") is not None:
            self.settle("availabilityZone", Status.DROPPED, "the subnet lies in one zone")
            return None
        return zone

    def _groups(self, name: str, note: str) -> ArgumentValue:
        try:
            values, read = compile_texts(name, self.item, self.workflow)
        except MissingFieldError:
            raise
        except NotCompilableError as error:
            self.settle(name, Status.NEEDS_DECISION, f"give the groups yourself: {error}")
            return []
        self.take(*read)
        self.settle(name, Status.CARRIED_OVER, note)
        return values

    def _group_names(self) -> dict[str, ArgumentValue]:
        names = self._groups("securityGroups", "`security_groups`, in the default VPC")
        if not names:
            return {}
        others = ("subnetId", "associatePublicIpAddress", "securityGroupIds")
        if any(self.item.field(name) is not None for name in others):
            note = "names of groups count in the default VPC only: give `security_group_ids`"
            self.settle("securityGroups", Status.NEEDS_DECISION, note)
            return {}
        return {"security_groups": names}

    def _time_limits(self) -> dict[str, ArgumentValue]:
        arguments: dict[str, ArgumentValue] = {}
        for name, argument in (
            ("terminateAfter", "terminate_after"),
            ("initTimeout", "start_timeout"),
        ):
            if self.item.field(name) is None:
                continue
            limit = fixed_duration(self.item, name, self.workflow)
            if (
                limit is None
                and argument == "terminate_after"
                and "#{" in (self.item.text(name) or "")
            ):
                arguments[argument] = self.value(name, f"`{argument}`: the instance ends itself")
                continue
            if limit is None:
                note = f"no fixed length: set `{argument}`"
                self.settle(name, Status.NEEDS_DECISION, note)
                continue
            arguments[argument] = code_for(limit)
            note = f"`{argument}`" + (
                ": the instance ends itself" if argument == "terminate_after" else ""
            )
            self.settle(name, Status.CARRIED_OVER, note)
        return arguments

    def _account_task_failures(self, users: list[ResolvedObject]) -> None:
        action = (self.item.text("actionOnTaskFailure") or "").strip().casefold()
        if action == "terminate" and len(users) > 1:
            note = "the instance lives until its other tasks are over, too; a teardown ends it"
            self.settle("actionOnTaskFailure", Status.APPROXIMATED, note)
        elif action == "terminate":
            note = "a teardown ends the instance once the task has failed for the last time"
            self.settle("actionOnTaskFailure", Status.EQUIVALENT, note)
        else:
            note = "the instance lives on, until a teardown ends it after all tasks"
            self.settle("actionOnTaskFailure", Status.EQUIVALENT, note)
