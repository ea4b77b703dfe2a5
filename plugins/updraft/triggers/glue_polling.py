"""What the triggers that wait for AWS Glue have in common."""

from typing import ClassVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook

from updraft.hooks.glue import GlueClientHook
from updraft.triggers.polling import MOST_ERRORS, PollingTrigger

__all__ = ["MOST_ERRORS", "GluePollingTrigger"]


class GluePollingTrigger(PollingTrigger):
    """Look at something in Glue again and again until it is over.

    The provider has waiters for some of what Glue does, but theirs know not all states (a job run
    can be ``EXPIRED``), and wait for one thing at a time.
    """

    aws_hook_class: ClassVar[type[AwsBaseHook]] = GlueClientHook
