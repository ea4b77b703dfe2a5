"""Links from a task in Airflow's UI to what it works on in the AWS console."""

from typing import Any
from urllib.parse import quote

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink


class S3PrefixLink(BaseAwsLink):
    """Opens an S3 prefix in the console.

    Its values are ``bucket``, ``prefix`` and ``region_name``.
    """

    name = "Amazon S3 prefix"
    key = "s3_prefix"
    format_str = (
        BASE_AWS_CONSOLE_LINK + "/s3/buckets/{bucket}?region={region_name}&prefix={prefix}/"
    )

    def format_link(self, **kwargs: Any) -> str:
        """Fill in the values, with the prefix escaped for a query.

        :param kwargs: what ``persist`` was given.
        :returns: the URL, empty when something is missing.
        """
        if "prefix" in kwargs:
            kwargs["prefix"] = quote(kwargs["prefix"])
        return super().format_link(**kwargs)
