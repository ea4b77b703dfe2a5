"""Base of all operators that speak to AWS."""

from typing import Any, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator

from updraft.operators.template_arguments import given

_Hook = TypeVar("_Hook", bound=AwsGenericHook[Any])


class AwsOperator(AwsBaseOperator[_Hook]):
    """The provider's base, for arguments that a form may leave empty.

    A template makes an empty text of a Region that was not given. The provider hands that to boto3,
    which looks for ``https://glue..amazonaws.com``; only ``None`` means the Region of the
    connection, and without one there that of the worker (``AWS_REGION``).
    """

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        return {**super()._hook_parameters, "region_name": given(self.region_name)}
