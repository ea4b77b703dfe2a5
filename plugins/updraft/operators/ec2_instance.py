"""An operator that launches an instance: one for a run, however often it is tried."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.providers.amazon.aws.links.ec2 import EC2InstanceLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ServiceError
from updraft.errors import ArgumentError, UpdraftError
from updraft.operators.ec2_failed_instance import with_end_of_instances
from updraft.operators.ec2_instances import NO_ROOM, Ec2Instances, why_it_ended
from updraft.operators.machine_base import MachineOperator
from updraft.operators.template_arguments import duration, given, texts, truth
from updraft.operators.try_series import try_series
from updraft.operators.waiting import Deferral
from updraft.resource_owner import ResourceOwner
from updraft.shell.instance_request import InstanceRequest
from updraft.triggers.ec2 import LIVE, Ec2InstanceTrigger

_NO_ROOM_PAUSE = 300
_NO_ROOM_PATIENCE = timedelta(hours=24)


class Ec2InstanceOperator(MachineOperator):
    """Launch an instance and wait until commands reach it; or take over that of an earlier attempt.

    Use it as setup task with an :class:`Ec2TerminateInstanceOperator` as its teardown. The
    teardown does not run when this task has failed: the task itself ends its instance when it
    fails or is killed, and a callback does so when its process could not. Whatever happens, the
    instance shuts itself down after ``terminate_after``, and shutting down terminates it.

    .. seealso:: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/LaunchingAndUsingInstances.html

    :param instance_profile: name or ARN of the instance profile. Its role decides what commands may
        do, and has to let the agent of Systems Manager in, as AmazonSSMManagedInstanceCore does.
        (templated)
    :param instance_type: type of the instance. (templated)
    :param terminate_after: when the instance ends by itself, from its start on; a number stands for
        minutes. (templated)
    :param image_id: its image, with bash, the AWS command line and the agent of Systems Manager; by
        default the latest Amazon Linux 2023. (templated)
    :param subnet_id: its subnet, from which the endpoints of Systems Manager can be reached; by
        default one of the default VPC. (templated)
    :param security_group_ids: ids of its security groups. (templated)
    :param security_groups: names of its security groups, in the default VPC only. (templated)
    :param key_name: name of a key pair. (templated)
    :param availability_zone: its zone. (templated)
    :param public_ip: whether it gets a public address; by default as its subnet says.
    :param spot: whether it is a spot instance.
    :param spot_max_price: most dollars an hour for it; by default the price on demand. (templated)
    :param on_demand_fallback: whether an instance on demand is launched when there is no room for a
        spot instance.
    :param user_data: commands for bash, run as ``root`` when the instance has started. (templated)
    :param launch_options: further parameters of RunInstances, such as ``BlockDeviceMappings``.
        (templated)
    :param start_timeout: longest time until commands reach the instance.
    :param deferrable: whether the task gives its slot back while it waits.
    :param poll_interval: seconds between two looks.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the instance; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    template_fields: Sequence[str] = aws_template_fields(
        "instance_profile",
        "instance_type",
        "terminate_after",
        "image_id",
        "subnet_id",
        "security_group_ids",
        "security_groups",
        "key_name",
        "availability_zone",
        "spot_max_price",
        "user_data",
        "launch_options",
    )
    operator_extra_links = (EC2InstanceLink(),)

    def __init__(
        self,
        *,
        instance_profile: str,
        instance_type: str = "t3.small",
        terminate_after: timedelta | float | str = timedelta(hours=24),
        image_id: str | None = None,
        subnet_id: str | None = None,
        security_group_ids: Sequence[str] = (),
        security_groups: Sequence[str] = (),
        key_name: str | None = None,
        availability_zone: str | None = None,
        public_ip: bool | None = None,
        spot: bool = False,
        spot_max_price: str | None = None,
        on_demand_fallback: bool = False,
        user_data: str | None = None,
        launch_options: Mapping[str, Any] | None = None,
        start_timeout: timedelta = timedelta(minutes=15),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.on_failure_callback = with_end_of_instances(self.on_failure_callback)
        self.instance_profile = instance_profile
        self.instance_type = instance_type
        self.terminate_after = terminate_after
        self.image_id = image_id
        self.subnet_id = subnet_id
        self.security_group_ids = security_group_ids
        self.security_groups = security_groups
        self.key_name = key_name
        self.availability_zone = availability_zone
        self.public_ip = public_ip
        self.spot = spot
        self.spot_max_price = spot_max_price
        self.on_demand_fallback = on_demand_fallback
        self.user_data = user_data
        self.launch_options = launch_options
        self.start_timeout = start_timeout
        self._owner: ResourceOwner | None = None
        self._instance_id: str | None = None

    def check(self) -> None:
        """Check the arguments."""
        super().check()
        self._request().check()

    def begin(self, context: Context) -> str | Deferral:
        """Find the instance of an earlier attempt, or launch one.

        :param context: context of the task instance.
        :returns: id of the instance.
        """
        limit_ends_at = time.time() + _NO_ROOM_PATIENCE.total_seconds()
        return self._releasing(lambda: self._obtain(context, limit_ends_at), context)

    def go_on(self, context: Context, event: Mapping[str, Any]) -> str | Deferral:
        """Go on when commands may reach the instance, or there may be room for one.

        :param context: context of the task instance.
        :param event: the event of the trigger.
        :returns: the same as :meth:`begin`.
        """
        instance_id = event["instance_id"]
        if instance_id is None:
            limit = event["limit_ends_at"]
            return self._releasing(lambda: self._obtain(context, limit), context)
        give_up_at = event["give_up_at"]
        return self._releasing(lambda: self._follow(instance_id, give_up_at), context)

    def stop(self, context: Context | None = None) -> None:
        """End the instances of the task.

        :param context: context of the task instance, in a process that launched none.
        """
        if context is not None:
            self._owner = ResourceOwner.of(context)
        if self._owner is None:
            return
        instances = Ec2Instances(self.ec2, self._owner)
        # Of an instance that is seconds old the tags may not be known yet, but its id is.
        known = {self._instance_id} if self._instance_id is not None else set()
        try:
            for instance_id in known | {str(one["InstanceId"]) for one in instances.own(*LIVE)}:
                instances.terminate(instance_id)
        except UpdraftError as error:
            self.log.warning(
                "The instance goes on until it shuts itself down after terminate_after. %s", error
            )

    def _request(self) -> InstanceRequest:
        options = self.launch_options or {}
        if not isinstance(options, Mapping):
            raise ArgumentError(f"launch_options: {options!r} is no mapping")
        return InstanceRequest(
            instance_type=self.instance_type,
            instance_profile=given(self.instance_profile) or "",
            terminate_after=duration("terminate_after", self.terminate_after),
            image_id=given(self.image_id),
            subnet_id=given(self.subnet_id),
            security_group_ids=_names("security_group_ids", self.security_group_ids),
            security_groups=_names("security_groups", self.security_groups),
            key_name=given(self.key_name),
            availability_zone=given(self.availability_zone),
            public_ip=self.public_ip,
            spot=truth("spot", self.spot),
            spot_max_price=given(self.spot_max_price),
            user_data=given(self.user_data),
            launch_options=options,
        )

    def _releasing(self, step: Callable[[], str | Deferral], context: Context) -> str | Deferral:
        """Take a step, and end the instance before an exception leaves."""
        self._owner = ResourceOwner.of(context)
        try:
            outcome = step()
        except BaseException:
            self.stop()
            raise
        if not isinstance(outcome, Deferral):
            self._owner = None  # it belongs to the teardown from here on
            self.persist_console_link(context, EC2InstanceLink, instance_id=outcome)
        return outcome

    def _obtain(self, context: Context, limit_ends_at: float) -> str | Deferral:
        instances = self._instances()
        while True:
            found = instances.adopt()
            if found is not None:
                instance_id = self._instance_id = str(found["InstanceId"])
                self.log.info("Adopted instance %s of an earlier attempt", instance_id)
                break
            try:
                instance_id = self._instance_id = self._launch(instances, try_series(context))
                self.log.info("EC2 has begun instance %s", instance_id)
                break
            except ServiceError as error:
                if error.code not in NO_ROOM or time.time() > limit_ends_at:
                    raise
                self.log.warning("There is no room for an instance at the moment. %s", error)
            waiting = self.wait(
                Ec2InstanceTrigger,
                limit_ends_at,
                instance_id=None,
                limit_ends_at=limit_ends_at,
                waiter_delay=_NO_ROOM_PAUSE,
            )
            if waiting is not None:
                return waiting
        self.kill_switch.check(self.stop)
        return self._follow(instance_id, time.time() + self.start_timeout.total_seconds())

    def _launch(self, instances: Ec2Instances, series: str) -> str:
        request = self._request()
        hours = request.terminate_after.total_seconds() / 3600
        self.log.info("Asking for one %s for at most %.1f hours", self.instance_type, hours)
        try:
            return instances.launch(request.parameters(), series)
        except ServiceError as error:
            if not (request.spot and self.on_demand_fallback and error.code in NO_ROOM):
                raise
            self.log.warning("%s Asking for an instance on demand.", error)
            return instances.launch(request.parameters(spot=False), series)

    def _follow(self, instance_id: str, give_up_at: float) -> str | Deferral:
        """Wait until commands reach the instance."""
        self._instance_id = instance_id
        filters = [{"Key": "InstanceIds", "Values": [instance_id]}]
        while True:
            agents = self.ssm.call(
                "describe_instance_information", f"instance {instance_id!r}", Filters=filters
            )["InstanceInformationList"]
            if agents and agents[0]["PingStatus"] == "Online":
                self.log.info("Instance %s takes commands", instance_id)
                return instance_id
            instance = self._instances().describe(instance_id)
            if instance is not None and instance["State"]["Name"] not in LIVE:
                raise UpdraftError(f"{why_it_ended(instance)} before any command reached it.")
            if time.time() > give_up_at:
                raise UpdraftError(
                    f"Instance {instance_id} has not registered with Systems Manager within "
                    f"{self.start_timeout}; it is being ended. Its instance profile needs "
                    "AmazonSSMManagedInstanceCore, its image the agent, and its subnet a way to "
                    "the endpoints ssm, ssmmessages and ec2messages. Raise start_timeout if it "
                    "needs longer."
                )
            waiting = self.wait(
                Ec2InstanceTrigger, give_up_at, instance_id=instance_id, limit_ends_at=give_up_at
            )
            if waiting is not None:
                return waiting

    def _instances(self) -> Ec2Instances:
        if self._owner is None:
            raise UpdraftError("the task has no owner before it is executed")
        return Ec2Instances(self.ec2, self._owner, self.kill_switch)


def _names(argument: str, value: object) -> list[str]:
    return [one for one in texts(argument, value) if one]
