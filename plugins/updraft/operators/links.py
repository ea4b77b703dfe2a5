"""Links from a task in Airflow's UI to what it works on in the AWS console."""

from typing import Any
from urllib.parse import quote

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink


class S3PrefixLink(BaseAwsLink):
    """Opens an S3 prefix in the console.

    Its values are ``bucket``, ``prefix`` and ``region_name``. It shows on Airflow 3. Airflow 2.11
    shows links of operators only if a provider or a plugin registers their class, which Updraft
    does not do.
    """

    name = "Amazon S3 prefix"
    key = "s3_prefix"
    format_str = BASE_AWS_CONSOLE_LINK + "/s3/buckets/{bucket}?region={region_name}&prefix={prefix}"

    def format_link(self, **kwargs: Any) -> str:
        """Fill in the values, with the prefix escaped for a query.

        :param kwargs: what ``persist`` was given.
        :returns: the URL, empty when something is missing.
        """
        if kwargs.get("prefix"):  # an empty one stands for the bucket as a whole
            kwargs["prefix"] = quote(kwargs["prefix"]) + "/"
        return super().format_link(**kwargs)
