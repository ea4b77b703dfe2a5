"""AWS Glue with its low-level client."""

from typing import Any

from airflow.providers.amazon.aws.hooks.base_aws import AwsBaseHook


class GlueClientHook(AwsBaseHook):
    """Makes boto3's client for Glue.

    The provider's ``GlueJobHook`` creates and updates jobs, and wants to know where their scripts
    and roles are. Here a job exists already, and is run.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["client_type"] = "glue"
        super().__init__(*args, **kwargs)
