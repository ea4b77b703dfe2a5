"""What the operators that load and unload Amazon Redshift have in common."""

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from updraft.errors import UpdraftError
from updraft.operators.redshift_statements_base import RedshiftStatementsOperator
from updraft.operators.template_arguments import given

if TYPE_CHECKING:
    from airflow.providers.openlineage.extractors import OperatorLineage

    from updraft.operators.redshift_load_lineage import LoadLineage


class RedshiftLoadOperator(RedshiftStatementsOperator):
    """An operator that remembers what it has read and written, for OpenLineage.

    :param kwargs: as of :class:`RedshiftStatementsOperator`.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._lineage: LoadLineage | None = None

    def remember_lineage(self, described: "Callable[[], LoadLineage]") -> None:
        """Look up what lineage needs while the task still runs.

        :param described: describes it.
        """
        try:
            from airflow.providers.openlineage import conf  # noqa: PLC0415 - optional

            if not conf.is_disabled():
                self._lineage = described()
        except ImportError:
            return
        except Exception as error:  # noqa: BLE001 - lineage must not fail the task
            self.log.warning("The lineage of this task is incomplete: %s", error)

    @abstractmethod
    def declared_lineage(self, region: str) -> "OperatorLineage[Any, Any] | None":
        """Name what the arguments say that is read and written, without asking anybody.

        :param region: the region of the database.
        :returns: the lineage, ``None`` when they don't say it.
        :raises UpdraftError: when an argument is wrong.
        :raises ImportError: when OpenLineage is not installed.
        """

    def get_openlineage_facets_on_start(self) -> "OperatorLineage[Any, Any] | None":
        """Name what will be read and written, as far as the arguments say it.

        :returns: the lineage; ``None`` where OpenLineage is not installed, and without
            ``region_name``, which is part of the name of a table.
        """
        region = given(self.region_name)
        if region is None:
            return None
        try:
            return self.declared_lineage(region)
        except (ImportError, UpdraftError):  # the task itself says what is wrong
            return None

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Describe what was read and written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, that of the start where the work has not ended well.
        """
        if self._lineage is None:
            return self.get_openlineage_facets_on_start()
        return self._lineage.as_operator_lineage()
