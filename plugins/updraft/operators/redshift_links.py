"""Links from a task in Airflow's UI to what it works on in the console of Amazon Redshift."""

from typing import Any

from airflow.providers.amazon.aws.links.base_aws import BASE_AWS_CONSOLE_LINK, BaseAwsLink

from updraft.compat import Context
from updraft.operators.aws_operator import AwsOperator


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


def persist_console_link(
    operator: AwsOperator[Any], context: Context, link: type[BaseAwsLink], **values: str
) -> None:
    """Give a task a link to the AWS console; the task does not fail for want of one.

    :param operator: the task's operator.
    :param context: context of the task instance.
    :param link: class of the link.
    :param values: what its address is made of, besides the region.
    """
    try:
        link.persist(
            context=context,
            operator=operator,
            region_name=operator.hook.conn_region_name,
            aws_partition=operator.hook.conn_partition,
            **values,
        )
    except Exception as error:  # noqa: BLE001 - a convenience must not fail the task
        operator.log.warning("The task has no link to the AWS console: %s", error)
