"""Sensors for Amazon DynamoDB."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.sensors.aws_sensor import AwsExistenceSensor
from updraft.triggers.existence import (
    DynamoDBTableTrigger,
    first_item_request,
    is_usable,
)


class _TableSensor(AwsExistenceSensor[DynamoDBClientHook]):
    aws_hook_class = DynamoDBClientHook
    template_fields: Sequence[str] = aws_template_fields("table_name")
    with_data: ClassVar[bool]

    def __init__(self, *, table_name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table_name = table_name

    def poke(self, context: Context) -> bool:  # noqa: ARG002 Airflow's signature
        """Look at the table.

        :param context: the task's context, not used.
        :returns: whether it is as it has to be; false when there is none.
        """
        self.log.info("Looking at the table %s", self.table_name)
        client: Any = self.hook.conn
        try:
            return self._look(client)
        except client.exceptions.ResourceNotFoundException:
            return False

    @abstractmethod
    def _look(self, client: Any) -> bool: ...

    def trigger(self, **kwargs: Any) -> DynamoDBTableTrigger:
        """Make the trigger that looks at it.

        :param kwargs: what all such triggers are given.
        :returns: the trigger.
        """
        return DynamoDBTableTrigger(table_name=self.table_name, with_data=self.with_data, **kwargs)


class DynamoDBTableExistsSensor(_TableSensor):
    """Wait until a table can be read and written, as ``DynamoDBTableExists`` of Data Pipeline did.

    :param table_name: name or ARN of the table.
    :param kwargs: as of :class:`~updraft.sensors.aws_sensor.AwsExistenceSensor`.
    """

    with_data = False

    def _look(self, client: Any) -> bool:
        return is_usable(client.describe_table(TableName=self.table_name))


class DynamoDBDataExistsSensor(_TableSensor):
    """Wait until a table has an item, as ``DynamoDBDataExists`` of Data Pipeline did.

    One look reads one item, half a read unit for each 4 kB of it. The provider's
    ``DynamoDBValueSensor`` waits for an item of a given key instead.

    :param table_name: name or ARN of the table.
    :param kwargs: as of :class:`~updraft.sensors.aws_sensor.AwsExistenceSensor`.
    """

    with_data = True

    def _look(self, client: Any) -> bool:
        pages = client.get_paginator("scan").paginate(**first_item_request(self.table_name))
        return any(page["Count"] for page in pages)
