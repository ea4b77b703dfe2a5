"""An operator that ends the instance of a setup task."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.amazon.aws.links.ec2 import EC2InstanceLink
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import ArgumentError
from updraft.operators.ec2_instance import Ec2InstanceOperator
from updraft.operators.ec2_instances import NOT_ENDED, Ec2Instances
from updraft.operators.emr_clusters import owners_of_setups
from updraft.operators.machine_base import MachineOperator
from updraft.operators.template_arguments import given, truth
from updraft.resource_owner import ResourceOwner


class Ec2TerminateInstanceOperator(MachineOperator):
    """End the instance of a setup task; nothing happens when it has ended already.

    It ends every instance that the setup task has launched in the same run, also one whose id the
    task could not hand on because it died.

    :param instance_id: id of the instance, such as ``{{ ti.xcom_pull("machine") }}``. (templated)
    :param setup_task_id: id of the task that launched it; by default each upstream
        :class:`Ec2InstanceOperator`.
    :param keep: whether the instance stays, for somebody who wants to look at it. It gets the tag
        ``updraft:keep``, by which the reaper leaves it alone; it still ends itself when its time
        is over. (templated)
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the instance; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``.
    """

    template_fields: Sequence[str] = aws_template_fields("instance_id", "keep")
    operator_extra_links = (EC2InstanceLink(),)

    def __init__(
        self,
        *,
        instance_id: str | None = None,
        setup_task_id: str | None = None,
        keep: bool | str = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.instance_id = instance_id
        self.setup_task_id = setup_task_id
        self.keep = keep

    def check(self) -> None:
        """Check the arguments."""
        super().check()
        truth("keep", self.keep)
        if given(self.instance_id) is None and not self._setups():
            raise ArgumentError(
                "There is neither an instance_id nor a setup task; give one of instance_id and "
                "setup_task_id, or put the task after an Ec2InstanceOperator."
            )

    def begin(self, context: Context) -> list[str]:
        """End the instances.

        :param context: context of the task instance.
        :returns: ids of the instances that had not ended and were not kept.
        """
        owner = ResourceOwner.of(context)
        found = {
            str(instance["InstanceId"])
            for setup in owners_of_setups(owner, self._setups())
            for instance in Ec2Instances(self.ec2, setup).own(*NOT_ENDED)
        }
        instances = Ec2Instances(self.ec2, owner)
        named = given(self.instance_id)
        if named is not None and named not in found:
            described = instances.describe(named)
            if described is not None and described["State"]["Name"] in NOT_ENDED:
                found.add(named)
        if not found:
            self.log.info("There is no instance to end")
        for instance_id in sorted(found):
            self.persist_console_link(context, EC2InstanceLink, instance_id=instance_id)
            if truth("keep", self.keep):
                instances.keep(instance_id)
                self.log.info("Instance %s stays until it shuts itself down", instance_id)
            else:
                instances.terminate(instance_id)
        return [] if truth("keep", self.keep) else sorted(found)

    def _setups(self) -> list[str]:
        if self.setup_task_id:
            return [self.setup_task_id]
        if not self.has_dag():  # type: ignore[no-untyped-call]
            return []
        return [
            task.task_id
            for task in self.get_direct_relatives(upstream=True)
            if isinstance(task, Ec2InstanceOperator) or getattr(task, "is_setup", False)
        ]
