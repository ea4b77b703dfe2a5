"""Where statements run by the Amazon Redshift Data API, as whom and how: the arguments for it."""

from collections.abc import Sequence
from typing import Any

from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.hooks.redshift_data import RedshiftDatabase, RedshiftStatementsHook
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.template_arguments import given, truth
from updraft.operators.waiting import check_poll_interval


class RedshiftStatementsArguments(AwsOperator[RedshiftStatementsHook]):
    """The arguments that all operators have which run statements.

    :param database: name of the database. (templated)
    :param cluster_identifier: the cluster. (templated)
    :param workgroup_name: the workgroup of Redshift Serverless, instead of a cluster. (templated)
    :param db_user: the database user; for a cluster only. (templated)
    :param secret_arn: ARN or name of a secret with ``username`` and ``password``. Without it and
        ``db_user`` the identity of IAM connects. (templated)
    :param query_group: query group of the statements, by which workload management chooses their
        queue. (templated)
    :param transaction: whether the statements are one transaction. Otherwise each counts as soon
        as it has ended, they share a session where they have to, and a retry goes on with the one
        that failed. (templated)
    :param wait_for_available: whether to wait while the cluster is paused, resized and so on; by
        default the task fails then and says so. (templated)
    :param deferrable: whether the task gives its slot back while Redshift works; it looks for some
        seconds first.
    :param poll_interval: seconds between two looks; the first pauses are shorter.
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts).
    """

    aws_hook_class = RedshiftStatementsHook
    ui_color = "#dfe8f5"
    template_fields: Sequence[str] = aws_template_fields(
        "database",
        "cluster_identifier",
        "workgroup_name",
        "db_user",
        "secret_arn",
        "query_group",
        "transaction",
        "wait_for_available",
    )

    def __init__(
        self,
        *,
        database: str,
        cluster_identifier: str | None = None,
        workgroup_name: str | None = None,
        db_user: str | None = None,
        secret_arn: str | None = None,
        query_group: str | None = None,
        transaction: bool | str = True,
        wait_for_available: bool | str = False,
        deferrable: bool = True,
        poll_interval: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.database = database
        self.cluster_identifier = cluster_identifier
        self.workgroup_name = workgroup_name
        self.db_user = db_user
        self.secret_arn = secret_arn
        self.query_group = query_group
        self.transaction = transaction
        self.wait_for_available = wait_for_available
        self.deferrable = deferrable
        self.poll_interval = poll_interval

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    @property
    def place(self) -> RedshiftDatabase:
        """The database, and who connects to it."""
        return RedshiftDatabase(
            database=given(self.database) or "",
            cluster_identifier=given(self.cluster_identifier),
            workgroup_name=given(self.workgroup_name),
            db_user=given(self.db_user),
            secret_arn=given(self.secret_arn),
        )

    @property
    def in_transaction(self) -> bool:
        """Whether the statements are one transaction."""
        return truth("transaction", self.transaction)

    def check(self) -> None:
        """Check the arguments.

        :raises UpdraftError: when one is wrong, which no retry can mend.
        """
        check_poll_interval(self.poll_interval)
        self.place.check()
        truth("transaction", self.transaction)
        truth("wait_for_available", self.wait_for_available)
