"""What the operators for the catalog in Amazon DataZone have in common."""

from collections.abc import Sequence
from typing import Any

from airflow.configuration import conf
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields

from updraft.errors import ArgumentError
from updraft.hooks.datazone_domain import DataZoneClientHook, DataZoneDomain
from updraft.operators.aws_operator import AwsOperator
from updraft.operators.dynamodb_base import client_configuration
from updraft.operators.kill_switch import KillSwitch
from updraft.operators.template_arguments import given


class CatalogOperator(AwsOperator[DataZoneClientHook]):
    """Base of the operators for the catalog.

    :param domain_id: id of the DataZone domain; the configuration option
        ``[updraft] datazone_domain_id`` if empty. (templated)
    :param aws_conn_id: the Airflow connection used for AWS credentials. (templated)
    :param region_name: region of the domain; by default that of the connection. (templated)
    :param verify: whether to verify TLS certificates, or the path of a CA bundle. (templated)
    :param botocore_config: arguments of botocore's ``Config``; they win over the operator's own
        (standard retries, ten attempts).
    """

    aws_hook_class = DataZoneClientHook
    template_fields: Sequence[str] = aws_template_fields("domain_id")
    ui_color = "#e8e4f5"

    def __init__(self, *, domain_id: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.domain_id = domain_id
        self.kill_switch = KillSwitch()

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        parameters: dict[str, Any] = super()._hook_parameters
        return {**parameters, "config": client_configuration(self.botocore_config)}

    def domain(self) -> DataZoneDomain:
        """Give access to the domain.

        :returns: the domain.
        :raises UpdraftError: when none is given, or what is given is no id of one.
        """
        domain_id = given(self.domain_id) or conf.get("updraft", "datazone_domain_id", fallback="")
        if not domain_id:
            raise ArgumentError(
                "no DataZone domain is given: set domain_id on the task, or the Airflow "
                "configuration option [updraft] datazone_domain_id"
            )
        return self.hook.domain(domain_id)
