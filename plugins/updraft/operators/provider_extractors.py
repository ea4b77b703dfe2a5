"""Extractors for operators of the amazon provider that tell nothing of their lineage themselves.

The provider's OpenLineage listener asks an extractor about a task whose operator has the name that
the extractor gives. ``updraft_plugin`` registers those of this module, so that DAGs which know
nothing of Updraft have lineage too. An operator that has methods for lineage of its own, as one of
a newer provider may, speaks for itself.

Each process that runs a task imports this module, whatever the task does; what the extractors need
is imported when one is asked.

.. seealso::
    https://airflow.apache.org/docs/apache-airflow-providers-openlineage/stable/guides/developer.html
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from airflow.providers.openlineage.extractors.base import (
    BaseExtractor,
    DefaultExtractor,
    OperatorLineage,
)

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)

Lineage: TypeAlias = OperatorLineage[Any, Any]

_OWN_METHODS = tuple(
    f"get_openlineage_facets_{moment}" for moment in ("on_start", "on_complete", "on_failure")
)


class ProviderExtractor(BaseExtractor):
    """Speaks for an operator of the amazon provider."""

    operator_name: ClassVar[str]
    """Name of the operator's class."""

    function: ClassVar[str]
    """Name of the function in :mod:`updraft.operators.provider_lineage` that knows the operator."""

    @classmethod
    def get_operator_classnames(cls) -> list[str]:
        """Name the operators.

        :returns: the one name.
        """
        return [cls.operator_name]

    def extract(self) -> Lineage | None:
        """Describe a task that begins.

        :returns: what its arguments say.
        """
        if self._speaks_for_itself():
            return DefaultExtractor(self.operator).extract()
        return self._described(has_ended=False)

    def extract_on_complete(self, task_instance: Any) -> Lineage | None:
        """Describe a task that has succeeded.

        :param task_instance: the task instance.
        :returns: what its arguments say.
        """
        if self._speaks_for_itself():
            return DefaultExtractor(self.operator).extract_on_complete(task_instance)
        return self._described(has_ended=True)

    def extract_on_failure(self, task_instance: Any) -> Lineage | None:
        """Describe a task that has failed.

        :param task_instance: the task instance.
        :returns: what its arguments say.
        """
        if self._speaks_for_itself():
            return DefaultExtractor(self.operator).extract_on_failure(task_instance)
        return self._described(has_ended=True)

    def _execute_extraction(self) -> Lineage | None:
        return self.extract()

    def _speaks_for_itself(self) -> bool:
        return any(hasattr(self.operator, name) for name in _OWN_METHODS)

    def _described(self, *, has_ended: bool) -> Lineage:
        try:
            lineage = import_module("updraft.operators.provider_lineage")
            describe: Callable[..., Lineage] = getattr(lineage, self.function)
            return describe(self.operator, has_ended=has_ended)
        except Exception as error:  # noqa: BLE001 - the event goes out with what else it says
            log.warning("The lineage of task %s is incomplete: %s", self.operator.task_id, error)
            return OperatorLineage()


class EmrAddStepsExtractor(ProviderExtractor):
    """Speaks for ``EmrAddStepsOperator``."""

    operator_name = "EmrAddStepsOperator"
    function = "emr_add_steps"


class GlueJobExtractor(ProviderExtractor):
    """Speaks for ``GlueJobOperator``."""

    operator_name = "GlueJobOperator"
    function = "glue_job"


class GlueCrawlerExtractor(ProviderExtractor):
    """Speaks for ``GlueCrawlerOperator``."""

    operator_name = "GlueCrawlerOperator"
    function = "glue_crawler"


class DynamoDBToS3Extractor(ProviderExtractor):
    """Speaks for ``DynamoDBToS3Operator``."""

    operator_name = "DynamoDBToS3Operator"
    function = "dynamodb_to_s3"


class S3ToDynamoDBExtractor(ProviderExtractor):
    """Speaks for ``S3ToDynamoDBOperator``."""

    operator_name = "S3ToDynamoDBOperator"
    function = "s3_to_dynamodb"


class RedshiftDataExtractor(ProviderExtractor):
    """Speaks for ``RedshiftDataOperator``."""

    operator_name = "RedshiftDataOperator"
    function = "redshift_data"
