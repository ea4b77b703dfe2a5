"""Triggers that wait until something is there, and how one look at it is taken.

Sensors take the same look from their worker, so that both agree on what counts.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook

from updraft.hooks.dynamodb import DynamoDBClientHook
from updraft.s3_uri import parse_s3_uri
from updraft.triggers.polling import PollingTrigger

# A table that changes its capacity or builds an index can be read and written all the while.
_USABLE = frozenset({"ACTIVE", "UPDATING"})


def prefix_request(s3_uri: str) -> dict[str, Any]:
    """Ask S3 for one object below a prefix.

    :param s3_uri: the prefix.
    :returns: arguments of ListObjectsV2.
    """
    bucket, prefix = parse_s3_uri(s3_uri)
    return {"Bucket": bucket, "Prefix": prefix, "MaxKeys": 1}


def has_objects(answer: Mapping[str, Any]) -> bool:
    """Tell whether there is an object below the prefix, the marker of a folder included.

    :param answer: what ListObjectsV2 says.
    :returns: whether it lists any.
    """
    return bool(answer.get("Contents"))


def is_usable(answer: Mapping[str, Any]) -> bool:
    """Tell whether a table can be read and written.

    :param answer: what DescribeTable says.
    :returns: false while it is made or deleted, and for one that DynamoDB can't decrypt.
    """
    return answer["Table"].get("TableStatus") in _USABLE


def first_item_request(table_name: str) -> dict[str, Any]:
    """Ask DynamoDB whether a table has an item, without the item.

    :param table_name: name or ARN of the table.
    :returns: arguments of Scan.
    """
    return {"TableName": table_name, "Limit": 1, "Select": "COUNT"}


class S3PrefixTrigger(PollingTrigger):
    """Wait until there is an object below a prefix.

    :param s3_uri: the prefix.
    :param kwargs: as of :class:`PollingTrigger`.
    """

    argument_names = ("s3_uri",)
    aws_hook_class: ClassVar[type[AwsBaseHook]] = S3Hook

    def __init__(self, *, s3_uri: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.s3_uri = s3_uri

    async def is_over(self, client: Any) -> bool:
        """Look for an object.

        :param client: asynchronous client of S3.
        :returns: whether there is one.
        """
        return has_objects(await client.list_objects_v2(**prefix_request(self.s3_uri)))


class DynamoDBTableTrigger(PollingTrigger):
    """Wait until a table is there, or until it has an item.

    :param table_name: name or ARN of the table.
    :param with_data: whether it has to have an item.
    :param kwargs: as of :class:`PollingTrigger`.
    """

    argument_names = ("table_name", "with_data")
    aws_hook_class: ClassVar[type[AwsBaseHook]] = DynamoDBClientHook

    def __init__(self, *, table_name: str, with_data: bool, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.table_name = table_name
        self.with_data = with_data

    async def is_over(self, client: Any) -> bool:
        """Look at the table.

        :param client: asynchronous client of DynamoDB.
        :returns: whether it is there, with an item if it has to have one.
        """
        try:
            if not self.with_data:
                return is_usable(await client.describe_table(TableName=self.table_name))
            request = first_item_request(self.table_name)
            while True:
                answer = await client.scan(**request)
                if answer["Count"] or not (last := answer.get("LastEvaluatedKey")):
                    return bool(answer["Count"])
                request["ExclusiveStartKey"] = last
        except client.exceptions.ResourceNotFoundException:
            return False
