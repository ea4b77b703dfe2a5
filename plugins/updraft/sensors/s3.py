"""Sensors for Amazon S3."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.operators.failures import task_failure
from updraft.sensors.aws_sensor import AwsExistenceSensor
from updraft.triggers.existence import S3PrefixTrigger, has_objects, prefix_request


class S3PrefixNotEmptySensor(AwsExistenceSensor[S3Hook]):
    """Wait until there is an object below a prefix, as ``S3PrefixNotEmpty`` of Data Pipeline did.

    The provider's ``S3KeySensor`` does so by a pattern, ``prefix*``, which goes wrong for prefixes
    with ``*``, ``?`` or ``[``. A prefix is a text, not a folder: what begins with
    ``s3://bucket/day=1`` are the objects of ``day=1/`` and of ``day=10/``. An empty object that
    marks a folder counts, as S3 lists it like any other.

    :param s3_uri: ``s3://<bucket>/<prefix>``.
    :param kwargs: as of :class:`~updraft.sensors.aws_sensor.AwsExistenceSensor`.
    """

    aws_hook_class = S3Hook
    template_fields: Sequence[str] = aws_template_fields("s3_uri")

    def __init__(self, *, s3_uri: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.s3_uri = s3_uri

    def poke(self, context: Context) -> bool:  # noqa: ARG002 Airflow's signature
        """Look for an object.

        :param context: the task's context, not used.
        :returns: whether there is one.
        :raises AirflowFailException: when the prefix is no S3 URI.
        """
        try:
            request = prefix_request(self.s3_uri)
        except UpdraftError as error:
            raise task_failure(error) from None
        self.log.info("Looking for an object below %s", self.s3_uri)
        client: Any = self.hook.conn
        return has_objects(client.list_objects_v2(**request))

    def trigger(self, **kwargs: Any) -> S3PrefixTrigger:
        """Make the trigger that looks for it.

        :param kwargs: what all such triggers are given.
        :returns: the trigger.
        """
        return S3PrefixTrigger(s3_uri=self.s3_uri, **kwargs)
