"""Links from a task in Airflow's UI to the console of Amazon Redshift."""

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink


class RedshiftQueryEditorLink(BaseAwsLink):
    """Opens the query editor. Its value is ``region_name``."""

    name = "Amazon Redshift query editor"
    key = "redshift_query_editor"
    format_str = BASE_AWS_CONSOLE_LINK + "/sqlworkbench/home?region={region_name}#/client"
