"""Links from a task in Airflow's UI to what it works on in the console of Amazon Redshift."""

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink


class RedshiftClusterLink(BaseAwsLink):
    """Opens a cluster. Its values are ``cluster_identifier`` and ``region_name``."""

    name = "Amazon Redshift cluster"
    key = "redshift_cluster"
    format_str = (
        BASE_AWS_CONSOLE_LINK
        + "/redshiftv2/home?region={region_name}#cluster-details?cluster={cluster_identifier}"
    )


class RedshiftWorkgroupLink(BaseAwsLink):
    """Opens a workgroup. Its values are ``workgroup_name`` and ``region_name``."""

    name = "Amazon Redshift Serverless workgroup"
    key = "redshift_workgroup"
    format_str = (
        BASE_AWS_CONSOLE_LINK
        + "/redshiftv2/home?region={region_name}#serverless-workgroup?workgroup={workgroup_name}"
    )


class RedshiftQueryEditorLink(BaseAwsLink):
    """Opens the query editor. Its value is ``region_name``."""

    name = "Amazon Redshift query editor"
    key = "redshift_query_editor"
    format_str = BASE_AWS_CONSOLE_LINK + "/sqlworkbench/home?region={region_name}#/client"
