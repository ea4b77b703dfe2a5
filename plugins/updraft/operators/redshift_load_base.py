"""What the operators that load and unload Amazon Redshift have in common."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from updraft.operators.redshift_statements_base import RedshiftStatementsOperator

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

    def get_openlineage_facets_on_complete(
        self,
        task_instance: Any,  # noqa: ARG002 - the listener passes it
    ) -> "OperatorLineage[Any, Any] | None":
        """Describe what was read and written.

        :param task_instance: not needed, the operator itself remembers.
        :returns: the lineage, ``None`` when there is none.
        """
        return None if self._lineage is None else self._lineage.as_operator_lineage()
