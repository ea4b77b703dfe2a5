"""Sets the capacity of Amazon Redshift Serverless."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.dynamodb.service_errors import ResourceMissingError
from updraft.errors import UpdraftError
from updraft.hooks.redshift import RedshiftServerlessHook
from updraft.operators.redshift_capacity_base import RedshiftCapacityOperator
from updraft.operators.redshift_links import RedshiftWorkgroupLink, persist_console_link
from updraft.operators.redshift_refusals import Wait
from updraft.operators.template_arguments import given
from updraft.triggers.redshift import RedshiftWorkgroupTrigger

_NAME = re.compile(r"[a-z0-9-]{3,64}")
_NO_LIMIT = -1  # what the API takes for it
_BASE, _MOST = "baseCapacity", "maxCapacity"


class RedshiftServerlessCapacityOperator(RedshiftCapacityOperator[RedshiftServerlessHook]):
    """Set base and greatest capacity of a workgroup, and wait until both count.

    AWS changes one setting at a time. The order is such that the base is never above the greatest
    capacity. An update can't be taken back: if a user ends the task, the one that is under way goes
    on, and no other is begun.

    .. seealso::
        https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_UpdateWorkgroup.html

    :param workgroup_name: name of the workgroup. (templated)
    :param base_capacity: base capacity in RPU; by default it stays. (templated)
    :param max_capacity: greatest capacity in RPU, or ``none`` for no limit; by default it stays.
        (templated)
    :param kwargs: as of :class:`RedshiftCapacityOperator`.
    """

    aws_hook_class = RedshiftServerlessHook
    template_fields: Sequence[str] = aws_template_fields(
        "workgroup_name", "base_capacity", "max_capacity", "plan"
    )
    operator_extra_links = (RedshiftWorkgroupLink(),)

    def __init__(
        self,
        *,
        workgroup_name: str,
        base_capacity: int | str | None = None,
        max_capacity: int | str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.workgroup_name = workgroup_name
        self.base_capacity = base_capacity
        self.max_capacity = max_capacity

    @property
    def what(self) -> str:
        """Name of what is changed, for messages."""
        return f"workgroup {self.workgroup_name!r}"

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong.
        """
        super().check()
        if not isinstance(self.workgroup_name, str) or not _NAME.fullmatch(self.workgroup_name):
            raise UpdraftError(f"workgroup_name: {self.workgroup_name!r} is no name of a workgroup")
        wanted = self._wanted()
        if not wanted:
            raise UpdraftError("base_capacity: it is missing, and so is max_capacity")
        if wanted.get(_MOST, _NO_LIMIT) != _NO_LIMIT and wanted.get(_BASE, 0) > wanted[_MOST]:
            raise UpdraftError(
                f"max_capacity: {wanted[_MOST]} is less than base_capacity {wanted[_BASE]}"
            )

    def step(self, context: Context, progress: dict[str, Any]) -> dict[str, Any] | Wait:
        """Look at the workgroup, and change the next setting.

        :param context: context of the task instance.
        :param progress: what this attempt has done so far.
        :returns: the result, or a :class:`Wait`.
        :raises UpdraftError: when it was not possible.
        """
        del context
        workgroup = self._look()
        if workgroup["status"] != "AVAILABLE":
            return Wait(f"{self.what} is {workgroup['status']}")
        change = next(self._changes(workgroup), None)
        if change is None:
            shown = _shown(workgroup)
            self.log.info(
                "%s has %s RPU, at most %s",
                self.what,
                shown["base_capacity"],
                shown["max_capacity"] or "without limit",
            )
            return {**shown, "changed": list(progress["done"])}
        name, value = change
        self.log.info("%s: %s becomes %s", self.what, name, value)
        action = f"{name}={value}"
        return self.act(
            progress,
            action,
            lambda: self._update(name, value),
            lambda: _shown(self._look()) != _shown(workgroup),
        )

    def explain(self, context: Context) -> dict[str, Any]:
        """Say what would be done.

        :param context: context of the task instance.
        :returns: the changes under ``plan``, and the present capacity.
        :raises UpdraftError: when there is no such workgroup.
        """
        del context
        workgroup = self._look()
        plan = [
            f"{name}: from {workgroup.get(name)} to {to}" for name, to in self._changes(workgroup)
        ]
        if workgroup["status"] != "AVAILABLE":
            plan.insert(0, f"wait: it is {workgroup['status']}")
        for number, line in enumerate(plan or ["nothing; it is as it shall be"], 1):
            self.log.info("Plan for %s, step %s: %s", self.what, number, line)
        return {**_shown(workgroup), "changed": [], "plan": plan}

    def stop(self) -> None:
        """Say that an update can't be taken back."""
        self.log.info("An update of %s that is under way goes on", self.what)

    def trigger(self, progress: dict[str, Any], pause: float) -> RedshiftWorkgroupTrigger:
        """Make what waits for the next step.

        :param progress: what this attempt has done so far.
        :param pause: seconds before the first look.
        :returns: the trigger.
        """
        return RedshiftWorkgroupTrigger(
            workgroup_name=self.workgroup_name, **self.waiting(progress, pause)
        )

    def persist_link(self, context: Context) -> None:
        """Give the task its link to the workgroup in the AWS console.

        :param context: context of the task instance.
        """
        persist_console_link(
            self, context, RedshiftWorkgroupLink, workgroup_name=self.workgroup_name
        )

    def _wanted(self) -> dict[str, int]:
        wanted = {}
        for argument, name in (("base_capacity", _BASE), ("max_capacity", _MOST)):
            value = given(str(getattr(self, argument)))
            if value is None:
                continue
            if name == _MOST and value == "none":
                wanted[name] = _NO_LIMIT
                continue
            if not re.fullmatch(r"[1-9]\d{0,4}", value):
                raise UpdraftError(f"{argument}: {value!r} is no number of RPU such as 32")
            wanted[name] = int(value)
        return wanted

    def _changes(self, workgroup: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
        """List the settings that have to be changed, in their order."""
        wanted = {
            name: value
            for name, value in self._wanted().items()
            if value != workgroup.get(name, _NO_LIMIT)
        }
        # A higher limit comes before a higher base, a lower one after a lower base.
        most = wanted.get(_MOST)
        rises = most is not None and (
            most == _NO_LIMIT or most >= workgroup.get(_MOST, float("inf"))
        )
        order = (_MOST, _BASE) if rises else (_BASE, _MOST)
        yield from ((name, wanted[name]) for name in order if name in wanted)

    def _look(self) -> dict[str, Any]:
        try:
            answer = self._request("GetWorkgroup")
        except ResourceMissingError as error:
            raise UpdraftError(
                f"There is no {self.what} in {self.hook.conn_region_name}. Check the name, the "
                "Region and the account of the connection."
            ) from error
        workgroup: dict[str, Any] = answer["workgroup"]
        return workgroup

    def _update(self, name: str, value: int) -> None:
        self._request("UpdateWorkgroup", **{name: value})

    def _request(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.hook.request(
            operation, self.what, workgroupName=self.workgroup_name, **parameters
        )


def _shown(workgroup: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "workgroup_name": workgroup["workgroupName"],
        "status": workgroup["status"],
        "base_capacity": workgroup.get(_BASE),
        "max_capacity": workgroup.get(_MOST),
    }
